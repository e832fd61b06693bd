"""Records, as agent and helper exchange them (src/net/record.h), and a mailbearer-helper that is asked in them."""

import socket
import struct
import subprocess


def piece(text):
    text = text if isinstance(text, bytes) else str(text).encode()
    return struct.pack(">I", len(text)) + text


class Helper:
    def __init__(self, case):
        self.socket, theirs = socket.socketpair()
        self.socket.settimeout(60)
        self.process = subprocess.Popen([case.program("mailbearer-helper")], stdin=theirs, stdout=subprocess.DEVNULL, env={})
        theirs.close()
        case.at_end(self.stop)

    def stop(self):
        self.socket.close()
        self.process.wait(20)

    def ask(self, verb, **fields):
        """A field form__NAME is form.NAME of the record."""
        body = piece(verb)
        for name, value in fields.items():
            body += piece(name.replace("__", ".")) + piece(value)
        self.socket.sendall(struct.pack(">I", len(body)) + body)
        rest = self._exactly(struct.unpack(">I", self._exactly(4))[0])
        words = []
        while rest:
            size = struct.unpack(">I", rest[:4])[0]
            words.append(rest[4:4 + size].decode())
            rest = rest[4 + size:]
        return dict(zip(words[1::2], words[2::2]))

    def _exactly(self, count):
        got = b""
        while len(got) < count:
            more = self.socket.recv(count - len(got))
            if not more:
                raise AssertionError("the helper ended without an answer")
            got += more
        return got
