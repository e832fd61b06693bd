"""A submission server by `openssl s_server`, for what Python's ssl cannot do to a client: renegotiation (TLS 1.2) and
key updates (TLS 1.3) in the middle of the dialogue. Implicit TLS, one connection, one command at a time.
"""

import os
import re
import selectors
import socket
import subprocess
import threading
import time

import server

DIALOGUE = [
    ("banner", b"", b"220 mail.faults.example ESMTP\n"),
    ("EHLO2", b"EHLO", b"250-mail.faults.example\n250-8BITMIME\n250 AUTH XOAUTH2\n"),
    ("AUTH", b"AUTH XOAUTH2", b"235 2.7.0 welcome\n"),
    ("MAIL", b"MAIL FROM", b"250 2.1.0 ok\n"),
    ("RCPT1", b"RCPT TO", b"250 2.1.5 ok\n"),
    ("DATA", b"DATA", b"354 go ahead\n"),
    ("end", b"\n.\n", b"250 2.0.0 taken\n"),
    ("QUIT", b"QUIT", b"221 2.0.0 bye\n"),
]
SETTLE_S = 0.05  # s_server takes a command of its own only at the beginning of what it reads at once


class OpensslServer:
    """`options`: of s_server, words; `trick`: a letter that s_server understands, given before the reply of `stage` ("every": of each; "": never)."""

    def __init__(self, chain, options, trick, stage):
        self.port = self._free_port()
        self.trick, self.stage, self.seen = trick, stage, server.Seen(handshake="done")
        self._process = subprocess.Popen(
            ["openssl", "s_server", "-accept", f"127.0.0.1:{self.port}", "-cert", chain, "-key", chain, "-cert_chain", chain,
             *options.split(), "-crlf", "-naccept", "1"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self._told = b""
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._process.stdout, selectors.EVENT_READ)
        self._wait_for(b"ACCEPT", 10)
        self._thread = threading.Thread(target=self._talk, daemon=True)
        self._thread.start()

    @staticmethod
    def _free_port():
        with socket.create_server(("127.0.0.1", 0)) as listener:
            return listener.getsockname()[1]

    def _wait_for(self, words, seconds):
        """What s_server shows up to these words; False when it ended."""
        deadline = time.monotonic() + seconds
        while words not in self._told:
            left = deadline - time.monotonic()
            if left <= 0 or not self._selector.select(left):
                return False
            piece = os.read(self._process.stdout.fileno(), 65536)
            if not piece:
                return False
            self._told += piece.replace(b"\r\n", b"\n")
        before, _, self._told = self._told.partition(words)
        self._last = before
        return True

    def _say(self, octets):
        try:
            self._process.stdin.write(octets)
            self._process.stdin.flush()
        except OSError:
            pass
        time.sleep(SETTLE_S)

    def _talk(self):
        if not self._wait_for(b"CIPHER is", 30):
            return
        content = server.Content()
        for stage, words, reply in DIALOGUE:
            if words and not self._wait_for(words, 30):
                return
            self.seen.commands.append(words.decode().strip())
            if stage == "end":
                # The first line of what is left belongs to the command before.
                content.octets = re.sub(rb"(?m)^\.", b"", self._last.partition(b"\n")[2] + b"\n").replace(b"\n", b"\r\n")
                content.complete = content.accepted = True
                self.seen.contents.append(content)
            if self.stage in (stage, "every") and stage != "banner":
                self.seen.struck += 1
                self._say(self.trick + b"\n")
            self._say(reply)

    def close(self):
        self._process.kill()
        self._thread.join(5)
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            try:
                stream.close()
            except OSError:
                pass
        self._selector.close()
        return [self.seen]
