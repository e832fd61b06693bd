"""The message: bytes kept, and the list of what may be done to it (R30 to R41, design section 4)."""

import json
import pathlib
import re

from rig import BODY, weight

FROM = "From: me@sandbox.example\n"


def sent(case, text, *arguments, box=None, me=None, **how):
    box = box or case.box()
    me = me or case.person(box)
    me.send(*(arguments or ("-i", "ann@example.org")), text=text, **how).succeeded()
    return box.mails()[-1]


def test_R30_line_ends_freely_mixed_become_crlf(case):
    box = case.box()
    me = case.person(box)
    mail = sent(case, b"To: ann@example.org\r\nSubject: php\r\nX-A: 1\nX-B: 2\r\n\r\none\ntwo\r\n\nthree\r\r\nfour\rfive\n\r\n", "-t", "-i",
                box=box, me=me)
    case.holds(re.search(rb"(?<!\r)\n|\r(?!\n)", mail.raw) is None, f"a bare CR or LF left: {mail.raw!r}")
    case.same(mail.body, b"one\r\ntwo\r\n\r\nthree\r\nfour five\r\n\r\n")
    case.same((mail.field("X-A"), mail.field("X-B")), ("1", "2"))


def test_R30_no_byte_sequence_becomes_a_second_message(case):
    box = case.box()
    me = case.person(box)
    evil = b"MAIL FROM:<evil@sandbox.example>\nRCPT TO:<x@example.org>\nDATA\nSubject: smuggled\n\nx\n"
    body = b"".join(end + evil for end in (b"\n.\n", b"\r\n.\r\n", b"\r.\r", b"\n.\r\n", b"\r\n.\n", b"\r.\n", b"\n.\r", b"\r\r\n.\r\r\n"))
    mail = sent(case, b"Subject: s\n\nbegin" + body + b"\n.\r\n", "-i", "ann@example.org", box=box, me=me)
    case.same(len(box.mails()), 1)
    case.same(box.count("smtp.mail"), 1)
    case.same(mail.body.count(b"MAIL FROM"), 8)
    case.holds(re.search(rb"(?<!\r)\n|\r(?!\n)", mail.raw) is None, "a bare CR or LF left")


def test_R31_the_last_line_lacks_its_newline(case):
    box = case.box()
    me = case.person(box)
    case.same(sent(case, "Subject: s\n\nlast", box=box, me=me).body, b"last\r\n")
    mail = sent(case, "Subject: s\nX-Last: here", box=box, me=me)
    case.same((mail.field("X-Last"), mail.body), ("here", b""))
    mail = sent(case, "Subject: s\nTo: bob@example.org", "-t", box=box, me=me)
    case.same(mail.recipients, ["bob@example.org"])


def test_R32_the_dot_rule(case):
    box = case.box()
    me = case.person(box)
    text = "Subject: s\n\nl1\n..\n...x\n.y\n..z\n.\nafter\n"
    mail = sent(case, text, "ann@example.org", box=box, me=me)
    case.same(mail.body, b"l1\r\n.\r\n..x\r\n.y\r\n.z\r\n")
    mail = sent(case, text, "-i", "ann@example.org", box=box, me=me)
    case.same(mail.body, b"l1\r\n..\r\n...x\r\n.y\r\n..z\r\n.\r\nafter\r\n")
    mail = sent(case, "Subject: s\n\nx\n.", "ann@example.org", box=box, me=me)
    case.same(mail.body, b"x\r\n")
    mail = sent(case, "Subject: s\n.\nX-Never: y\n\nbody\n", "ann@example.org", box=box, me=me)
    case.same((mail.fields("X-Never"), mail.body), ([], b""))


def test_R33_bcc_never_leaves(case):
    box = case.box()
    me = case.person(box)
    text = ("To: ann@example.org\nBcc: secret@example.org,\n\thidden@example.org\nbcc: third@example.org\n"
            "Resent-Bcc: fourth@example.org\nSubject: s\n\nx\n")
    mail = sent(case, text, "-i", "ann@example.org", box=box, me=me)
    case.same(mail.recipients, ["ann@example.org"])
    for word in (b"secret", b"hidden", b"third", b"fourth", b"bcc:", b"Bcc:"):
        case.holds(word not in mail.raw, f"{word} leaked")
    mail = sent(case, text.replace("Resent-Bcc: fourth@example.org\n", ""), "-t", box=box, me=me)
    case.same(sorted(mail.recipients), ["ann@example.org", "hidden@example.org", "secret@example.org", "third@example.org"])
    case.holds(b"cret" not in mail.raw, "Bcc leaked with -t")


def test_R33_resent_recipients_of_the_newest_block_only(case):
    box = case.box()
    me = case.person(box)
    mail = sent(case, "Resent-From: me@sandbox.example\nResent-To: new@example.org\nResent-Bcc: quiet@example.org\n"
                      "To: old@example.org\nCc: older@example.org\nBcc: oldest@example.org\nDate: Fri, 20 Nov 2026 20:00:00 +0000\n"
                      "Message-ID: <first@example.org>\nFrom: x@example.org\nSubject: s\n\nx\n", "-t",
                box=box, me=case.person(box, name="rewriting", account="rewrite_from = auto"))
    case.same(sorted(mail.recipients), ["new@example.org", "quiet@example.org"])
    case.same(mail.field("Message-ID"), "<first@example.org>")
    case.same(len(mail.fields("Resent-Date")), 1)
    case.same(len(mail.fields("Resent-Message-ID")), 1)
    case.holds(b"quiet" not in mail.raw and b"oldest" not in mail.raw, "a Bcc leaked")


def test_R34_missing_fields_are_added_and_present_ones_kept(case):
    box = case.box()
    me = case.person(box)
    mail = sent(case, "Subject: s\n\nx\n", "-i", "-F", "Cron Daemon", "-f", "me@sandbox.example", "ann@example.org", box=box, me=me)
    case.matches(mail.field("From"), '^"?Cron Daemon"? <me@sandbox.example>$')
    case.matches(mail.field("Date"), r"^\w{3}, \d{1,2} \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4}$")
    case.matches(mail.field("Message-ID"), r"^<[^@<>\s]+@[^@<>\s]+>$")
    case.same(mail.field("To"), "undisclosed-recipients:;")
    case.matches(mail.field("Received"), r"^by \S+ id \S+; \w{3}, ")
    text = ("Date: yesterday\nmessage-id: <kept@example.org>\nFrom: Me <me@sandbox.example>\nTo: a@example.org\nSubject: s\n\nx\n")
    mail = sent(case, text, box=box, me=me)
    for name, value in (("Date", "yesterday"), ("Message-ID", "<kept@example.org>"), ("From", "Me <me@sandbox.example>"),
                        ("To", "a@example.org")):
        case.same(mail.field(name), value)
    mail = sent(case, "From:\nDate:\nTo: \nSubject: s\n\nx\n", "-i", "-f", "me@sandbox.example", "ann@example.org", box=box, me=me)
    case.same(mail.field("From"), "me@sandbox.example")
    case.same(mail.field("To"), "undisclosed-recipients:;")


def test_R34_the_received_field_tells_nothing_private(case):
    import socket

    mail = sent(case, BODY)
    received = mail.field("Received")
    case.holds("root" not in received and "uid" not in received, received)
    case.holds(not re.search(rf"\b{re.escape(socket.gethostname())}\b", received), received)


def test_R35_unqualified_addresses_are_completed(case):
    box = case.box()
    me = case.person(box, main="domain = corp.example\nlocal_mail_to = ops@example.net",
                     account="rewrite_from = auto\nfrom = *@corp.example me@sandbox.example")
    mail = sent(case, "From: root (Cron Daemon)\nTo: ann@example.org, alice\nCc: Bob <bob>\nReply-To: root \nSubject: s\n\nx\n", "-i",
                "ann@example.org", box=box, me=case.person(box, name="corp", main="domain = sandbox.example",
                                                           account="rewrite_from = auto"))
    case.same(mail.sender, "me@sandbox.example")
    case.matches(mail.field("To"), r"^ann@example\.org, alice@sandbox\.example$")
    case.matches(mail.field("Cc"), r"^Bob <bob@sandbox\.example>$")
    case.matches(mail.field("Reply-To"), r"^root@sandbox\.example")
    case.matches(mail.field("From"), r"me@sandbox\.example")
    case.matches(mail.field("From"), "Cron Daemon")


def test_R36_local_names_go_through_aliases_and_local_mail_to(case):
    box = case.box()
    me = case.person(box, main="local_mail_to = ops@example.net", account="rewrite_from = auto")
    (me.folder / "aliases").write_text(
        "# comment\nroot: admin@example.net, second@example.net\npostmaster: root\nloop: loop2\nloop2: loop\n"
        "team: ann@example.org,\n\tbob@example.org\n")
    for recipients, wanted in (
            (("root",), ["admin@example.net", "second@example.net"]),
            (("postmaster",), ["admin@example.net", "second@example.net"]),
            (("root@localhost",), ["admin@example.net", "second@example.net"]),
            (("team", "ann@example.org"), ["ann@example.org", "bob@example.org"]),
            (("alice",), ["ops@example.net"]),
            (("alice", "bob", "cy"), ["ops@example.net"])):
        mail = sent(case, FROM + "Subject: s\n\nx\n", "-i", *recipients, box=box, me=me)
        case.same(sorted(mail.recipients), wanted, repr(recipients))


def test_R36_a_local_name_that_nothing_covers(case):
    box = case.box()
    me = case.person(box)
    result = me.send("-i", "alice")
    case.same(result.code, 67, repr(result))
    case.matches(result.err, r"^sendmail: not sent \(work\): [^\n]*alice[^\n]*(aliases|local_mail_to)[^\n]*\n$")
    (me.folder / "aliases").write_text("alice: |/bin/cat\nbob: /var/mail/bob\n")
    for name in ("alice", "bob"):
        case.same(me.send("-i", name).code in (65, 67, 78), True, f"{name}: a program or file in the alias file")
    case.same(box.mails(), [])


def test_R37_mbox_lines_are_skipped(case):
    box = case.box()
    me = case.person(box)
    for first in ("From root Fri Nov 20 20:00:00 2026\n", ">From root Fri Nov 20 20:00:00 2026\n",
                  "From root Fri Nov 20 20:00:00 2026\n>From x@y Fri Nov 20 20:00:00 2026\n"):
        mail = sent(case, first + "Subject: s\n\nFrom me to you\n", box=box, me=me)
        case.same(mail.field("Subject"), "s", first)
        case.holds(b"root Fri" not in mail.raw and b"x@y Fri" not in mail.raw, first)
        case.same(mail.body, b"From me to you\r\n")


def test_R38_no_header_no_body_or_nothing(case):
    box = case.box()
    me = case.person(box)
    mail = sent(case, "just text\nmore: text here\n", box=box, me=me)
    case.same(mail.body, b"just text\r\nmore: text here\r\n")
    mail = sent(case, "Subject: only a header\n", box=box, me=me)
    case.same((mail.field("Subject"), mail.body), ("only a header", b""))
    mail = sent(case, "", box=box, me=me)
    case.same(mail.body, b"")
    mail = sent(case, "\nonly a body\n", box=box, me=me)
    case.same(mail.body, b"only a body\r\n")
    mail = sent(case, "Subject: s\nthis is no field\nX: y\n\nbody\n", box=box, me=me)
    case.same(mail.body, b"this is no field\r\nX: y\r\n\r\nbody\r\n")
    for mail in box.mails():
        case.same([len(mail.fields(name)) for name in ("Date", "Message-ID", "From", "To")], [1, 1, 1, 1])


def test_R39_return_path_and_content_length_are_dropped(case):
    mail = sent(case, "Return-Path: <bounce@example.org>\nContent-Length: 7\nSubject: s\n\nx\n")
    case.same((mail.fields("Return-Path"), mail.fields("Content-Length")), ([], []))
    case.same(mail.sender, "me@sandbox.example")


def test_R40_raw_8_bit_header_text_is_encoded_and_asks_for_no_smtputf8(case):
    box = case.box("--without", "SMTPUTF8")
    me = case.person(box)
    mail = sent(case, "Subject: Füße auf dem Tisch\nFrom: Zoë <me@sandbox.example>\nTo: Ünï <ann@example.org>\n\nx\n", box=box, me=me)
    case.holds(mail.head.isascii(), f"raw 8-bit header left: {mail.head!r}")
    parsed = mail.parsed()
    case.same(str(parsed["Subject"]), "Füße auf dem Tisch")
    case.same(parsed["From"].addresses[0].display_name, "Zoë")
    case.same(parsed["To"].addresses[0].display_name, "Ünï")
    case.holds("SMTPUTF8" not in mail.parameters, mail.parameters)
    mail = sent(case, b"Subject: latin \xe9\nX-Other: \xff\xfe\n\nx\n", box=box, me=me)
    case.holds(mail.fields("Subject")[0].startswith(("latin", "=?")), "a Latin-1 subject is never refused")


def test_R40_utf8_addresses(case):
    box = case.box()
    me = case.person(box)
    mail = sent(case, BODY, "-i", "ann@exämple.org", box=box, me=me)
    case.same(mail.recipients, ["ann@xn--exmple-cua.org"])
    case.holds("SMTPUTF8" not in mail.parameters, mail.parameters)
    mail = sent(case, BODY, "-i", "böb@example.org", box=box, me=me)
    case.same(mail.recipients, ["böb@example.org"])
    case.matches(mail.parameters, "SMTPUTF8")
    old = case.box("--without", "SMTPUTF8")
    case.person(old, name="old").send("-i", "böb@example.org").failed(65, r"not sent \(work\): .*")


def test_R41_8_bit_bodies_without_mime_fields_get_them(case):
    box = case.box()
    me = case.person(box)
    mail = sent(case, "Subject: at\nTo: ann@example.org\n\nGrüße\n", "-i", "ann@example.org", box=box, me=me)
    case.same(mail.parsed().get_content(), "Grüße\r\n")
    case.same(mail.field("MIME-Version"), "1.0")
    case.matches(mail.field("Content-Type"), "(?i)^text/plain; *charset=\"?utf-8")
    mail = sent(case, "Subject: at\n\nplain\n", box=box, me=me)
    case.same(mail.fields("Content-Type"), [])
    mail = sent(case, "Subject: s\nMIME-Version: 1.0\nContent-Type: text/plain; charset=iso-8859-1\n"
                      "Content-Transfer-Encoding: 8bit\n\n".encode() + b"caf\xe9\n", box=box, me=me)
    case.same(mail.body, b"caf\xe9\r\n")


def test_R41_a_server_without_8bitmime_gets_re_encoded_parts(case):
    box = case.box("--without", "8BITMIME")
    me = case.person(box)
    mail = sent(case, "Subject: s\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n"
                      "Content-Transfer-Encoding: 8bit\n\nGrüße an alle\n", box=box, me=me)
    case.holds(mail.raw.isascii(), "8-bit bytes for a 7-bit server")
    case.same(mail.parsed().get_content().replace("\r\n", "\n"), "Grüße an alle\n")
    signed = ("Subject: s\nMIME-Version: 1.0\nContent-Type: multipart/signed; boundary=b; protocol=\"application/pgp-signature\"; "
              "micalg=pgp-sha256\n\n--b\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\nGrüße\n--b\n"
              "Content-Type: application/pgp-signature\n\nx\n--b--\n")
    result = me.send("-i", "ann@example.org", text=FROM + signed)
    result.failed(65, r"not sent( \(work\))?: .*sign.*")


def test_long_lines_are_re_encoded(case):
    box = case.box()
    me = case.person(box)
    long = "word " * 700
    mail = sent(case, f"Subject: s\n\n{long}\nshort\n", box=box, me=me)
    case.holds(max(map(len, mail.raw.split(b"\r\n"))) <= 998, "a line over 998 octets left")
    case.same(mail.parsed().get_content().replace("\r\n", "\n"), f"{long}\nshort\n")
    subject = "s " + "subject " * 300
    mail = sent(case, f"Subject: {subject.strip()}\n\nx\n", box=box, me=me)
    case.holds(max(map(len, mail.raw.split(b"\r\n"))) <= 998, "a header line over 998 octets left")
    case.same(mail.parsed()["Subject"].split(), subject.split())


def test_nul_bytes(case):
    box = case.box()
    me = case.person(box)
    me.send("-i", "ann@example.org", text=b"Subject: a\x00b\n\nx\n").failed(65, "not sent.*")
    mail = sent(case, b"Subject: s\n\nbefore\x00after\nend\n", box=box, me=me)
    case.holds(b"\x00" not in mail.raw, "a NUL left as it was")
    case.same(mail.parsed().get_content().encode("latin-1").replace(b"\r\n", b"\n"), b"before\x00after\nend\n")


def test_a_loop_is_ended(case):
    box = case.box()
    me = case.person(box)
    sent(case, "Received: by x; y\n" * 20 + BODY, box=box, me=me)
    me.send("-i", "ann@example.org", text="Received: by x; y\n" * 31 + BODY).failed(65, "not sent.*(loop|circle|Received).*")
    case.same(len(box.mails()), 1)


def test_header_mending(case):
    mail = sent(case, "Subject : spaced\nX-Folded: one\n \n\ttwo\nTo: ann@example.org\n\nbody\n")
    case.same(mail.field("Subject"), "spaced")
    case.same(mail.field("X-Folded").split(), ["one", "two"])
    case.same(mail.body, b"body\r\n")


def test_a_signed_message_keeps_its_bytes(case):
    body = (b"--b\nContent-Type: text/plain\n\nline with blank at the end \n-- \nme\n--b\n"
            b"Content-Type: application/pgp-signature\n\nx\n--b--\n")
    mail = sent(case, FROM.encode() + b"Subject: s\nMIME-Version: 1.0\nContent-Type: multipart/signed; boundary=b; micalg=pgp-sha256;\n"
                b" protocol=\"application/pgp-signature\"\n\n" + body)
    case.same(mail.body, body.replace(b"\n", b"\r\n"))


RECORDED = ("actionmailer", "cron-3", "cron-4", "emacs-message", "git-default", "git-envsender", "mailutils-t", "mutt-default",
            "mutt-env", "nodemailer-2", "perl-emailsender", "php-basic", "php-headers-lf", "phpmailer-sendmail-bou", "ruby-mail",
            "s-nail-from", "symfony-1", "uu")


@weight(3)
def test_recorded_callers_are_served_as_they_call(case):
    """argv and standard input of real programs: taken, and the body leaves as it came, but for the line ends."""
    box = case.box()
    me = case.person(box, main="local_mail_to = ops@example.net", account="rewrite_from = always")
    for name in RECORDED:
        head, _, text = (pathlib.Path(__file__).resolve().parents[1] / "corpus" / "recorded" / f"{name}.case").read_bytes().partition(
            b"\n")
        recorded = json.loads(head)
        result = me.send(*recorded["argv"], text=text)
        case.same((result.code, result.err), (0, ""), name)
        mail = box.mails()[-1]
        _, _, body = re.sub(rb"\r?\n", b"\r\n", text).partition(b"\r\n\r\n")
        body = body if body.endswith(b"\r\n") or not body else body + b"\r\n"
        case.same(mail.body, body, name)
        case.holds(not re.search(rb"(?im)^(resent-)?bcc\s*:", mail.head), f"{name}: Bcc leaked")
