"""fallback = ACCOUNT, and graph_large = smtp: another way for what an account cannot carry, and never for what may have gone."""

from rig import weight
from test_graph import sends, with_attachment

STRAY = "To: list@example.org, ann@example.org\nSubject: s\n\nx\n"


def two(case, box, work="", backup="", main="", **how):
    """`work` by Graph with a fallback `backup` by SMTP, of another mailbox."""
    second = f"user = scanner@sandbox.example\n{backup}"
    accounts = {"work": box.graph(extra=f"fallback = backup\n{work}"), "backup": second}
    me = case.person(box, accounts=accounts, main=main, secrets=False, **how)
    me.set_secret("work", "refresh-token", box.refresh_token("me@sandbox.example"))
    me.set_secret("backup", "refresh-token", box.refresh_token("scanner@sandbox.example"))
    return me


def test_what_graph_would_misdeliver_goes_by_the_fallback(case):
    box = case.box()
    me = two(case, box)
    me.send("-i", "ann@example.org", text=STRAY).succeeded()
    mail = box.mail()
    case.same((mail.recipients, mail.user), (["ann@example.org"], "scanner@sandbox.example"))
    case.same(mail.field("To"), "list@example.org, ann@example.org")
    case.same((sends(box), box.count("graph.kept")), (0, 0))


def test_the_fallback_has_rules_of_its_own(case):
    """Prepared anew: what one account may send as, the other may not."""
    box = case.box()
    two(case, box).send("-i", "-f", "me@sandbox.example", "ann@example.org", text="From: me@sandbox.example\n" + STRAY).failed(
        77, r"not sent \(backup\): .*; in place of work \(Graph would also mail list@example\.org .*\)")
    case.same(box.mails(), [])
    rewriting = two(case, box, backup="rewrite_from = auto", name="rewriting")
    rewriting.send("-i", "-f", "me@sandbox.example", "ann@example.org", text="From: Me <me@sandbox.example>\n" + STRAY).succeeded()
    mail = box.mail()
    case.same((mail.sender, mail.field("From")), ("scanner@sandbox.example", "Me <scanner@sandbox.example>"))
    case.same(mail.field("Reply-To"), "Me <me@sandbox.example>")


def test_the_fallback_asks_who_may_use_it(case):
    """For root everything is allowed, so somebody else sends."""
    box = case.box()
    me = two(case, box, backup="allow_users = #4711", uid=54_321)
    me.send("-i", "ann@example.org", text=STRAY).failed(77, r"not sent \(backup\): local user \S+ may not use this account; .*")
    case.same(box.mails(), [])


def test_a_fallback_is_not_followed_further(case):
    box = case.box()
    accounts = {"work": box.graph(extra="fallback = backup"), "backup": box.graph(extra="fallback = third"), "third": ""}
    me = case.person(box, accounts=accounts)
    me.send("-i", "ann@example.org", text=STRAY).failed(77, r"not sent \(backup\): Graph would also mail .*in place of work .*")
    case.same(box.mails(), [])


def test_an_account_that_needs_a_person_is_stood_in_for(case):
    box = case.box()
    log = case.folder / "log"
    me = two(case, box, main=f"log = {log}")
    box.refresh_state("me@sandbox.example", "expired")
    me.send("-i", "ann@example.org").succeeded()
    case.same(box.mail().user, "scanner@sandbox.example")
    first, second = log.read_text().splitlines()
    case.matches(first, r" account=work transport=graph .* status=held next=backup .*sign-in expired")
    case.matches(second, r" account=backup transport=smtp .* status=sent ")
    # Both dead: the words are the fallback's, and name the other one, too.
    box.refresh_state("scanner@sandbox.example", "expired")
    me.forget_access_tokens()
    me.send("-i", "ann@example.org").failed(78, r"not sent \(backup\): sign-in expired .*; run: mailbearer login backup; "
                                                r"in place of work \(sign-in expired .*\).*")


@weight(3)
def test_never_after_what_may_have_gone_or_what_repeating_cures(case):
    box = case.box()
    me = two(case, box)
    for fault, state in (({"action": "reset", "keep": True}, "unknown"), ({"status": 504}, "unknown"), ({"status": 429}, ""),
                         ({"status": 400, "code": "ErrorMimeContentConversionFailed"}, ""), ({"status": 403, "code": "ErrorSendAsDenied"}, "")):
        box.fault("graph.send", **fault)
        result = me.send("-i", "ann@example.org")
        case.holds(result.code in (65, 69, 77) and ("unknown" in result.err) == bool(state), repr(result))
    case.same((box.count("smtp.auth"), len(box.mails())), (0, 1))


def test_G7_large_messages_go_by_smtp_settings_of_the_account_itself(case):
    """A token names one service: a second one is asked for, with the same refresh token."""
    box = case.box("--strict-rotation")
    smtp = f"smtp_host = 127.0.0.1\nsmtp_port = {box.smtp_port}\nsmtp_scope = https://outlook.office.com/SMTP.Send offline_access\nchunking = no"
    me = case.person(box, account=box.graph(extra=f"graph_large = smtp\n{smtp}"))
    _, text = with_attachment(2_500_000)
    for _ in range(2):
        me.send("-t", "-i", text=text).succeeded()
        me.send("-t", "-i", text="To: ann@example.org\n\nsmall\n").succeeded()
    case.same((len(box.mails()), sends(box), box.count("smtp.auth", outcome="235")), (4, 2, 2))
    case.same(box.count("smtp.auth", outcome="535"), 0)
    # A large message asks for no token of Graph, which would only rotate the refresh token behind the other one.
    me.send("-t", "-i", text=text).succeeded()
    before = box.token_requests()
    traced = me.send("-v", "-t", "-i", text=text)
    case.same((traced.code, box.token_requests() - before), (0, 0))
    case.matches(traced.out + traced.err, r"\* work: message is too large .*; now by work, SMTP")
    case.same({mail.user for mail in box.mails()}, {"me@sandbox.example"})
    # What is small enough stays with Graph's rule: the SMTP settings are for large messages.
    me.send("-i", "ann@example.org", text=STRAY).failed(77, r"not sent \(work\): Graph would also mail .*")


def test_G7_large_messages_go_by_the_fallback_first(case):
    box = case.box()
    smtp = f"smtp_host = 127.0.0.1\nsmtp_port = {box.smtp_port}\nsmtp_scope = https://outlook.office.com/SMTP.Send offline_access\nchunking = no"
    me = two(case, box, work=f"graph_large = smtp\n{smtp}")
    _, text = with_attachment(2_500_000)
    me.send("-t", "-i", text=text).succeeded()
    case.same((box.mail().user, sends(box)), ("scanner@sandbox.example", 0))


def test_G7_refuse_refuses_with_a_fallback_too(case):
    box = case.box()
    me = two(case, box, work="graph_large = refuse")
    _, text = with_attachment(2_500_000)
    me.send("-t", "-i", text=text).failed(65, r"not sent \(work\): .*graph_large = smtp.*")
    case.same(box.mails(), [])
