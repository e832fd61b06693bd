"""Who may send, as whom, and by which account (design section 3)."""

import os

from rig import BODY

TWO = {"work": "from = me@sandbox.example me+alias@sandbox.example", "site": "from = noreply@sandbox.example *@apps.sandbox.example"}


def test_the_sender_chooses_the_account(case):
    box = case.box()
    me = case.person(box, accounts=TWO)
    for sender, user in (("me@sandbox.example", "me"), ("me+alias@sandbox.example", "me"), ("noreply@sandbox.example", "noreply"),
                         ("x@apps.sandbox.example", "noreply")):
        me.send("-i", "-f", sender, "ann@example.org").succeeded()
        mail = box.mails()[-1]
        case.same((mail.sender, mail.user), (sender, f"{user}@sandbox.example"))
        case.same(mail.field("From"), sender)
    me.send("-i", "ann@example.org", text="From: App <y@apps.sandbox.example>\n" + BODY).succeeded()
    case.same((box.mails()[-1].sender, box.mails()[-1].user), ("y@apps.sandbox.example", "noreply@sandbox.example"))
    # Nobody in particular: the default.
    me.send("-i", "ann@example.org").succeeded()
    case.same(box.mails()[-1].user, "me@sandbox.example")


def test_an_account_asked_for_by_name(case):
    box = case.box()
    me = case.person(box, accounts=TWO)
    me.send("-i", "-a", "site", "ann@example.org").succeeded()
    case.same(box.mails()[-1].user, "noreply@sandbox.example")
    me.send("-i", "--account=site", "-a", "work", "ann@example.org").succeeded()
    case.same(box.mails()[-1].user, "noreply@sandbox.example")
    me.send("-i", "ann@example.org", environment={"MAILBEARER_ACCOUNT": "site"}).succeeded()
    case.same(box.mails()[-1].user, "noreply@sandbox.example")
    me.send("-i", "-a", "sitte", "ann@example.org").failed(78, r"not sent: unknown account `sitte`; did you mean site\?")
    me.send("-i", "-a", "elsewhere", "ann@example.org").failed(78, r"not sent: unknown account `elsewhere`; accounts: work, site")
    me.send("-i", "ann@example.org", environment={"MAILBEARER_ACCOUNT": "wrok"}).failed(78, "not sent: unknown account `wrok`; .*")


def test_no_account_may_send_as_this(case):
    box = case.box()
    me = case.person(box, accounts=TWO)
    text = (r"not sent: no account may send as me@kernel\.org \(accounts: work, site\); add it to `from` or use another -f")
    me.send("-i", "-f", "me@kernel.org", "ann@example.org").failed(77, text)
    me.send("-i", "ann@example.org", text="From: me@kernel.org\n" + BODY).failed(77, text)
    case.same(box.count("smtp.connect"), 0)
    case.same(box.token_requests(), 0)


def test_rewrite_from_auto(case):
    box = case.box()
    me = case.person(box, account="rewrite_from = auto")
    me.send("-i", "-f", "me@kernel.org", "ann@example.org", text="From: Linus <me@kernel.org>\n" + BODY).succeeded()
    mail = box.mails()[-1]
    case.same(mail.sender, "me@sandbox.example")
    case.same(mail.field("From"), "Linus <me@sandbox.example>")
    case.same(mail.field("Reply-To"), "Linus <me@kernel.org>")
    # A name that looks like an address is dropped; a Reply-To that is there stays.
    me.send("-i", "ann@example.org", text='From: "ceo@big.example" <x@kernel.org>\nReply-To: r@kernel.org\n' + BODY).succeeded()
    mail = box.mails()[-1]
    case.holds("ceo@big" not in mail.field("From") and "me@sandbox.example" in mail.field("From"), mail.field("From"))
    case.same(mail.field("Reply-To"), "r@kernel.org")
    # A local sender gets no Reply-To: nobody could answer there.
    me.send("-i", "ann@example.org", text="From: root (Cron Daemon)\n" + BODY).succeeded()
    case.same(box.mails()[-1].fields("Reply-To"), [])
    # What is in `from` is left alone.
    me.send("-i", "ann@example.org", text="From: Me <me@sandbox.example>\n" + BODY).succeeded()
    case.same(box.mails()[-1].field("From"), "Me <me@sandbox.example>")


def test_rewrite_from_always(case):
    box = case.box()
    me = case.person(box, account="rewrite_from = always\nfrom = me@sandbox.example me+alias@sandbox.example")
    me.send("-i", "-f", "me+alias@sandbox.example", "ann@example.org",
            text="From: Me <me+alias@sandbox.example>\n" + BODY).succeeded()
    case.same(box.mail().field("From"), "Me <me@sandbox.example>")


def test_a_signed_message_is_never_rewritten(case):
    box = case.box()
    me = case.person(box, account="rewrite_from = auto")
    me.send("-i", "ann@example.org", text="From: x@kernel.org\nMIME-Version: 1.0\nContent-Type: multipart/signed; boundary=b; "
            "micalg=pgp-sha256; protocol=\"application/pgp-signature\"\nSubject: s\n\n--b\n\nx\n--b--\n").failed(
                77, r"not sent \(work\): me@sandbox\.example may not send as x@kernel\.org, and a signed message is not rewritten; .*")


def test_the_provider_refuses_the_sender(case):
    box = case.box()
    me = case.person(box, accounts={"site": "from = noreply@sandbox.example x@contoso.com"})
    me.send("-i", "-f", "x@contoso.com", "ann@example.org").failed(
        77, r'not sent \(site\): noreply@sandbox\.example may not send as x@contoso\.com; grant Send As, or set rewrite_from = always '
            r'\[server: "550 5\.7\.60 [^"]*"\]')


def test_allow_users(case):
    box = case.box()
    me = case.person(box, uid=4321, account="allow_users = www-data #4322 @adm")
    line = me.config.read_text().splitlines().index("allow_users = www-data #4322 @adm") + 1
    me.send("-i", "ann@example.org").failed(
        77, rf"not sent \(work\): local user #4321 may not use this account; add #4321 to allow_users in {me.config}:{line}")
    case.same(box.count("smtp.connect"), 0)
    text = me.config.read_text()
    me.write_config(text.replace("#4322", "#4321"))
    me.send("-i", "ann@example.org").succeeded()
    # root is always admitted.
    me.write_config(text)
    os.chown(me.config, 0, 0)
    os.chown(me.folder, 0, 0)
    me.uid = None
    os.chown(me.keyring, 0, 0)
    for path in (me.folder / "aliases", *me.folder.glob("keyring*"), *me.keyring.rglob("*")):
        os.chown(path, 0, 0)
    me.send("-i", "ann@example.org").succeeded()


def test_default_for(case):
    box = case.box()
    me = case.person(box, accounts={"work": "", "site": "default_for = #4321 root"})
    me.send("-i", "ann@example.org").succeeded()
    case.same(box.mail().user, "noreply@sandbox.example")


def test_the_missing_from_field(case):
    box = case.box()
    me = case.person(box, account="rewrite_from = auto")
    for options, pattern in (((), "^[^@]*<?me@sandbox.example>?$"), (("-F", "A. Name"), '^"A. Name" <me@sandbox.example>$'),
                             (("-F", ""), "^me@sandbox.example$"), (("-f", "me@sandbox.example"), "^me@sandbox.example$"),
                             (("-F", 'Full, "Q" Name'), r'^"Full, \\"Q\\" Name" <me@sandbox.example>$')):
        me.send("-i", *options, "ann@example.org").succeeded()
        case.matches(box.mails()[-1].field("From"), pattern, repr(options))
    me.send("-i", "-F", "a\nX-Injected: y", "ann@example.org").succeeded()
    case.same(box.mails()[-1].fields("X-Injected"), [])
    me.send("-i", "-F", "Zoë", "ann@example.org").succeeded()
    case.same(box.mails()[-1].parsed()["From"].addresses[0].display_name, "Zoë")
