"""What a server may do wrong in place of a reply. Each is a Fault: do(session), and whether the client has heard yes.

`lost`: the client cannot know what became of what it has sent: once that holds the end of the message, the only honest
word is "outcome unknown".
"""

import dataclasses
import select
import time
from typing import Callable

from wire import Gone

PACE_S = 0.4  # between the octets or lines of a server that is slow
FLOOD_OCTETS = 200_000_000
FLOOD_LINES = 2_000_000


@dataclasses.dataclass(frozen=True)
class Fault:
    name: str
    do: Callable
    good: bool = False
    lost: bool = False
    waits: bool = False  # the client must run into a deadline
    mute: bool = False  # not a word of SMTP is said


# --- The connection.

def _close(session):
    session.finish()
    raise Gone("closed by the plan")


def _close_in_good_order(session):
    if session.tls:
        session.notify()
    _close(session)


def _reset(session):
    session.reset()
    raise Gone("reset by the plan")


def _is_over(session, seconds):
    """Whether the client goes within this time."""
    poll, deadline = select.poll(), time.monotonic() + seconds
    poll.register(session.socket, select.POLLRDHUP)
    while (left := deadline - time.monotonic()) > 0:
        if session.over.is_set() or poll.poll(min(100, left * 1000)):
            return True
    return False


def _stay(session, seconds=90):
    session.push()
    _is_over(session, seconds)
    raise Gone("the client's end")


def _swallow(session):
    """Takes what comes and says nothing."""
    while True:
        session.buffer.clear()
        session.fill()


def _drip(session):
    _slowly(session, (bytes([octet]) for octet in b"250-" + b"x" * 900))


def _lines_slowly(session):
    _slowly(session, (b"250-and then\r\n" for _ in range(90)))


def _slowly(session, pieces):
    for piece in pieces:
        session.send(piece)
        session.push()
        if _is_over(session, PACE_S):
            break
    raise Gone("the client's end")


def _cut_reply(text):
    def do(session):
        session.send(text)
        _close_in_good_order(session)

    return do


def _flood(piece, total):
    def do(session):
        block = piece * (65536 // len(piece) + 1)
        for _ in range(total // len(block)):
            session.send(block)
            session.push()
        _close(session)

    return do


CLOSE = Fault("close", _close, lost=True, mute=True)
CLOSE_NOTIFY = Fault("close with close_notify", _close_in_good_order, lost=True, mute=True)
RESET = Fault("reset", _reset, lost=True, mute=True)
SILENCE = Fault("silence", _swallow, lost=True, waits=True, mute=True)
STALL = Fault("no more reading", _stay, lost=True, waits=True, mute=True)
DRIP = Fault("an octet now and then", _drip, lost=True, waits=True)
SLOW_LINES = Fault("continuation lines now and then", _lines_slowly, lost=True, waits=True)
ENDLESS_LINE = Fault("a line of 200 MB", _flood(b"2", FLOOD_OCTETS), lost=True)
ENDLESS_TEXT = Fault("a line of 200 MB behind a code", lambda s: (s.send(b"250 "), _flood(b"x", FLOOD_OCTETS)(s)), lost=True)
ENDLESS_REPLY = Fault("two million lines", _flood(b"250-line\r\n", FLOOD_LINES * 10), lost=True)
ENDLESS_BLANKS = Fault("two million empty lines", _flood(b"\r\n", FLOOD_LINES * 2), lost=True)


def _read_slowly(session):
    """Takes the content at an octet at a time."""
    session.push()
    session.socket.setsockopt(1, 8, 2048)  # SOL_SOCKET, SO_RCVBUF
    while not _is_over(session, PACE_S):
        try:
            session.socket.recv(1)
        except OSError:
            break
    raise Gone("the client's end")


SLOW_READING = Fault("reading an octet now and then", _read_slowly, waits=True)


# --- Replies.

def says(octets, good=False, name=None, lost=False):
    """This in place of the reply; `good` where a valid yes stands in it."""
    octets = octets.encode() if isinstance(octets, str) else octets
    octets = octets if octets.endswith(b"\n") else octets + b"\r\n"
    return Fault(name or octets.decode("latin-1").strip()[:60], lambda session: session.send(octets), good, lost)


def changed(name, change, good=True, lost=False):
    """The reply that is due, changed: `change` gets it and gives the octets to send."""
    return Fault(name, lambda session: session.send(change(session.reply_to_give)), good, lost)


def _text(reply, text):
    """The text of the first line replaced: the others may be what EHLO offers."""
    first, end, rest = reply.partition(b"\r\n")
    return first[:4] + text + end + rest


# Odd, and yet a reply: RFC 5321 4.2 (text is optional; only the digits are to be judged).
ODD_BUT_VALID = [
    changed("LF alone", lambda reply: reply.replace(b"\r\n", b"\n")),
    changed("no text", lambda reply: reply[:3] + b"\r\n" if reply.count(b"\r\n") == 1 else _text(reply, b"")),
    changed("a blank and no text", lambda reply: _text(reply, b"")),
    changed("NUL in the text", lambda reply: _text(reply, b"a\0b")),
    changed("8-bit text", lambda reply: _text(reply, bytes(range(128, 256)))),
    changed("escape sequences in the text", lambda reply: _text(reply, b"\x1b[2J\x07\x1b]0;x\x07")),
    changed("an enhanced code of another class", lambda reply: _text(reply, b"5.7.1 refused")),
    changed("a text of 1500 octets", lambda reply: _text(reply, b"x" * 1500)),
    changed("fifty lines", lambda reply: b"".join(reply[:3] + b"-more\r\n" for _ in range(49)) + reply),
    changed("in single octets", None),
]


def _in_single_octets(session):
    for octet in session.reply_to_give:
        session.send(bytes([octet]))
        session.push()


ODD_BUT_VALID[-1] = dataclasses.replace(ODD_BUT_VALID[-1], do=_in_single_octets)

# No reply at all.
GARBAGE = [
    says(b"\r\n", name="an empty line", lost=True),
    says("hello there", lost=True),
    says("199 odd", lost=True),
    says("600 odd", lost=True),
    says("000 nothing", lost=True),
    says("2x0 ok", lost=True),
    says("25", lost=True),
    says("2", lost=True),
    says("2500 ok", lost=True),
    says("250ok", lost=True),
    says("250_ok", lost=True),
    says(" 250 ok", lost=True),
    says("-250 ok", lost=True),
    says("+250 ok", lost=True),
    says(b"2\x0050 ok\r\n", name="NUL in the code", lost=True),
    says(b"\0\0\0\0\r\n", name="NULs", lost=True),
    says(bytes(range(128, 256)) + b"\r\n", name="8-bit octets", lost=True),
    says(b"250-first\r\n251 second\r\n", name="250- and 251", lost=True),
    says(b"250-first\r\n550 second\r\n", name="250- and 550", lost=True),
    says(b"550-first\r\n250 second\r\n", name="550- and 250", lost=True),
    says(b"250-first\r\nhello\r\n250 ok\r\n", name="garbage between lines", lost=True),
    says(b"hello\r\n250 ok\r\n", name="garbage before the reply", lost=True),
    says("HTTP/1.1 400 Bad Request\r\n\r\n", name="an HTTP server", lost=True),
    says("SSH-2.0-OpenSSH_9.2p1", name="an SSH server", lost=True),
    says("* OK IMAP4rev1 ready", name="an IMAP server", lost=True),
    says("+OK POP3 ready", name="a POP3 server", lost=True),
]

# A reply that begins well and is cut off: no truncation counts as success (P12).
CUT = [
    Fault("250 without its line end", _cut_reply(b"250 2.0.0 ok"), lost=True),
    Fault("250- and no last line", _cut_reply(b"250-2.0.0 ok\r\n"), lost=True),
    Fault("25 and the end", _cut_reply(b"25"), lost=True),
]


def surplus(more, name):
    """The reply that is due, and behind it in the same packet what nobody asked for."""
    return Fault(name, lambda session: session.send(session.reply_to_give + more), good=True)


# --- TLS.

def _raw(octets):
    def do(session):
        session.push()
        session.send_raw(octets)
        _stay(session, 3)

    return do


def _hello_then(act):
    def do(session):
        session.fill()
        act(session)

    return do


def _half_a_flight(session):
    session.prepare_tls(session.plan.tls)
    flight, _ = session.handshake_step()
    session.send_raw(flight[: len(flight) // 2])
    _close(session)


def _dripping_flight(session):
    session.prepare_tls(session.plan.tls)
    flight, _ = session.handshake_step()
    for octet in flight:
        session.send_raw(bytes([octet]))
        if _is_over(session, PACE_S):
            break
    raise Gone("the client's end")


def _raw_flood(piece):
    def do(session):
        session.fill()
        for _ in range(FLOOD_OCTETS // len(piece) // 1000):
            session.send_raw(piece * 1000)
        _close(session)

    return do


ALERT = b"\x15\x03\x03\x00\x02"
TLS_FAULTS = [
    Fault("close", _hello_then(_close)),
    Fault("reset", _hello_then(_reset)),
    Fault("close before the first octet", _close),
    Fault("half a flight", _half_a_flight),
    Fault("a fatal alert", _hello_then(lambda s: (s.send_raw(ALERT + b"\x02\x28"), _close(s)))),
    Fault("internal_error", _hello_then(lambda s: (s.send_raw(ALERT + b"\x02\x50"), _close(s)))),
    Fault("close_notify", _hello_then(lambda s: (s.send_raw(ALERT + b"\x01\x00"), _close(s)))),
    Fault("plaintext SMTP", _hello_then(lambda s: (s.send_raw(b"250 2.0.0 ok\r\n" * 20), _close(s)))),
    Fault("plaintext SMTP and patience", _hello_then(lambda s: (s.send_raw(b"250 2.0.0 ok\r\n"), _stay(s)))),
    Fault("zeros", _hello_then(lambda s: (s.send_raw(bytes(4096)), _close(s)))),
    Fault("a record of 64 KiB", _hello_then(lambda s: (s.send_raw(b"\x16\x03\x03\xff\xff" + b"x" * 65535), _close(s)))),
    Fault("a server hello of another protocol", _hello_then(
        lambda s: (s.send_raw(b"\x16\x02\x00\x00\x2a\x02\x00\x00\x26\x02\x00" + b"x" * 36), _close(s)))),
    Fault("200 MB of garbage", _raw_flood(b"x" * 100)),
    Fault("endless empty records", _raw_flood(b"\x16\x03\x03\x00\x00")),
    Fault("endless warnings", _raw_flood(ALERT + b"\x01\x5a")),
    Fault("endless cipher changes", _raw_flood(b"\x14\x03\x03\x00\x01\x01")),
    Fault("silence", _swallow, waits=True),
    Fault("a flight of single octets", _dripping_flight, waits=True),
]

# Behind the handshake, and outside of TLS.
NO_RECORD = Fault("plaintext inside TLS", _raw(b"250 2.0.0 ok\r\n"), lost=True, mute=True)
FORGED_RECORD = Fault("a forged record", _raw(b"\x17\x03\x03\x00\x20" + b"x" * 32), lost=True, mute=True)
FORGED_ALERT = Fault("a forged alert", _raw(ALERT + b"\x01\x00"), lost=True, mute=True)


def _many_records(session):
    session.push()
    for octet in session.reply_to_give:
        session.tls.write(bytes([octet]))
    session.flush()


def _large_records(session):
    """One reply of 60 kB in records of 16 KiB."""
    code = session.reply_to_give[:3]
    session.send(b"".join(code + b"-" + b"x" * 1000 + b"\r\n" for _ in range(59)) + session.reply_to_give)


RECORDS = [
    Fault("a record for each octet", _many_records, good=True),
    Fault("records of 16 KiB", _large_records, good=True),
]


def _starttls_then_plain(session):
    session.send(session.reply_to_give)
    session.fill()  # pushes; the client's first flight of TLS
    session.send_raw(b"250-mail.faults.example\r\n250 AUTH XOAUTH2\r\n")
    _stay(session, 3)


PLAIN_AFTER_STARTTLS = Fault("a go-ahead, and no TLS", _starttls_then_plain)


def early(reply):
    """In the middle of the content; what follows is read and its end met with silence."""

    def do(session):
        session.send(reply)
        session.push()
        _swallow(session)

    return Fault(f"{reply[:3].decode()} before the end", do)


def sleep_then_answer(seconds):
    def do(session):
        session.push()
        session.over.wait(seconds)
        session.send(session.reply_to_give)

    return Fault(f"{seconds} s late", do, good=True)
