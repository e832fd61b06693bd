"""The rows P1 to P8: what a server may do wrong in the dialogue itself. See table.py."""

import base64
import itertools

from faults import (
    CLOSE, DRIP, ENDLESS_BLANKS, ENDLESS_LINE, ENDLESS_REPLY, ENDLESS_TEXT, GARBAGE, ODD_BUT_VALID, RESET, SILENCE,
    SLOW_LINES, SLOW_READING, STALL, Fault, early, says, sleep_then_answer, surplus)
from rows import (
    ATTEMPT_S, BEFORE, CONTENT, END_S, ENVELOPE, LOST, NONSENSE, NOT_SENT, PERMANENT, PIECE_S, SENT, SERVERS, SIGN_IN,
    SILENT, SLACK_S, TEMPORARY, UNKNOWN, at, end_has_left, everywhere, kind_of_words, lost_or)
from stand import Case, Expect

# --- P1, P2: the connection ends, or nothing comes.

def p1():
    yield Case("P1 nobody listens", Expect((69,), NOT_SENT + "cannot reach 127.0.0.1:"), bind=None, met=False)
    for fault in (CLOSE, RESET):
        for stage in everywhere() + ("mid-data",):
            yield from at("P1", stage, fault, lost_or(LOST), pinned=stage in ("banner", "MAIL", "end"))
        yield from at("P1 implicit TLS,", "banner", fault, LOST, implicit=True)
    for stage in BEFORE[3:] + SIGN_IN[:1] + ENVELOPE[:2] + CONTENT:
        yield from at("P1 TLS 1.2,", stage, CLOSE, lost_or(LOST), tls=("good", "TLSv1_2", None))
        yield from at("P1 resumed,", stage, CLOSE, lost_or(LOST), before=True, resumes=True)


def p2():
    for fault in (SILENCE, DRIP, SLOW_LINES):
        for stage in everywhere():
            for case in at("P2", stage, fault, lost_or(SILENT), pinned=fault is SILENCE and stage in ("banner", "RCPT1")):
                if stage == "QUIT":
                    case.waits, case.limit = False, 4.0
                yield case
    for fault in (STALL, SLOW_READING):
        yield from at("P2", "mid-data", fault, SILENT)
    # Each step within its own deadline, and yet no end: the deadline of the attempt.
    late = sleep_then_answer(1.5)
    stages = [*everywhere(with_quit=False), *(f"RCPT{number}" for number in range(4, 31))]
    yield Case("P2 every reply late", SILENT, faults={stage: late for stage in stages}, pipelining=False, chunking=False,
               recipients=30, waits=True, limit=ATTEMPT_S + SLACK_S)
    yield from (case for stage in ("banner", "AUTH", "RCPT1", "end")
                for case in at("P2 late but in time,", stage, sleep_then_answer(1), SENT))


# --- P3, P4: the server says no.

def p3():
    for code in ("421", "450", "451", "452", "454", "432"):
        for stage in everywhere(with_quit=False):
            yield from at("P3", stage, says(f"{code} 4.3.0 not now"), TEMPORARY, pinned=code == "421" and stage in ("EHLO2", "DATA"))
        yield from at("P3", "QUIT", says(f"{code} 4.3.0 not now"), SENT)


def p4():
    for code in ("500", "501", "502", "504", "530", "535", "550", "552", "553", "554"):
        for stage in everywhere(with_quit=False):
            expect = permanent_at(stage, code)
            yield from at("P4", stage, says(f"{code} no"), expect, pinned=code == "550" and stage in ("MAIL", "end"),
                          **({"check": one_refresh} if code == "535" and stage in ("AUTH", "AUTH-challenge") else {}))
        yield from at("P4", "QUIT", says(f"{code} no"), SENT)
    known = [
        ("MAIL", "550 5.7.60 may not send as", (77,)), ("MAIL", "550 5.1.8 Access denied, bad outbound sender", (77,)),
        ("RCPT1", "550 5.7.1 Unable to relay", (67,)), ("RCPT1", "550 5.1.1 no such user", (67,)),
        ("RCPT1", "550 5.1.10 RESOLVER.ADR.RecipientNotFound", (67,)), ("RCPT1", "552 5.2.2 mailbox full", (67,)),
        ("end", "550 5.7.60 SMTP; Client does not have permissions to send as this sender", (77,)),
        ("end", "554 5.2.0 SubmissionQuotaExceededException", (69,)), ("end", "552 5.3.4 Message too big", (65,)),
        ("end", "554 5.6.0 Corrupt message content", (65,)), ("AUTH", "535 5.7.139 SmtpClientAuthentication is disabled", (78,)),
    ]
    for stage, reply, codes in known:
        yield from at("P4", stage, says(reply), Expect(codes, NOT_SENT))
    # A token that is refused is replaced once, and only once.
    for chunking in (True, False):
        yield Case(f"P4 535 to a revoked token, a fresh one is taken {kind_of_words(True, chunking)}", SENT,
                   refuse_first_token=True, chunking=chunking, check=fresh_token)
    # Some close the connection with it: the fresh one goes over another, once.
    for stage in ("AUTH", "AUTH-challenge"):
        for code in ("535 5.7.3 no", "421 4.7.0 too many errors"):
            fault = Fault(f"{code} and close", refuse_and_close(code.encode()))
            expect = SENT if code.startswith("535") else TEMPORARY
            yield from at("P4 once:", stage, fault, expect, connections=1)
            yield from at("P4 always:", stage, fault, Expect((69, 78), NOT_SENT))
    # Whatever a server quotes of what it was told.
    for stage in ("AUTH", "AUTH-challenge", "MAIL", "RCPT1", "end"):
        expect = Expect(PERMANENT, NOT_SENT)
        yield from at("P4 A15", stage, Fault("a refusal that quotes the sign-in", quote_the_sign_in), expect, verbose=True)


def permanent_at(stage, code):
    """Nobody's message is to blame before MAIL: 65 and 67 are for the message and its recipients (rule of the facts:
    "never a bounce of user mail")."""
    if code == "535" or code == "530":
        return Expect((78, 69) if stage in BEFORE else (78,), NOT_SENT)
    if stage == "STARTTLS":
        return TEMPORARY
    if stage in BEFORE:
        return Expect((76, 78), NOT_SENT)
    if stage == "AUTH" and code in ("500", "501", "502", "504"):
        # A server that cannot take the initial response: the two steps follow on the same connection.
        return SENT if code in ("500", "501") else Expect((0, 78), NOT_SENT)
    if stage in SIGN_IN:
        return Expect((78,), NOT_SENT)
    if stage == "MAIL":
        return Expect((65,) if code in ("501", "552") else (65, 76, 77), NOT_SENT)
    if stage.startswith("RCPT"):
        return Expect((65, 67) if code == "552" else (67,), NOT_SENT)
    # A server that offers CHUNKING and then does not know BDAT may be given the same by DATA, on a new transaction.
    falls_back = stage in ("BDAT", "chunk") and code in ("500", "501", "502", "504", "552")
    return Expect((0, 65, 76, 78) if falls_back else (65, 76), NOT_SENT)


def one_refresh(outcome, seen, slot):
    tokens = [message for one in seen for _, message in one.sign_ins]
    if len(tokens) != 2 or len(set(tokens)) != 2:
        return [f"{len(tokens)} sign-ins with {len(set(tokens))} tokens, expected 2 with 2"]
    return []


def fresh_token(outcome, seen, slot):
    tokens = [message for one in seen for _, message in one.sign_ins]
    return [] if len(tokens) == 2 else [f"{len(tokens)} sign-ins, expected 2"]


def refuse_and_close(reply):
    def do(session):
        session.send(reply + b"\r\n")
        CLOSE.do(session)

    return do


def quote_the_sign_in(session):
    _, message = session.seen.sign_ins[-1]
    blob = base64.b64encode(message).decode()
    pieces = [blob[at:at + 60] for at in range(0, min(len(blob), 3000), 60)]
    text = [f"550-5.7.1 you said {piece}" for piece in pieces] + [f"550-{message.decode()[-900:].strip(chr(1))}"]
    session.send("\r\n".join(text).encode() + b"\r\n550 5.7.1 no\r\n")

# --- P5: no reply, too much of one, and odd ones.

def p5():
    for stage in everywhere():
        good = Expect((0,))
        for fault in GARBAGE:
            yield from at("P5", stage, fault, lost_or(NONSENSE), pinned=stage in ("banner", "MAIL", "end") and fault is GARBAGE[2])
        for fault in (ENDLESS_LINE, ENDLESS_TEXT, ENDLESS_REPLY, ENDLESS_BLANKS):
            yield from at("P5", stage, fault, lost_or(NONSENSE), pinned=stage in ("EHLO", "end"))
        if stage not in ("BDAT",):
            for fault in ODD_BUT_VALID:
                yield from at("P5", stage, fault, good)
    for stage in BEFORE + ("MAIL", "RCPT1", "RCPT2", "end"):
        fault = says("354 go ahead", name="354 where 2xx is due", lost=True)
        yield from at("P5", stage, fault, lambda where, case: (
            Expect((69,), "outcome unknown") if where == "end" else Expect((76, 69), NOT_SENT + "|" + UNKNOWN.words)))
    for code in ("200", "220", "250", "299"):
        yield from at("P5", "DATA", says(f"{code} ok", name=f"{code} where 354 is due"), NONSENSE)
    for stage in SIGN_IN:
        yield from at("P5", stage, says("354 go on"), NONSENSE)


# --- P6, P7: recipients.

def p6():
    replies = {"250": ("250 2.1.5 ok", True), "450": ("450 4.2.0 busy", False), "550": ("550 5.1.1 nobody here", False)}
    for pipelining, chunking in SERVERS:
        for codes in itertools.product(replies, repeat=3):
            plan = {f"RCPT{number}": says(replies[code][0], replies[code][1]) for number, code in enumerate(codes, 1)}
            named = NOT_SENT + r".*(ann|bob|eve)@example\.org"
            expect = SENT
            if "550" in codes:
                expect = Expect((67,), named)
                if not pipelining and "450" in codes[: codes.index("550")]:
                    # One at a time, the first that is not taken settles it: the others need not be asked.
                    expect = Expect((67, 69), named)
            elif "450" in codes:
                expect = Expect((69,), named)
            yield Case(f"P6 {' '.join(codes)} {kind_of_words(pipelining, chunking)}", expect, faults=plan, pipelining=pipelining,
                       chunking=chunking, recipients=3, pinned=pipelining and chunking and codes == ("250", "450", "550"))


    # Many: the replies of a flight are more than the buffers between two sockets hold.
    for pipelining, chunking in SERVERS:
        kind = kind_of_words(pipelining, chunking)
        wordy = Fault("a long reply", lambda session: (session.send(b"250 " + b"x" * 1900 + b"\r\n"), session.push()), good=True)
        many = {f"RCPT{number}": wordy for number in range(1, 1001)}
        base = dict(pipelining=pipelining, chunking=chunking, recipients=1000, limit=10.0)
        yield Case(f"P6 a thousand recipients, each with a long reply {kind}", SENT, faults=many, **base)
        yield Case(f"P6 one of a thousand recipients refused {kind}", Expect((67,), NOT_SENT + r".*r500@example\.org"),
                   faults={**many, "RCPT500": says("550 5.1.1 nobody here")}, **base)
        yield Case(f"P6 the connection ends after 500 of a thousand recipients {kind}", LOST,
                   faults={**many, "RCPT500": CLOSE}, **base)


def p7():
    refused = says("550 5.1.1 nobody here")
    for pipelining, chunking in SERVERS:
        kind = kind_of_words(pipelining, chunking)
        anyway = {"DATA": says("354 go ahead", True), "BDAT": says("250 2.0.0 taken"), "end": says("250 2.0.0 taken")}
        if chunking:
            del anyway["BDAT"]
        base = dict(pipelining=pipelining, chunking=chunking, pinned=True)
        # In one flight, a yes to the content cannot be told from a reply that is out of step.
        told = UNKNOWN if pipelining and chunking else Expect((67,), NOT_SENT)
        yield Case(f"P7 the only recipient refused, and then yes {kind}", told,
                   faults={"RCPT1": refused, **anyway}, **base)
        yield Case(f"P7 three recipients refused, and then yes {kind}", Expect((67,), NOT_SENT), recipients=3,
                   faults={"RCPT1": refused, "RCPT2": refused, "RCPT3": refused, **anyway}, **base)
        yield Case(f"P7 the last recipient refused, and then yes {kind}", Expect((67,), NOT_SENT), recipients=3,
                   faults={"RCPT3": refused, **anyway}, **base)
        no_sender = says("550 5.1.8 Access denied, bad outbound sender")
        yield Case(f"P7 the sender refused, and then yes {kind}", Expect((77,), NOT_SENT),
                   faults={"MAIL": no_sender, "RCPT1": says("250 2.1.5 ok", True), **anyway}, **base)


# --- P8: too early, too much.

def p8():
    for stage in BEFORE + ("AUTH",):
        yield from at("P8", stage, surplus(b"250 2.0.0 extra\r\n", "two replies in a packet"), NONSENSE)
        yield from at("P8", stage, surplus(b"25", "a reply and a half"), Expect((76, 69), NOT_SENT))
    for stage in ("MAIL", "RCPT1", "RCPT2", "DATA"):
        for more, name in ((b"250 2.0.0 extra\r\n", "two replies in a packet"), (b"354 go ahead\r\n", "a reply and 354")):
            for case in at("P8", stage, surplus(more, name), NONSENSE):
                if end_has_left(stage, case):
                    # Every reply is taken for the one before it: no verdict can be believed.
                    case.expect = Expect((69, 76), NOT_SENT + "|" + UNKNOWN.words)
                # What the server itself takes is for it to know; the client must not say yes to the caller.
                case.faults["end"] = says("554 5.6.0 refused")
                case.again = False
                yield case
    for stage in ("MAIL", "RCPT1"):
        for case in at("P8", stage, surplus(b"250 2.0.0 extra\r\n250 2.0.0 extra\r\n", "three replies in a packet"), NONSENSE):
            if end_has_left(stage, case):
                case.expect = Expect((69, 76), NOT_SENT + "|" + UNKNOWN.words)
            case.faults["end"] = says("554 5.6.0 refused")
            case.again = False
            yield case
    for case in at("P8", "mid-data", early(b"250 2.0.0 taken\r\n"), NONSENSE):
        if case.chunking:  # taken for the answer to its first chunk, which it may well be; the next one gets none
            case.expect, case.waits, case.limit = UNKNOWN if case.pipelining else SILENT, True, END_S + PIECE_S + SLACK_S
        case.again = False
        yield case
    yield from at("P8", "mid-data", early(b"354 go on\r\n"), Expect((76, 69), NOT_SENT + "|" + UNKNOWN.words))
    yield from at("P8", "mid-data", early(b"554 5.6.0 no\r\n"), Expect((65,), NOT_SENT))
    yield from at("P8", "mid-data", early(b"552 5.3.4 too big\r\n"), Expect((65,), NOT_SENT))
    yield from at("P8", "mid-data", early(b"451 4.3.0 later\r\n"), TEMPORARY)
    yield from at("P8", "mid-data", early(b"421 4.3.2 going down\r\n"), TEMPORARY)
