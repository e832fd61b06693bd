"""A submission server that does one thing wrong, at one stage, and writes down all that it is told.

    plan = Plan(tls=context, keywords=[...], faults={"MAIL": Fault(...)})
    server = Server(("127.0.0.1", 0), plan)
    ... the client runs ...
    seen = server.close()          # a list of Seen, one for each connection

Stages: banner EHLO STARTTLS TLS EHLO2 AUTH AUTH-ready AUTH-challenge MAIL RCPT1... DATA mid-data chunk BDAT end QUIT.
EHLO2 is the one inside TLS; AUTH the answer to a command with an initial response, AUTH-ready to one without,
AUTH-challenge the answer to what follows a 334; chunk the answer to a BDAT that is not the last; BDAT the moment between
BDAT LAST and its octets; end the answer to the final dot or to BDAT LAST. What is right is RFC 5321, 2920, 3030, 3207,
4954; what breaks it is noted in Seen.wrong.
"""

import base64
import dataclasses
import re
import socket
import threading
import time

from wire import KEPT, READ, Gone, Wire

LEFT_BEHIND_S = 0.5
AUTH_KEYWORD = "AUTH XOAUTH2 OAUTHBEARER"


@dataclasses.dataclass
class Content:
    octets: bytes = b""
    complete: bool = False  # its end was sent
    accepted: bool = False  # a valid 250 was given for it


@dataclasses.dataclass
class Seen:
    plain: bytearray = dataclasses.field(default_factory=bytearray)  # before TLS
    secure: bytearray = dataclasses.field(default_factory=bytearray)  # inside TLS, commands only
    handshake: str = ""  # "", "done", or what went wrong
    commands: list = dataclasses.field(default_factory=list)
    sign_ins: list = dataclasses.field(default_factory=list)  # (mechanism, SASL message)
    contents: list = dataclasses.field(default_factory=list)
    recipients: list = dataclasses.field(default_factory=list)  # those that were accepted
    wrong: list = dataclasses.field(default_factory=list)
    struck: int = 0  # how often the fault was reached
    resumed: bool = False
    ended_by_client: bool = False


@dataclasses.dataclass
class Plan:
    tls: object = None  # an ssl.SSLContext
    implicit: bool = False
    keywords: list = dataclasses.field(default_factory=list)  # inside TLS, without AUTH
    mechanisms: str = AUTH_KEYWORD  # a line of EHLO inside TLS; "" for none
    plain_keywords: list = dataclasses.field(default_factory=lambda: ["SIZE 10000000", "8BITMIME", "PIPELINING", "STARTTLS"])
    faults: dict = dataclasses.field(default_factory=dict)  # stage -> Fault
    connections: int = 1 << 30  # only the first so many meet the faults
    refused_tokens: tuple = ()  # SASL messages that get 535


class Server:
    def __init__(self, address, plan, backlog=16):
        self.plan, self.seen, self._sockets, self._threads = plan, [], [], []
        self.over = threading.Event()
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self._listener = socket.socket(family, socket.SOCK_STREAM)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        self._listener.bind(address)
        self._listener.listen(backlog)
        self.port = self._listener.getsockname()[1]
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def _accept(self):
        while not self.over.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            if self.over.is_set():
                connection.close()
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._sockets.append(connection)
            session = Session(self, connection, len(self.seen))
            self.seen.append(session.seen)
            thread = threading.Thread(target=session.run, daemon=True)
            self._threads.append(thread)
            thread.start()

    def close(self):
        """Ends everything, once what the client has left behind is read; what was heard until then."""
        try:
            self._listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._accepting.join(5)
        self._listener.close()
        deadline = time.monotonic() + LEFT_BEHIND_S
        for thread in self._threads:
            thread.join(max(0, deadline - time.monotonic()))
        self.over.set()
        for connection in self._sockets:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        for thread in self._threads:
            thread.join(5)
            if thread.is_alive():
                self.seen[0].wrong.append("the test's own server did not end")
        for connection in self._sockets:
            connection.close()
        return self.seen


COMMAND = re.compile(rb"[A-Z]+")
PATH = re.compile(rb"(?:MAIL FROM|RCPT TO):<([^<>]*)>((?: [A-Z0-9]+(?:=[!-~]+)?)*)\Z")


class Session(Wire):
    def __init__(self, server, connection, number):
        super().__init__(connection, Seen())
        self.server, self.plan, self.number = server, server.plan, number
        self.over = server.over
        self.secured = self.signed_in = self.has_sender = False
        self.asked = 0  # RCPT commands of this transaction
        self.chunks = []
        self.reply_to_give = b""

    def run(self):
        try:
            self.talk()
        except Gone:
            pass
        except Exception as error:  # a fault of the test, to be told as one
            self.seen.wrong.append(f"the test's own server failed: {error!r}")
        finally:
            try:
                self.push()
            except Gone:
                pass
            self.socket.close()

    def complain(self, what):
        if what not in self.seen.wrong:
            self.seen.wrong.append(what)

    # --- Replies, right ones and others.

    def answer(self, stage, reply):
        """Gives the reply that is due, or does the fault of this stage. True: the client has heard yes."""
        fault = self.plan.faults.get(stage)
        if fault is None or self.number >= self.plan.connections:
            self.send(reply)
            return reply[:1] in b"23"
        self.seen.struck += 1
        self.reply_to_give = reply
        fault.do(self)
        return fault.good

    def due(self, stage):
        return stage in self.plan.faults and self.number < self.plan.connections

    # --- The dialogue.

    def talk(self):
        if self.plan.implicit:
            self.secure()
        self.answer("banner", b"220 mail.faults.example ESMTP\r\n")
        while True:
            line = self.command()
            verb = COMMAND.match(line)
            method = getattr(self, "on_" + verb.group().lower().decode(), None) if verb else None
            if method is None:
                self.complain(f"no command: {line[:80]!r}")
                self.send(b"500 5.5.2 what?\r\n")
            elif method(line) is False:
                return

    def command(self):
        line = self.line()
        kept = self.seen.secure if self.tls else bytearray()
        if len(kept) < KEPT:
            kept += line
        if not line.endswith(b"\r\n") or b"\r" in line[:-2]:
            self.complain(f"a bare CR or LF in a command: {line[:80]!r}")
        if re.search(rb"[\x00-\x1f\x7f]", line[:-2]):
            self.complain(f"a control octet in a command: {line[:80]!r}")
        self.seen.commands.append(line[:-2].decode("latin-1"))
        return line.rstrip(b"\r\n")

    def alone(self, what):
        """Nothing may stand behind these (RFC 2920 3.1), or behind anything where PIPELINING is not offered."""
        if self.buffer:
            self.complain(f"{bytes(self.buffer[:60])!r} was sent behind {what} without waiting")

    @property
    def pipelining(self):
        return self.offers("PIPELINING")

    def offers(self, keyword):
        return self.secured and any(one.upper().split(" ")[0] == keyword for one in self.plan.keywords)

    def lockstep(self, what):
        if not self.pipelining:
            self.alone(what)

    def on_ehlo(self, _):
        self.alone("EHLO")
        self.has_sender = False
        if not self.secured:
            return self.answer("EHLO", self.capabilities(self.plan.plain_keywords)) and None
        extra = [self.plan.mechanisms] if self.plan.mechanisms else []
        self.answer("EHLO2", self.capabilities(self.plan.keywords + extra))

    @staticmethod
    def capabilities(keywords):
        lines = ["mail.faults.example greets you", *keywords]
        return "".join(f"250{' ' if line is lines[-1] else '-'}{line}\r\n" for line in lines).encode()

    def on_starttls(self, _):
        self.alone("STARTTLS")
        if not self.answer("STARTTLS", b"220 2.0.0 go ahead\r\n"):
            return None
        self.secure()

    def secure(self):
        if self.buffer:
            self.complain("something was sent between STARTTLS and its reply")
        if self.due("TLS"):
            self.seen.struck += 1
            self.plan.faults["TLS"].do(self)
        else:
            self.prepare_tls(self.plan.tls)
            self.handshake()
        self.secured = True

    def on_auth(self, line):
        if not self.secured:
            self.complain("AUTH without TLS")
        words = line.split(b" ")
        if len(words) > 3 or len(words) < 2:
            self.complain(f"a malformed AUTH of {len(words)} words")
        self.alone("AUTH")
        if len(words) == 2:
            if not self.answer("AUTH-ready", b"334 \r\n"):
                return
            response, stage = self.response(), "AUTH-challenge"
        else:
            response, stage = words[2], "AUTH"
        if response == b"*":
            self.send(b"501 5.0.0 cancelled\r\n")
            return
        self.sign_in(words[1], response, stage)

    def sign_in(self, mechanism, response, stage):
        try:
            message = base64.b64decode(response, validate=True)
        except ValueError:
            message = b""
        self.seen.sign_ins.append((mechanism.decode("latin-1"), message))
        if not re.fullmatch(rb"(user=|n,a=)[^\x00\x01]+\x01(?:host=[^\x01]+\x01port=\d+\x01)?auth=Bearer [!-~]+\x01\x01", message):
            self.complain(f"no SASL message of XOAUTH2 or OAUTHBEARER: {len(response)} octets")
        if message in self.plan.refused_tokens:
            self.send(b"535 5.7.3 Authentication unsuccessful\r\n")
            return
        self.signed_in = self.answer(stage, b"235 2.7.0 welcome\r\n")

    def response(self):
        """A line that is an answer to a challenge, not a command."""
        line = self.line()
        if len(self.seen.secure) < KEPT:
            self.seen.secure += line
        self.alone("an answer to a challenge")
        return line.rstrip(b"\r\n")

    def on_mail(self, line):
        self.lockstep("MAIL")
        self.path(line)
        if not self.signed_in:
            self.complain("MAIL before the sign-in")
        self.has_sender = self.answer("MAIL", b"250 2.1.0 ok\r\n")
        self.asked, self.seen.recipients = 0, []

    def on_rcpt(self, line):
        self.lockstep("RCPT")
        address = self.path(line)
        self.asked += 1
        reply = b"250 2.1.5 ok\r\n" if self.has_sender else b"503 5.5.1 MAIL first\r\n"
        if self.answer(f"RCPT{self.asked}", reply) and self.has_sender:
            self.seen.recipients.append(address)

    def path(self, line):
        found = PATH.match(line)
        if not found:
            self.complain(f"a malformed path: {line[:120]!r}")
            return ""
        return found.group(1).decode("latin-1")

    def on_data(self, _):
        self.alone("DATA")
        ready = b"354 go ahead\r\n" if self.seen.recipients else b"554 5.5.1 no valid recipients\r\n"
        if not self.answer("DATA", ready):
            return
        forbidden = not self.seen.recipients
        content = Content()
        self.seen.contents.append(content)
        self.read_content(content, forbidden)
        self.lockstep_end()
        self.end(content)

    def read_content(self, content, forbidden):
        middle, searched = self.due("mid-data"), 0
        while True:
            end = self.buffer.find(b"\r\n.\r\n", searched)
            if self.buffer.startswith(b".\r\n"):
                end = -2
            if end >= 0 or end == -2:
                break
            searched = max(0, len(self.buffer) - 4)
            if middle and len(self.buffer) > READ:
                middle = False
                self.seen.struck += 1
                self.reply_to_give = b"250 2.0.0 taken\r\n"
                content.octets = bytes(self.buffer)
                self.plan.faults["mid-data"].do(self)
            self.fill()
            if forbidden:
                self.complain(f"content though every recipient was refused: {bytes(self.buffer[:60])!r}")
        content.octets, content.complete = bytes(self.buffer[: max(0, end + 2)]), True
        del self.buffer[: end + 5]
        if re.search(rb"(?<!\r)\n|\r(?!\n)", content.octets):
            self.complain("a bare CR or LF in the content")
        content.octets = re.sub(rb"(?m)^\.", b"", content.octets)

    def on_bdat(self, line):
        if not self.offers("CHUNKING"):
            self.complain("BDAT is not offered")
        found = re.fullmatch(rb"BDAT (\d+)( LAST)?", line)
        if not found:
            self.complain(f"a malformed BDAT: {line[:80]!r}")
            raise Gone("BDAT")
        last, count, piece = bool(found.group(2)), int(found.group(1)), bytearray()
        answered = last and self.due("BDAT")
        if answered:
            self.answer("BDAT", b"")  # its octets are to be read all the same (RFC 3030 2)
        content = Content()
        if last:
            self.seen.contents.append(content)
        middle = self.due("mid-data")
        while len(piece) < count:
            if not self.buffer:
                self.fill()
            take = min(count - len(piece), len(self.buffer))
            piece += self.buffer[:take]
            del self.buffer[:take]
            if middle and len(piece) > READ // 4:  # inside a chunk
                middle = False
                self.seen.struck += 1
                self.reply_to_give = b"250 2.0.0 taken\r\n"
                content.octets = bytes(piece)
                self.plan.faults["mid-data"].do(self)
        self.chunks.append(bytes(piece))
        if re.search(rb"(?<!\r)\n|\r(?!\n)", b"".join(self.chunks[-2:])) and last:
            self.complain("a bare CR or LF in the content")
        if not last:
            self.answer("chunk", b"250 2.0.0 octets received\r\n")
            return
        content.octets, content.complete = b"".join(self.chunks), True
        self.chunks = []
        self.lockstep_end()
        if not answered:
            self.end(content)

    def lockstep_end(self):
        if self.pipelining:
            if self.buffer and not self.buffer.startswith(b"QUIT\r\n"):
                self.complain(f"{bytes(self.buffer[:60])!r} was sent behind the content")
        else:
            self.alone("the content")

    def end(self, content):
        reply = b"250 2.0.0 taken as 1234\r\n"
        if not self.seen.recipients:
            reply = b"554 5.5.1 no valid recipients\r\n"
        fault = self.plan.faults.get("end")
        content.accepted = (bool(self.seen.recipients) if fault is None or self.number >= self.plan.connections
                            else fault.good)
        self.answer("end", reply)
        self.has_sender = False

    def on_rset(self, _):
        self.lockstep("RSET")
        self.has_sender = False
        self.answer("RSET", b"250 2.0.0 ok\r\n")

    def on_quit(self, _):
        self.alone("QUIT")
        self.answer("QUIT", b"221 2.0.0 bye\r\n")
        self.finish()
        return False
