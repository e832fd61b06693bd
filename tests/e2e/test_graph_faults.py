"""The catalogue of faults of Graph, G1 to G9: for each the exit code, the words, the state in the log, and how many copies there are."""

from rig import weight
from test_graph import person, with_attachment

SMALL = "To: ann@example.org\nSubject: s\n\nx\n"
LARGE = with_attachment(2_000_000)[1]
TOO_LARGE = with_attachment(2_500_000)[1]

# name, stage, fault, message, exit code, what the line says behind "not sent (work): ", state in the log, copies
FAULTS = (
    ("G1 429", "graph.send", {"status": 429, "code": "ApplicationThrottled", "retry_after": 7}, SMALL, 69,
     r"provider limit, too many requests \(ApplicationThrottled\); try again after 7 s \[server: .*\]", "deferred", 0),
    ("G1 503 of a limit", "graph.send", {"status": 503, "code": "ApplicationThrottled"}, SMALL, 69,
     r"provider limit, too many requests \(ApplicationThrottled\); try again \[server: .*\]", "deferred", 0),
    *((f"G2 {status}", "graph.send", {"status": status, "keep": True}, SMALL, 69, None, "unknown", 1) for status in (500, 502, 503, 504)),
    ("G2 reset", "graph.send", {"action": "reset"}, SMALL, 69, None, "unknown", 0),
    ("G2 garbage", "graph.send", {"action": "garbage"}, SMALL, 69, None, "unknown", 0),
    ("G3 reset before the body", "graph.request", {"action": "reset"}, LARGE, 69, r"cannot reach 127\.0\.0\.1:\d+ \(.*\); try again", "deferred", 0),
    ("G4 202 with Retry-After and a body", "graph.send", {"status": 202, "retry_after": 9, "body": "{}", "keep": True}, SMALL, 0, "", "sent", 1),
    ("G4 200", "graph.send", {"status": 200}, SMALL, 69, None, "unknown", 0),
    ("G4 204", "graph.send", {"status": 204, "keep": True}, SMALL, 69, None, "unknown", 1),
    ("G4 redirect", "graph.send", {"redirect": "https://127.0.0.1:1/"}, SMALL, 78,
     r"Graph endpoint answered 302; check graph_endpoint of work", "held", 0),
    ("G5 400", "graph.send", {"status": 400, "code": "ErrorMimeContentConversionFailed"}, SMALL, 65,
     r"provider cannot read the message \(ErrorMimeContentConversionFailed\); check its MIME structure", "refused", 0),
    ("G5 no recipient", "graph.send", {"status": 400, "code": "ErrorInvalidRecipients"}, SMALL, 67,
     r"provider refuses a recipient \(ErrorInvalidRecipients\); check the addresses", "refused", 0),
    ("G5 403", "graph.send", {"status": 403, "code": "ErrorAccessDenied"}, SMALL, 78,
     r"app may not send for me@sandbox\.example \(ErrorAccessDenied\); grant the app Mail\.Send, .*", "held", 0),
    ("G5 404", "graph.send", {"status": 404, "code": "ErrorInvalidUser"}, SMALL, 78,
     r"provider does not know me@sandbox\.example \(ErrorInvalidUser\); check user and graph_endpoint of work", "held", 0),
    ("G5 413", "graph.send", {"status": 413}, SMALL, 65,
     r"message is too large for Graph \(ErrorMessageSizeExceeded\); send less, a link, or over SMTP", "refused", 0),
    ("G6 202 lost", "graph.send", {"action": "close", "keep": True}, SMALL, 69, None, "unknown", 1),
    ("G7 too large", None, {}, TOO_LARGE, 65, r"message is too large \(3\.\d MB, Graph takes 3\.0 MB\); set graph_large = smtp or upload, .*", "refused", 0),
    ("G8 huge answer", "graph.send", {"status": 400, "body": "x" * 1000, "repeat": 20_000}, SMALL, 65,
     r"provider refuses the message \(400\); correct it, then send again", "refused", 0),
    ("G8 broken JSON", "graph.send", {"status": 500, "body": "{\"error\":" + "[" * 5000}, SMALL, 69, None, "unknown", 0),
)
UNKNOWN = r"outcome unknown, may have been delivered \(work\): .*"


@weight(5)
def test_G1_to_G9_each_with_its_outcome_and_nothing_twice_unless_unknown_was_logged(case):
    box = case.box()
    log = case.folder / "mail.log"
    me = person(case, box, main=f"log = {log}")
    me.send("-t", "-i", text=SMALL).succeeded()
    before = len(box.mails())
    for name, stage, fault, text, code, words, state, copies in FAULTS:
        if stage:
            box.fault(stage, **fault)
        result = me.send("-t", "-i", text=text)
        case.same(result.code, code, f"{name}: {result!r}")
        if code:
            case.matches(result.err, "^sendmail: " + (UNKNOWN if words is None else r"not sent \(work\): " + words), name)
        line = log.read_text().splitlines()[-1]
        case.matches(line, f" status={state} ", name)
        case.same(len(box.mails()) - before, copies, name)
        # What a script does: again, when that may help. A second copy is only there where the log had said so.
        box.reset()
        if code == 69:
            me.send("-t", "-i", text=text).succeeded()
            copies += 1
            case.same(len(box.mails()) - before, copies, name)
        case.holds(copies < 2 or state == "unknown", f"{name}: {copies} copies, and the log says {state}")
        before = len(box.mails())
