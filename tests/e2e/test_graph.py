"""transport = graph: the message by Microsoft Graph, to the envelope and to nobody else."""

import base64
import hashlib
import os

from rig import BODY, plain_build_only, weight
from watch import PeakMemory

UNKNOWN = r"outcome unknown, may have been delivered \(work\): .*"


def person(case, box, extra="", **how):
    return case.person(box, account=box.graph(extra=extra), **how)


def sends(box):
    return box.count("graph.send")


def with_attachment(size):
    data = os.urandom(size)
    lines = base64.encodebytes(data).decode()
    text = ("To: ann@example.org\nSubject: photos\nMIME-Version: 1.0\n"
            "Content-Type: multipart/mixed; boundary=edge\n\n--edge\nContent-Type: text/plain\n\nHere.\n--edge\n"
            "Content-Type: application/zip; name=photos.zip\nContent-Transfer-Encoding: base64\n"
            "Content-Disposition: attachment; filename=photos.zip\n\n" + lines + "--edge--\n")
    return data, text


def test_the_envelope_gets_it_and_nobody_else(case):
    box = case.box()
    me = person(case, box)
    me.send("-i", "ann@example.org", "bob@example.org", text="To: ann@example.org\nSubject: s\n\nhello\n").succeeded()
    mail = box.mail()
    case.same(sorted(mail.recipients), ["ann@example.org", "bob@example.org"])
    case.same(mail.field("To"), "ann@example.org")
    case.same(mail.fields("Bcc"), [])
    case.same(mail.body, b"hello\r\n")
    case.same(mail.user, "me@sandbox.example")


def test_bcc_of_t_is_delivered_and_does_not_leave(case):
    box = case.box()
    me = person(case, box)
    me.send("-t", "-i", text="To: ann@example.org\nBcc: audit@example.org\nCc: Team: bob@example.org, BOB@example.org;\n\nx\n").succeeded()
    mail = box.mail()
    case.same({one.lower() for one in mail.recipients}, {"ann@example.org", "audit@example.org", "bob@example.org"})
    case.same(mail.fields("Bcc"), [])
    case.holds(b"audit" not in mail.raw, "the hidden recipient shows")


def test_header_recipients_outside_the_envelope(case):
    """Design section 6: strict refuses; rewrite moves them to a field of its own."""
    box = case.box()
    text = "To: list@example.org, ann@example.org\nSubject: s\n\nx\n"
    person(case, box).send("-i", "ann@example.org", text=text).failed(77, r"not sent \(work\): .*")
    case.same((box.mails(), sends(box)), ([], 0))
    person(case, box, "envelope = rewrite", name="rewriter").send("-i", "ann@example.org", text=text).succeeded()
    mail = box.mail()
    case.same(mail.recipients, ["ann@example.org"])
    case.matches(mail.field("X-Mailbearer-To"), "list@example.org")


def test_a_resent_message_goes_to_the_new_recipients_only(case):
    box = case.box()
    me = person(case, box, "envelope = rewrite")
    me.send("-t", "-i", text="Resent-From: me@sandbox.example\nResent-To: new@example.org\nFrom: me@sandbox.example\n"
            "To: old@example.org\nSubject: s\n\nx\n").succeeded()
    case.same(box.mail().recipients, ["new@example.org"])


def test_two_megabytes_arrive_byte_for_byte(case):
    box = case.box()
    me = person(case, box)
    data, text = with_attachment(2_000_000)
    me.send("-t", "-i", text=text).succeeded()
    part = list(box.mail().parsed().iter_attachments())[0]
    case.same(hashlib.sha256(part.get_content()).hexdigest(), hashlib.sha256(data).hexdigest())


@plain_build_only
def test_three_megabytes_cost_the_helper_little_memory(case):
    box = case.box()
    me = person(case, box)
    _, text = with_attachment(2_160_000)
    case.holds(2_900_000 < len(text) < 3_000_000, f"{len(text)} octets")
    box.fault("graph.send", delay_ms=700)  # the helper is there to be looked at, after it has sent all
    process = me.start("-t", "-i")
    watch = PeakMemory(process.pid)
    process.stdin.write(text.encode())
    process.stdin.close()
    code = process.wait(60)
    peaks = watch.stop()
    case.same((code, process.stderr.read()), (0, b""))
    for program, limit in (("mailbearer-helper", 24), ("mailbearer-agent", 16)):
        case.holds(0 < peaks.get(program, 0) <= limit * 1024, f"{program}: {peaks} KiB, limit {limit} MiB")


def test_G5_a_claims_challenge_is_answered_once(case):
    box = case.box()
    me = person(case, box)
    claims = base64.b64encode(b'{"access_token":{"nbf":{"essential":true,"value":"1604106651"}}}').decode()
    challenge = f'Bearer realm="", error="insufficient_claims", claims="{claims}"'
    box.fault("graph.send", status=401, authenticate=challenge)
    me.send("-i", "ann@example.org").succeeded()
    case.same((sends(box), box.token_requests()), (2, 2))
    box.fault("graph.send", status=401, authenticate=challenge, times=10)
    me.send("-i", "ann@example.org").failed(78, r"not sent \(work\): .*")
    case.same((sends(box), len(box.mails())), (4, 1))


def test_G7_too_large_is_refused_before_anything_is_sent(case):
    box = case.box()
    me = person(case, box, "graph_large = refuse")
    _, text = with_attachment(2_500_000)
    me.send("-t", "-i", text=text).failed(65, r"not sent \(work\): .*")
    case.same((box.mails(), sends(box)), ([], 0))


def test_an_application_sends_for_its_mailbox(case):
    box = case.box()
    site = case.person(box, accounts={"site": box.graph(app=True)})
    site.send("-i", "ann@example.org").succeeded()
    case.same((box.mail().user, box.mail().sender), ("noreply@sandbox.example", "noreply@sandbox.example"))
    # A mailbox that the application was not given: 403 and nobody got it.
    other = case.person(box, name="other", accounts={"site": box.graph(app=True, extra="user = me@sandbox.example")})
    other.send("-i", "ann@example.org").failed(78, r"not sent \(site\): .*")
    case.same(len(box.mails()), 1)


def test_G5_one_fresh_token_for_a_refused_one(case):
    box = case.box()
    me = person(case, box)
    me.send("-i", "ann@example.org").succeeded()
    box.access_state("me@sandbox.example", "revoked")
    me.send("-i", "ann@example.org").succeeded()
    case.same((len(box.mails()), box.token_requests(), sends(box)), (2, 2, 3))
    # Refused for ever: two tries, and a person is needed.
    box.fault("graph.send", status=401, times=10)
    me.send("-i", "ann@example.org").failed(78, r"not sent \(work\): .*")
    case.same((len(box.mails()), sends(box)), (2, 5))


def test_G1_throttling_is_for_later(case):
    box = case.box()
    me = person(case, box)
    box.fault("graph.send", status=429, retry_after=17)
    me.send("-i", "ann@example.org").failed(69, r"not sent \(work\): provider limit, .*")
    case.same((box.mails(), sends(box)), ([], 1))


def test_G2_G6_no_answer_behind_the_body_is_unknown(case):
    box = case.box()
    me = person(case, box)
    for number, fault in enumerate(({"action": "close"}, {"action": "reset"}, {"action": "garbage"}, {"status": 504},
                                    {"status": 500}, {"status": 502})):
        for keep in (False, True):
            box.fault("graph.send", keep=keep, **fault)
            me.send("-i", "ann@example.org").failed(69, UNKNOWN)
        case.same((len(box.mails()), sends(box)), (number + 1, 2 * number + 2), f"{fault}: sent again")


def test_G3_a_connection_that_ends_before_the_body_is_plain(case):
    box = case.box()
    me = person(case, box)
    _, text = with_attachment(2_000_000)
    box.fault("graph.request", action="reset")
    result = me.send("-t", "-i", text=text).failed(69, r"not sent \(work\): .*")
    case.holds("unknown" not in result.err, repr(result))
    case.same(box.mails(), [])


def test_G4_only_202_is_success(case):
    box = case.box()
    me = person(case, box)
    for status in (200, 204):
        box.fault("graph.send", status=status)
        me.send("-i", "ann@example.org").failed(69, UNKNOWN)
    box.fault("graph.send", redirect="https://127.0.0.1:1/")
    result = me.send("-i", "ann@example.org")
    case.holds(result.code in (69, 76, 78), repr(result))
    case.same(box.mails(), [])
    box.fault("graph.send", status=202, retry_after=5, keep=True)
    me.send("-i", "ann@example.org").succeeded()
    case.same(len(box.mails()), 1)


def test_G5_refusals_have_their_exit_codes(case):
    box = case.box()
    me = person(case, box)
    for code, fault in ((65, {"status": 400, "code": "ErrorMimeContentConversionFailed"}), (65, {"status": 413}),
                        (70, {"status": 400, "code": "ErrorMimeContentInvalidBase64String"}),
                        (77, {"status": 403, "code": "ErrorSendAsDenied"}), (78, {"status": 403, "code": "ErrorAccessDenied"}),
                        (78, {"status": 404, "code": "ErrorInvalidUser"}), (69, {"status": 509})):
        box.fault("graph.send", **fault)
        me.send("-i", "ann@example.org").failed(code, r"not sent \(work\): .*")
    case.same(box.mails(), [])


@weight(3)
def test_G8_large_slow_and_broken_answers_are_bounded(case):
    box = case.box()
    me = person(case, box, "timeout = 2s")
    box.fault("graph.send", status=400, body="x" * 1000, repeat=100_000)
    result = me.send("-i", "ann@example.org")
    case.holds(result.code in (65, 69, 76), repr(result))
    box.fault("graph.send", status=400, body="{\"error\":" + "[" * 5000)
    me.send("-i", "ann@example.org").failed(65, r"not sent \(work\): .*")
    box.fault("graph.send", delay_ms=1500)
    me.send("-i", "ann@example.org").succeeded()
    case.same(len(box.mails()), 1)


def test_G9_headers_and_eight_bits_go_as_they_are(case):
    box = case.box()
    me = person(case, box)
    body = "".join(chr(value) for value in range(0xA1, 0x200)) + "\n" + "x" * 3000 + "\n"
    me.send("-i", "ann@example.org", text="To: Zoë <ann@example.org>\nSubject: Grüße\nMessage-ID: <mine@x.example>\n"
            "Auto-Submitted: auto-generated\nX-Mine: 1\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n"
            "Content-Transfer-Encoding: 8bit\n\n" + body).succeeded()
    mail = box.mail()
    case.same(mail.body, body.encode().replace(b"\n", b"\r\n"))
    case.same((mail.field("Message-ID"), mail.field("X-Mine"), mail.field("Auto-Submitted")),
              ("<mine@x.example>", "1", "auto-generated"))
    case.same(str(mail.parsed()["Subject"]), "Grüße")


def test_no_secret_shows(case):
    box = case.box()
    me = person(case, box)
    box.fault("graph.send", status=400, message="no")
    for arguments in (("-v", "-i"), ("-i",)):
        result = me.send(*arguments, "ann@example.org", text=BODY)
        for secret in box.secrets():
            case.holds(secret not in result.out + result.err, "a secret shows")
        case.holds("eyJ" not in result.out + result.err, "an access token shows")


def test_the_sandbox_writes_a_configuration_for_graph(case):
    box = case.box()
    ways = [{"MAILBEARER_CONFIG": box.facts[name]} for name in ("configuration", "graph_configuration")]
    sender = case.person(config="")
    for account in ("work", "site"):
        for environment in (*ways, *ways):
            sender.send("-a", account, "-i", "ann@example.org", environment=environment).succeeded()
    case.same((len(box.mails()), box.count("graph.kept")), (8, 4))
    # A cached token is for one service: changing the transport takes no refused request.
    case.same((box.count("graph.send", outcome="202"), sends(box)), (4, 4))
    case.same(box.count("smtp.auth", outcome="535"), 0)
