"""Exit codes and lines of design section 2, as the caller sees them, word for word."""

import os
import signal
import socket

from rig import BODY, weight
from watch import children_of

ANY = r'[^"\n]*'


def test_78_sign_in_expired(case):
    box = case.box()
    me = case.person(box)
    box.refresh_state("me@sandbox.example", "expired")
    me.send("-i", "ann@example.org").failed(
        78, r"not sent \(work\): sign-in expired \(AADSTS700082, unused for 90 days\); run: mailbearer login work")
    case.same(box.mails(), [])


def test_78_sign_in_revoked(case):
    box = case.box()
    me = case.person(box)
    box.refresh_state("me@sandbox.example", "revoked")
    me.send("-i", "ann@example.org").failed(
        78, r"not sent \(work\): sign-in revoked \(AADSTS50173, password changed\); run: mailbearer login work")


def test_78_no_refresh_token_stored(case):
    box = case.box()
    me = case.person(box, secrets=False)
    result = me.send("-i", "ann@example.org")
    result.failed(78, r"not sent \(work\): [^;]+; run: mailbearer login work.*")
    case.same(box.token_requests(), 0)


def test_78_client_secret_expired(case):
    box = case.box()
    me = case.person(box, accounts={"site": ""})
    box.secret_expired(True)
    me.send("-i", "ann@example.org").failed(
        78, r"not sent \(site\): client secret expired \(AADSTS7000222\); run: mailbearer secret set site client-secret")


def test_78_client_secret_wrong(case):
    box = case.box()
    me = case.person(box, accounts={"site": ""}, secrets=False)
    me.set_secret("site", "client-secret", "wrong")
    me.send("-i", "ann@example.org").failed(78, r"not sent \(site\): client secret is wrong \(AADSTS7000215\); .*")


def test_78_smtp_sign_in_is_off(case):
    box = case.box()
    me = case.person(box)
    box.smtp_auth("me@sandbox.example", False)
    me.send("-i", "ann@example.org").failed(
        78, r"not sent \(work\): SMTP sign-in is off for me@sandbox\.example; run: mailbearer login work --transport graph "
            rf'\[server: "535 5\.7\.139 {ANY}"\]')


def test_78_server_refuses_the_token(case):
    box = case.box()
    # shared@ is no mailbox that the application may open.
    me = case.person(box, accounts={"site": "user = shared@sandbox.example"})
    me.send("-i", "ann@example.org").failed(
        78, r"not sent \(site\): server refuses the token for shared@sandbox\.example; run: mailbearer doctor site "
            rf'\[server: "535 5\.7\.3 {ANY}"\]')
    # One fresh token, one more try, and no more.
    case.same(box.token_requests(), 2)
    case.same(box.count("smtp.auth.refused"), 2)


def test_78_a_mailbox_limit_of_the_tenant_s_policy_has_its_words(case):
    box = case.box()
    me = case.person(box)
    for reply, text in (
            ("535 5.7.139 Authentication unsuccessful, the request did not meet the criteria to be authenticated successfully.",
             r"a sign-in policy of the organization blocks me@sandbox\.example; ask its administrator about Conditional Access"),
            ("535 5.7.139 Authentication unsuccessful, user is locked by your organization's security defaults policy.",
             r"security defaults of the organization block SMTP for me@sandbox\.example; "
             r"run: mailbearer login work --transport graph")):
        box.fault("auth", reply=reply, times=2)
        me.send("-i", "ann@example.org").failed(78, rf"not sent \(work\): {text} \[server: \"{ANY}\"\]")
        box.reset()


def test_77_may_not_send_as(case):
    box = case.box()
    me = case.person(box, account="from = me@sandbox.example x@contoso.com")
    me.send("-i", "-f", "x@contoso.com", "ann@example.org").failed(
        77, r"not sent \(work\): me@sandbox\.example may not send as x@contoso\.com; grant Send As, or set rewrite_from = always "
            rf'\[server: "550 5\.7\.60 {ANY}"\]')


def test_69_cannot_reach_the_server(case):
    box = case.box()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        me = case.person(box, account=f"smtp_port = {port}")
        me.send("-i", "ann@example.org").failed(69, rf"not sent \(work\): cannot reach 127\.0\.0\.1:{port} \([^)]+\); .*")


@weight(3)
def test_69_the_server_does_not_answer_the_connection(case):
    box = case.box()
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        waiting = []
        for _ in range(3):
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
            waiting.append(one)
        me = case.person(box, account=f"smtp_port = {port}\ntimeout = 2s")
        result = me.send("-i", "ann@example.org")
        for one in waiting:
            one.close()
    result.failed(69, rf"not sent \(work\): cannot reach 127\.0\.0\.1:{port} \(timed out after 2 s[^)]*\); try again")


def test_69_the_name_does_not_resolve(case):
    box = case.box()
    me = case.person(box, account="smtp_host = no-such-host.invalid")
    me.send("-i", "ann@example.org").failed(69, r"not sent \(work\): [^;]*no-such-host\.invalid[^;]*; .*")


def test_69_provider_limit(case):
    box = case.box("--limit-messages-per-minute", "1")
    me = case.person(box, accounts={"site": ""})
    me.send("-i", "ann@example.org").succeeded()
    me.send("-i", "ann@example.org").failed(
        69, rf'not sent \(site\): provider limit, 30 messages a minute; try again after 40 s \[server: "432 4\.3\.2 {ANY}"\]')
    case.same(len(box.mails()), 1)


def test_67_recipient_refused(case):
    box = case.box()
    me = case.person(box)
    me.send("-i", "fault+550-5.1.1@example.org").failed(
        67, r"not sent \(work\): server does not know fault\+550-5\.1\.1@example\.org; check the address "
            rf'\[server: "550 5\.1\.1 {ANY}"\]')


@weight(2)
def test_all_or_nothing_with_one_of_three_refused(case):
    box = case.box()
    me = case.person(box)
    for refused, code in (("fault+550-5.1.1@example.org", 67), ("fault+451-4.7.500@example.org", 69)):
        for order in ((refused, "a@example.org", "b@example.org"), ("a@example.org", refused, "b@example.org"),
                      ("a@example.org", "b@example.org", refused)):
            me.send("-i", *order).failed(code, r"not sent \(work\): .*" + refused.replace("+", r"\+").replace(".", r"\.") + ".*")
    case.same(box.mails(), [])
    case.same(box.count("smtp.kept") + box.count("smtp.end"), 0)


def test_65_too_many_recipients_names_the_limit(case):
    box = case.box()
    me = case.person(box, account="max_recipients = 3")
    me.send("-i", *(f"r{n}@example.org" for n in range(4))).failed(65, r"not sent \(work\): [^;]*3[^;]*; .*")
    me.send("-i", *(f"r{n}@example.org" for n in range(3))).succeeded()


def test_65_too_big(case):
    box = case.box("--size-limit", "20000")
    me = case.person(box)
    big = BODY + "A line of a message that is too large.\n" * 1000
    result = me.send("-i", "ann@example.org", text=big)
    result.failed(65, r"not sent \(work\): .*")
    case.same(box.count("smtp.mail") <= 1 and box.count("smtp.data") == 0, True, "found out before the data")
    own = case.person(case.box(), name="own", account="max_size = 10k")
    own.send("-i", "ann@example.org", text=big).failed(65, r"not sent \(work\): .*")


def test_65_content_refused(case):
    box = case.box()
    me = case.person(box)
    me.send("-i", "fault+554-5.6.0-at-end@example.org").failed(
        65, rf'not sent \(work\): server cannot read the message; check its MIME structure \[server: "554 5\.6\.0 {ANY}"\]')


def test_74_standard_input_is_a_folder(case):
    box = case.box()
    me = case.person(box)
    folder = os.open(case.folder, os.O_RDONLY)
    me.send("-i", "ann@example.org", stdin=folder).failed(74, "not sent: cannot read standard input: Is a directory.*")
    os.close(folder)
    case.same(box.count("smtp.connect"), 0)


def test_74_standard_input_is_open_for_writing_only(case):
    box = case.box()
    me = case.person(box)
    with open(case.folder / "out", "wb") as write_only:
        me.send("-i", "ann@example.org", stdin=write_only).failed(74, "not sent: cannot read standard input: .*")
    case.same(box.count("smtp.connect"), 0)


@weight(4)
def test_outcome_unknown_when_the_last_reply_is_lost(case):
    box = case.box()
    me = case.person(box, account="timeout = 1s")
    result = me.send("-i", "fault+close-after-dot@example.org")
    result.failed(69, r"outcome unknown, may have been delivered \(work\): .*")
    case.same(len(box.mails()), 1, "the sandbox has kept it")
    result = me.send("-i", "fault+reset-after-dot@example.org")
    result.failed(69, r"outcome unknown, may have been delivered \(work\): .*")


def test_76_what_the_server_speaks_is_no_smtp(case):
    box = case.box()
    me = case.person(box)
    box.fault("banner", action="garbage")
    me.send("-i", "ann@example.org").failed(76, r"not sent \(work\): 127\.0\.0\.1:\d+ sent .* before its greeting; .*")
    case.same(box.mails(), [])


def test_delivery_by_queue_needs_an_agent(case):
    box = case.box()
    for word in ("queue", "now-else-queue"):
        me = case.person(box, name=word, main=f"delivery = {word}")
        me.send("-i", "ann@example.org").failed(
            78, r"not sent \(work\): delivery = (queue|now-else-queue) needs a running agent; start the agent, or set delivery = now")
    now = case.person(box, name="now", main="delivery = now")
    now.send("-i", "-odq", "ann@example.org").succeeded()


def test_an_agent_that_dies_is_no_success(case):
    box = case.box()
    me = case.person(box)
    box.fault("end", delay_ms=5000)
    process = me.start("-i", "ann@example.org")
    process.stdin.write(BODY.encode())
    process.stdin.close()
    case.wait_for(lambda: box.count("smtp.data") > 0, "the delivery")
    for pid in children_of(process.pid):
        os.kill(pid, signal.SIGKILL)
    code = process.wait(10)
    err = process.stderr.read().decode()
    case.same(code, 69, err)
    case.matches(err, "^sendmail: outcome unknown, may have been delivered")

