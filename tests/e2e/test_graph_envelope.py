"""Callers whose header names others than the envelope, by Graph: each with strict, rewrite and a fallback by SMTP."""

from rig import BODY, weight
from test_graph import sends

ORIGINAL = ("Return-Path: <ann@elsewhere.example>\nReceived: from mx.elsewhere.example by mx.example.net; Fri, 20 Nov 2026 10:00:00 +0000\n"
            "From: Ann <ann@elsewhere.example>\nTo: Me <me@sandbox.example>, Zoe <zoe@elsewhere.example>\nCc: desk@elsewhere.example\n"
            "Message-ID: <1@elsewhere.example>\nDate: Fri, 20 Nov 2026 10:00:00 +0000\nSubject: plans\n\nHello.\n")

# name, arguments, text, the envelope
CALLERS = (
    # mutt's bounce: Resent-To, and the new recipient as an argument.
    ("resent", ("-oem", "-oi", "-f", "me@sandbox.example", "--", "new@example.org"),
     "Resent-From: Me <me@sandbox.example>\nResent-To: new@example.org\nResent-Date: Sat, 21 Nov 2026 10:00:00 +0000\n" + ORIGINAL,
     ["new@example.org"]),
    # The same with -t: the newest Resent- block says who.
    ("resent twice", ("-t", "-oi"),
     "Resent-From: me@sandbox.example\nResent-To: third@example.org\nResent-Cc: fourth@example.org\nReceived: by x; Fri, 20 Nov 2026 10:00:00 +0000\n"
     "Resent-From: other@elsewhere.example\nResent-To: me@sandbox.example\n" + ORIGINAL,
     ["fourth@example.org", "third@example.org"]),
    # procmail's `! address`: the message as it came, with its mbox line.
    ("procmail", ("-oi", "-f", "me@sandbox.example", "archive@example.org"),
     "From ann@elsewhere.example  Fri Nov 20 10:00:00 2026\n" + ORIGINAL, ["archive@example.org"]),
    # Pigeonhole's redirect.
    ("dovecot", ("-i", "-f", "me@sandbox.example", "--", "phone@example.org"),
     "X-Sieve: Pigeonhole Sieve 0.5.19\nX-Sieve-Redirected-From: me@sandbox.example\n" + ORIGINAL, ["phone@example.org"]),
    # A list's members, who stand in no header.
    ("list", ("-i", "-f", "me@sandbox.example", "one@example.org", "two@example.org"),
     "From: Me <me@sandbox.example>\nTo: Team <team@lists.example>\nList-Id: <team.lists.example>\nSubject: s\n\nx\n",
     ["one@example.org", "two@example.org"]),
)


def accounts(box, word):
    rules = "rewrite_from = auto"
    if word == "fallback":
        return {"work": box.graph(extra=f"{rules}\nfallback = backup"), "backup": rules}
    return {"work": box.graph(extra=f"{rules}\nenvelope = {word}")}


@weight(3)
def test_forwards_resends_and_lists_reach_the_envelope_or_nobody(case):
    for word in ("strict", "rewrite", "fallback"):
        box = case.box()
        me = case.person(box, name=word, accounts=accounts(box, word))
        for number, (name, arguments, text, envelope) in enumerate(CALLERS):
            result = me.send(*arguments, text=text)
            what = f"{word}, {name}: {result!r}"
            if word == "strict":
                case.same(result.code, 77, what)
                case.matches(result.err, "Graph would also mail .* set envelope = rewrite")
                case.same((sends(box), box.mails()), (0, []), what)
                continue
            case.same((result.code, result.err), (0, ""), what)
            case.same(len(box.mails()), number + 1, what)
            mail = box.mails()[-1]
            case.same(sorted(mail.recipients), envelope, what)
            case.same(mail.fields("Bcc") + mail.fields("Return-Path"), [], what)
            told = " ".join(mail.fields("X-Mailbearer-To" if word == "rewrite" else "To"))
            case.holds("zoe@elsewhere.example" in told or "team@lists.example" in told, what)
            if word == "fallback":
                case.same(mail.fields("X-Mailbearer-To"), [], what)
        case.same(sends(box) > 0, word == "rewrite")


def test_git_send_email_needs_no_rule(case):
    """It names its recipients in the header and as arguments alike."""
    box = case.box()
    me = case.person(box, account=box.graph())
    me.send("-f", "me@sandbox.example", "-i", "list@example.org", "maintainer@example.org", "zoë@example.org",
            text="From: Me <me@sandbox.example>\nTo: list@example.org\nCc: \"Ann (Maintainer)\" <maintainer@example.org>,\n"
                 "\tzoë@example.org\nSubject: [PATCH 1/2] Say hello\nMessage-Id: <1-me@sandbox.example>\nX-Mailer: git-send-email 2.39\n\n---\n").succeeded()
    mail = box.mail()
    case.same(sorted(mail.recipients), ["list@example.org", "maintainer@example.org", "zoë@example.org"])
    case.same(mail.fields("Bcc"), [])


def test_a_null_reverse_path_becomes_the_user_and_answers_nobody(case):
    box = case.box()
    me = case.person(box, account=box.graph())
    me.send("-i", "-f", "<>", "ann@example.org", text="From: me@sandbox.example\nTo: ann@example.org\n" + BODY).succeeded()
    mail = box.mail()
    case.same((mail.field("Auto-Submitted"), mail.field("X-Auto-Response-Suppress")), ("auto-replied", "All"))
    me.send("-i", "ann@example.org", text="To: ann@example.org\nAuto-Submitted: auto-generated\n" + BODY).succeeded()
    mail = box.mails()[-1]
    case.same((mail.field("Auto-Submitted"), mail.fields("X-Auto-Response-Suppress")), ("auto-generated", []))
