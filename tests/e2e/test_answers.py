"""What the caller hears: silence, one line, exit codes, and nothing that breaks its pipe (R10 to R17)."""

import time

from rig import BODY, weight

LONG = "Subject: long\n\n" + "A line of a caller that does not listen while it writes.\n" * 4000


def failing_calls(case, box):
    """(what, person, arguments, options of send): calls that end in most of the exit codes."""
    good = case.person(box, name="good")
    faulty = case.person(name="faulty", config="[mailbearer]\nx = 1\n")
    dead = case.person(box, name="dead", account="timeout = 1s", secrets=False)
    dead.set_secret("work", "refresh-token", "0.never-issued")
    cut_off = case.person(box, name="cut", account="smtp_port = 1")
    return [
        ("unknown option", good, ("-E", "ann@example.org")),
        ("refused mode", good, ("-bt",)),
        ("no recipient", good, ()),
        ("option behind a recipient", good, ("ann@example.org", "-oi")),
        ("bad recipient", good, ("two words@example.org",)),
        ("bad sender", good, ("-f", "-i", "ann@example.org")),
        ("no recipient in the header", good, ("-t",)),
        ("unknown account", good, ("-a", "wrok", "ann@example.org")),
        ("recipient refused", good, ("fault+550-5.1.1@example.org",)),
        ("deferred", good, ("fault+451-4.7.500@example.org",)),
        ("faulty configuration", faulty, ("ann@example.org",)),
        ("dead token", dead, ("ann@example.org",)),
        ("no connection", cut_off, ("ann@example.org",)),
        ("foreign sender", good, ("-f", "x@elsewhere.example", "ann@example.org")),
    ]


def test_R10_success_is_silent(case):
    box = case.box()
    me = case.person(box)
    for arguments in (("-i", "ann@example.org"), ("-t",), ("-t", "-i", "-fme@sandbox.example")):
        me.send(*arguments, text="To: bob@example.org\nSubject: s\n\nx\n").succeeded()
    case.same(len(box.mails()), 3)


@weight(3)
def test_R11_R13_R14_errors_are_short_exit_codes_are_known_and_the_pipe_is_drained(case):
    box = case.box()
    for what, person, arguments in failing_calls(case, box):
        result = person.send(*arguments, text=LONG)
        case.holds(64 <= result.code <= 78, f"{what}: {result!r}")
        case.holds(result.wrote_all, f"{what}: the writer met a broken pipe: {result!r}")
        case.same(result.out, "", what)
        case.matches(result.err, r"^sendmail: [^\n]{10,1500}\n$", what)
        case.matches(result.err, "^sendmail: (not sent|outcome unknown)", what)
    case.same(box.mails(), [])


def test_R11_a_server_that_talks_too_much(case):
    box = case.box()
    me = case.person(box)
    box.fault("rcpt", reply="\n".join(f"550-5.1.1 line {n} " + "words " * 60 for n in range(40)) + "\n550 5.1.1 \x1b[31mred")
    result = me.send("-i", "ann@example.org")
    result.failed(67, r"not sent \(work\): .*")
    case.holds(len(result.err) < 1500, f"{len(result.err)} bytes on stderr")
    case.holds("\x1b" not in result.err, "a control byte of the server on the caller's terminal")


def test_R11_the_cause_stands_before_column_80(case):
    box = case.box()
    me = case.person(box)
    line = me.send("-i", "fault+550-5.1.1@example.org").err
    case.holds(0 < line.find("fault+550-5.1.1@example.org;") < 80, line)


def test_R15_exit_0_only_after_the_provider_has_answered(case):
    box = case.box()
    me = case.person(box)
    box.fault("end", delay_ms=700)
    result = me.send("-i", "ann@example.org").succeeded()
    case.holds(result.seconds > 0.6, f"it answered after {result.seconds} s")
    case.same(len(box.mails()), 1)
    me.send("-i", "-odb", "fault+451-4.3.0-at-end@example.org").failed(69, r"not sent \(work\): .*")
    case.same(len(box.mails()), 1)


def test_R16_75_only_where_it_is_asked_for(case):
    box = case.box()
    me = case.person(box)
    me.send("-i", "fault+451-4.7.500@example.org").failed(69, r"not sent \(work\): .*")
    old = case.person(box, name="old", main="temporary_exit = 75")
    old.send("-i", "fault+451-4.7.500@example.org").failed(75, r"not sent \(work\): .*")
    box.token_fault(503)
    old.forget_access_tokens()
    old.send("-i", "ann@example.org").failed(75, r"not sent \(work\): .*")
    # The others keep their codes.
    old.forget_access_tokens()
    old.send("-i", "fault+550-5.1.1@example.org").failed(67, r"not sent \(work\): .*")


def test_R17_an_ordinary_delivery_is_quick(case):
    box = case.box()
    me = case.person(box)
    me.send("-i", "ann@example.org").succeeded()
    started = time.monotonic()
    me.send("-i", "ann@example.org").succeeded()
    case.holds(time.monotonic() - started < 5, "more than 5 s")
    case.same(len(box.mails()), 2)


@weight(4)
def test_R17_a_silent_server_is_given_up(case):
    box = case.box()
    me = case.person(box, account="timeout = 1s")
    result = me.send("-i", "fault+hang-at-data@example.org")
    result.failed(69, r"not sent \(work\): 127\.0\.0\.1:\d+ was silent for 2 s after DATA; try again")
    case.holds(result.seconds < 10, f"{result.seconds} s")
    case.same(box.mails(), [])


def test_quiet_says_nothing_and_still_tells_by_its_exit_code(case):
    box = case.box()
    me = case.person(box)
    result = me.send("-i", "-oeq", "fault+550-5.1.1@example.org")
    case.same((result.code, result.out, result.err), (67, "", ""))
    result = me.send("-i", "-oee", "fault+550-5.1.1@example.org")
    case.same(result.code, 67, "-oee must not hide a failure")


def test_verbose_shows_the_dialogue_without_secrets(case):
    box = case.box()
    me = case.person(box)
    result = me.send("-v", "-i", "ann@example.org", text=BODY)
    case.same((result.code, result.err), (0, ""))
    for word in ("EHLO", "STARTTLS", "AUTH XOAUTH2", "MAIL FROM:<me@sandbox.example>", "RCPT TO:<ann@example.org>", "250"):
        case.holds(word in result.out, f"no {word} in {result.out}")
    for secret in box.secrets():
        case.holds(secret not in result.out, "a secret in the trace")
    case.holds("user=me@sandbox.example" not in result.out, "the initial response in the trace")
    case.holds("dXNlcj1" not in result.out, "the initial response in the trace, in base64")
