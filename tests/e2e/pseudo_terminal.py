"""A program at a terminal: what it shows, what is typed, and how it ends. No sleeps: everything waits for what it expects."""

import os
import pty
import re
import select
import signal
import subprocess
import termios
import time

from rig import Mismatch


class Terminal:
    def __init__(self, argv, environment, preexec=None):
        self.master, slave = pty.openpty()
        self.shown, self.read = "", 0

        def begin():
            os.setsid()
            import fcntl
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
            if preexec is not None:
                preexec()

        self.process = subprocess.Popen(argv, stdin=slave, stdout=slave, stderr=slave, env=environment,
                                        preexec_fn=begin)  # noqa: PLW1509
        os.close(slave)

    def _more(self, patience):
        ready, _, _ = select.select([self.master], [], [], patience)
        if not ready:
            return False
        try:
            piece = os.read(self.master, 65536)
        except OSError:  # the last one has closed the other end
            return False
        self.shown += piece.decode("utf-8", "replace").replace("\r\n", "\n")
        return bool(piece)

    def expect(self, pattern, patience=30):
        """Waits for this behind what was expected before; answers with the match."""
        deadline = time.monotonic() + patience
        while True:
            found = re.compile(pattern, re.S).search(self.shown, self.read)
            if found:
                self.read = found.end()
                return found
            if time.monotonic() > deadline or not self._more(max(0.01, deadline - time.monotonic())):
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise Mismatch(f"waited for {pattern!r} behind\n{self.shown[self.read:]}\nin\n{self.shown}")

    def type(self, text):
        os.write(self.master, text.encode())

    def echoes(self):
        return bool(termios.tcgetattr(self.master)[3] & termios.ECHO)

    def interrupt(self):
        os.kill(self.process.pid, signal.SIGINT)

    def ended(self, patience=60):
        """The exit code; all that was shown is in `shown`."""
        deadline = time.monotonic() + patience
        while self.process.poll() is None or self._more(0):
            if time.monotonic() > deadline:
                raise Mismatch(f"does not end:\n{self.shown}")
            self._more(0.05)
        while self._more(0):
            pass
        return self.process.returncode

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.master)
