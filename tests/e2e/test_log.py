"""The log: one line of names and values for each attempt, in a file, on standard error, in syslog and the journal."""

import os
import re

from test_graph import person


def lines(path):
    return path.read_text().splitlines() if path.exists() else []


def test_one_line_for_each_attempt(case):
    box = case.box()
    log = case.folder / "mail.log"
    me = case.person(box, main=f"log = {log}")
    me.send("-i", "ann@example.org", "bob@example.org").succeeded()
    me.send("-i", "ann@example.org", "fault+550-5.1.1@example.org").failed(67, ".*")
    sent, *refused = lines(log)
    case.matches(sent, r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ mailbearer\[\d+\]: id=[0-9a-f]{32} from=<me@sandbox\.example> "
                       r"to=<ann@example\.org>,<bob@example\.org> nrcpt=2 size=\d+ uid=0 account=work transport=smtp "
                       rf"relay=127\.0\.0\.1:{box.smtp_port} delay=\d\.\d\d delays=\d\.\d\d/0\.00/\d\.\d\d/\d\.\d\d status=sent reply=\"")
    case.holds(any("status=refused" in line and "dsn=5.1.1" in line and "fault+550" in line for line in refused), repr(refused))
    case.same(os.stat(log).st_mode & 0o777, 0o600)
    for secret in box.secrets():
        case.holds(secret not in log.read_text() and "eyJ" not in log.read_text(), "a secret is logged")


def test_graph_names_its_requests(case):
    box = case.box()
    log = case.folder / "mail.log"
    me = person(case, box, main=f"log = {log}")
    me.send("-i", "ann@example.org").succeeded()
    box.fault("graph.send", status=504)
    me.send("-i", "ann@example.org").failed(69, ".*outcome unknown.*|outcome unknown.*")
    me.send("-i", "ann@example.org", text="To: list@example.org\n\nx\n").failed(77, ".*")
    sent, unknown, refused = lines(log)
    asked = [line["client_request_id"] for line in box.journal() if line["event"] == "graph.send" and line.get("client_request_id")]
    for line, status in ((sent, "sent"), (unknown, "unknown")):
        case.matches(line, rf" transport=graph relay=127\.0\.0\.1:\d+ .* status={status} client-request-id=[0-9a-f-]{{36}}")
    case.matches(sent, r" request-id=[0-9a-f-]+ ")
    if asked:
        case.matches(sent, "client-request-id=" + asked[0])
    case.matches(refused, r"status=refused .*list@example\.org")


def test_refusals_before_any_attempt_are_told_too(case):
    box = case.box()
    log = case.folder / "mail.log"
    me = case.person(box, main=f"log = {log}")
    me.send("-i", "-f", "me@kernel.org", "ann@example.org").failed(77, ".*")
    me.send("-i", "ann@example.org", text=b"Received: x\n" * 31 + b"\nx\n").failed(65, ".*")
    policy, loop = lines(log)
    case.matches(policy, r"from=<me@kernel\.org> uid=0 .*status=refused reply=\"no account may send as me@kernel\.org")
    case.matches(loop, r"account=work .*status=refused reply=\"mail loop")


def test_addresses_may_stay_out_of_it(case):
    box = case.box()
    for word in ("hashed", "none"):
        log = case.folder / f"{word}.log"
        me = case.person(box, name=word, main=f"log = {log}\nlog_addresses = {word}")
        me.send("-i", "ann@example.org").succeeded()
        me.send("-i", "fault+550-5.1.1@example.org").failed(67, ".*")
        for line in lines(log):
            case.holds("@" not in line, line)
        case.same(len(lines(log)), 2)


def test_standard_error_and_no_log_at_all(case):
    box = case.box()
    said = case.person(box, main="log = stderr").send("-i", "ann@example.org")
    case.same((said.code, said.out), (0, ""))
    case.matches(said.err, r"^mailbearer\[\d+\]: id=[0-9a-f]{32} .* status=sent reply=\"[^\n]*\n$")
    case.person(box, name="quiet", main="log = none").send("-i", "ann@example.org").succeeded()
    # No journal and no syslog here, or one that nobody looks at: silence.
    case.person(box, name="usual").send("-i", "ann@example.org").succeeded()


def test_a_log_that_cannot_be_written_is_no_reason_to_fail(case):
    box = case.box()
    for number, place in enumerate((case.folder / "missing" / "log", case.folder, "/dev/full", "/proc/version", "journal", "syslog")):
        me = case.person(box, name=f"p{number}", main=f"log = {place}")
        me.send("-i", "ann@example.org").succeeded()
    # A pipe that nobody reads, and a standard error that is full.
    os.mkfifo(case.folder / "pipe")
    case.person(box, name="piped", main=f"log = {case.folder / 'pipe'}").send("-i", "ann@example.org").succeeded()
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    try:
        while True:
            os.write(writer, b"x" * 4096)
    except BlockingIOError:
        os.set_blocking(writer, True)
    full = case.person(box, name="full", main="log = stderr").send("-i", "ann@example.org", stderr=writer)
    os.close(reader)
    os.close(writer)
    case.same(full.code, 0)
    case.same(len(box.mails()), 8)


def test_A14_no_reply_forges_a_line(case):
    box = case.box()
    log = case.folder / "mail.log"
    me = person(case, box, main=f"log = {log}")
    box.fault("graph.send", status=400, code="Odd", message="a\r\nid=1 status=sent \"x\\\" \x1b[2J \u2028 end")
    me.send("-i", "ann@example.org").failed(65, ".*")
    (line,) = lines(log)
    case.holds(re.fullmatch(r"[ -~]+", line), repr(line))
    outside = re.sub(r'"(\\.|[^"\\])*"', "", line)
    case.same(outside.count("status="), 1)
