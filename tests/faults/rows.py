"""What the rows of the table are made of: expectations, stages, and the kinds of server that make a difference there."""

import itertools

from stand import Case, Expect

NOT_SENT = r"not sent \(work\): "
LOST_WORDS = NOT_SENT + r".*(closed|cut off|reset|failed|broken|cannot reach).*; "
SENT = Expect((0,))
LOST = Expect((69,), LOST_WORDS)
SILENT = Expect((69,), NOT_SENT + r".*(silent|timed out).*; ")
NONSENSE = Expect((76,), NOT_SENT)
TEMPORARY = Expect((69,), NOT_SENT)
UNKNOWN = Expect((69,), r"outcome unknown, may have been delivered \(work\): ")
SENT_OR_UNKNOWN = Expect((0, 69), UNKNOWN.words)
PERMANENT = (65, 67, 76, 77, 78)

BEFORE = ("banner", "EHLO", "STARTTLS", "EHLO2")
SIGN_IN = ("AUTH", "AUTH-ready", "AUTH-challenge")
ENVELOPE = ("MAIL", "RCPT1", "RCPT2", "RCPT3")
CONTENT = ("DATA", "chunk", "BDAT", "end")
LARGE = ("mid-data", "chunk")  # a message that does not fit between two sockets
SERVERS = tuple(itertools.product((True, False), (True, False)))  # PIPELINING, CHUNKING

# timeout = 1s: twice that for a reply, six times for a piece of the content, twenty times for the last reply.
REPLY_S, PIECE_S, END_S, ATTEMPT_S, SLACK_S = 2, 6, 20, 30, 2.5


def at(point, stage, fault, expect, **more):
    """The cases of one fault at one stage: with each kind of server that makes a difference there."""
    for pipelining, chunking in servers_for(stage):
        case = Case(name="", expect=expect, faults={stage: fault}, pipelining=pipelining, chunking=chunking,
                    recipients=3 if stage in ("RCPT2", "RCPT3") else 1, large=stage in LARGE, waits=fault.waits)
        if stage in ("AUTH-ready", "AUTH-challenge"):
            case.keys = {"sasl_ir": "no"}
        if callable(expect):
            case.expect = expect(stage, case)
        if stage == "QUIT" and pipelining and not fault.mute and not fault.good:
            # QUIT rode along, so these words came with the verdict. Only a farewell proves that the verdict was one,
            # and not the answer to something before it; words that come later are not waited for.
            case.expect = SENT_OR_UNKNOWN
        case.again = pipelining and chunking and not fault.waits
        case.met = stage != "QUIT"  # it need not be sent where it cannot ride along
        for key, value in more.items():
            setattr(case, key, value)
        if stage == "chunk":
            case.limit = PIECE_S + SLACK_S
        if fault.waits:
            case.limit = {"mid-data": PIECE_S, "chunk": PIECE_S, "end": END_S}.get(stage, REPLY_S) + SLACK_S
            if end_has_left(stage, case):
                case.limit = END_S + SLACK_S
        case.name = f"{point} {fault.name} at {stage}{kind_of(case)}"
        yield case


def servers_for(stage):
    if stage == "DATA":
        return [server for server in SERVERS if not server[1]]
    if stage in ("BDAT", "chunk"):
        return [server for server in SERVERS if server[1]]
    return SERVERS if stage in ENVELOPE + CONTENT + ("mid-data", "QUIT") else SERVERS[:1]


def kind_of(case):
    return f" ({'+' if case.pipelining else '-'}PIPELINING {'+' if case.chunking else '-'}CHUNKING)"


def end_has_left(stage, case):
    """The end of the message is on its way when the client waits for this stage's reply: with BDAT the content follows
    its command at once, and to a single recipient it goes in one flight with MAIL and RCPT."""
    if stage == "end":
        return True
    if case.large or not case.chunking:
        return False
    return stage == "BDAT" or case.pipelining and case.recipients == 1 and stage in ("MAIL", "RCPT1")


def lost_or(otherwise):
    """`otherwise`, unless the end of the message has left."""

    def expect(stage, case):
        if stage == "QUIT":
            return SENT
        if stage == "chunk" and case.pipelining:
            # The chunks are sent ahead: how many is a matter of buffers. A server that writes without reading may
            # keep the client at its own writing, until the deadline of a piece.
            return Expect(tuple({*otherwise.codes, 69}), f"{otherwise.words}|{SILENT.words}|{UNKNOWN.words}")
        return UNKNOWN if end_has_left(stage, case) else otherwise

    return expect


def everywhere(with_quit=True):
    return BEFORE + SIGN_IN + ENVELOPE + CONTENT + (("QUIT",) if with_quit else ())


def kind_of_words(pipelining, chunking):
    return kind_of(Case("", None, pipelining=pipelining, chunking=chunking)).strip()
