"""One connection of the server: octets in and out, later inside TLS, and the ways to end it. TLS runs over memory, so that
a test can hold back, cut or forge what goes over the socket.
"""

import socket
import ssl
import struct

READ = 65536
KEPT = 1 << 20  # of what a client says, for a look afterwards


class Gone(Exception):
    """The connection is at its end, whoever ended it."""


class Wire:
    """Octets in and out of one connection, and later of TLS within it."""

    def __init__(self, connection, seen):
        self.socket, self.seen, self.buffer, self.held = connection, seen, bytearray(), bytearray()
        self.tls = None

    def fill(self):
        self.push()
        piece = self._read_secure() if self.tls else self._receive()
        if not self.tls and len(self.seen.plain) < KEPT:
            self.seen.plain += piece
        self.buffer += piece

    def _receive(self):
        try:
            piece = self.socket.recv(READ)
        except OSError as error:
            raise Gone(str(error)) from None
        if not piece:
            self.seen.ended_by_client = True
            raise Gone("closed")
        return piece

    def _read_secure(self):
        while True:
            try:
                piece = self.tls.read(READ)
                self.flush()
                if not piece:
                    raise Gone("close_notify")
                return piece
            except ssl.SSLWantReadError:
                self.flush()
                self._incoming.write(self._receive())
            except ssl.SSLError as error:
                raise Gone(str(error)) from None

    def flush(self):
        self.send_raw(self._outgoing.read())

    def send_raw(self, octets):
        try:
            self.socket.sendall(octets)
        except OSError as error:
            raise Gone(str(error)) from None

    def send(self, octets):
        """Goes out when there is nothing left to read, as with Postfix: the answers to one flight are one packet."""
        self.held += octets

    def push(self):
        octets = bytes(self.held)
        self.held.clear()
        if not octets:
            return
        if not self.tls:
            self.send_raw(octets)
            return
        try:
            self.tls.write(octets)
        except ssl.SSLError as error:
            raise Gone(str(error)) from None
        self.flush()

    def line(self):
        """A line without its CRLF; its end must be CRLF."""
        searched = 0
        while (end := self.buffer.find(b"\n", searched)) < 0:
            searched = len(self.buffer)
            if searched > KEPT:
                raise Gone("an endless command")
            self.fill()
        line = bytes(self.buffer[: end + 1])
        del self.buffer[: end + 1]
        return line

    def exactly(self, count):
        while len(self.buffer) < count:
            self.fill()
        piece = bytes(self.buffer[:count])
        del self.buffer[:count]
        return piece

    def prepare_tls(self, context):
        self.push()
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._handshaking = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._incoming.write(bytes(self.buffer))
        self.buffer.clear()

    def handshake_step(self):
        """What is to be sent, and whether that is the end of it."""
        while True:
            try:
                self._handshaking.do_handshake()
                return self._outgoing.read(), True
            except ssl.SSLWantReadError:
                flight = self._outgoing.read()
                if flight:
                    return flight, False
                self._incoming.write(self._receive())

    def handshake(self):
        try:
            done = False
            while not done:
                flight, done = self.handshake_step()
                self.send_raw(flight)
        except ssl.SSLError as error:
            self.seen.handshake = error.reason or str(error)
            try:
                self.flush()  # our own alert
            finally:
                raise Gone(self.seen.handshake)
        except Gone as gone:
            self.seen.handshake = str(gone)
            raise
        self.tls = self._handshaking
        self.seen.handshake = "done"
        self.seen.resumed = bool(self.tls.session_reused)

    def notify(self):
        """close_notify."""
        self.push()
        try:
            self.tls.unwrap()
        except ssl.SSLError:
            pass
        self.flush()

    def finish(self):
        """An end in good order: what the client still says is swallowed, so that no reset overtakes our words."""
        self.push()
        try:
            self.socket.shutdown(socket.SHUT_WR)
            while self.socket.recv(READ):
                pass
        except OSError:
            pass

    def reset(self):
        self.push()
        try:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.socket.close()
        except OSError:
            pass
