"""A standing mailbearer-agent of a test: started on a socket in the test's folder, asked by the second one."""

import json
import os
import signal
import socket
import subprocess
import time

from rig import end_process


class Agent:
    def __init__(self, case, person, *options, delivery=None, environment=None):
        self.case, self.person = case, person
        self.folder = case.folder / f"agent{len(os.listdir(case.folder))}"
        self.folder.mkdir()
        self.spool = self.folder / "queue"
        self.socket = self.folder / "submit.sock"
        self.control = self.folder / "control.sock"
        self.options, self.extra = options, environment or {}
        self.log = open(self.folder / "log", "ab")
        self.process = None
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [self.case.program("mailbearer-agent"), "--foreground", "--listen", str(self.socket), "--control", str(self.control),
             "--spool", str(self.spool), "--config", str(self.person.config), *self.options],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, env={**self.person.environment, **self.extra})
        process = self.process
        self.case.at_end(lambda: end_process(process))
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise AssertionError("the agent does not start: " + self.said())
            try:
                with socket.socket(socket.AF_UNIX) as probe:
                    probe.connect(str(self.socket))
                    return
            except OSError:
                time.sleep(0.01)
        raise AssertionError("the agent does not listen: " + self.said())

    def said(self):
        return (self.folder / "log").read_text("utf-8", "replace")

    def stop(self, how=signal.SIGTERM, wait=30):
        self.process.send_signal(how)
        return self.process.wait(wait)

    def restart(self):
        if self.process.poll() is None:
            self.stop()
        self.start()

    @property
    def environment(self):
        return {"MAILBEARER_SOCKET": str(self.socket)}

    def send(self, *arguments, **how):
        return self.person.send(*arguments, environment=self.environment, **how)

    def ask(self, request):
        """The lines of the answer, and the last one."""
        with socket.socket(socket.AF_UNIX) as talk:
            talk.settimeout(20)
            talk.connect(str(self.control))
            talk.sendall(request.encode() + b"\r\n")
            lines = []
            for line in talk.makefile("r", encoding="utf-8", newline="\r\n"):
                line = line.rstrip("\r\n")
                if line[3:4] == "-":
                    lines.append(line[4:])
                    continue
                return lines, line
        raise AssertionError("no answer: " + self.said())

    def rows(self):
        lines, last = self.ask("XQUEUE list")
        assert last.endswith("x=0"), last
        return [json.loads(line) for line in lines]

    def status(self):
        lines, last = self.ask("XSTATUS")
        assert last.endswith("x=0"), last
        return json.loads(lines[0])

    def empty(self, patience=30):
        """Waits until nothing is queued."""
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            if self.status()["messages"] == 0:
                return
            time.sleep(0.02)
        raise AssertionError(f"still queued: {self.rows()}\n{self.said()}")

    def until(self, fact, what, patience=30):
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            if fact():
                return
            time.sleep(0.02)
        raise AssertionError(f"never: {what}\n{self.rows()}\n{self.said()}")


def hand_over(path, count, sender="me@sandbox.example", recipient="r{}@example.org"):
    """`count` messages in one session, as front ends would hand them over; the final replies."""
    with socket.socket(socket.AF_UNIX) as talk:
        talk.settimeout(60)
        talk.connect(str(path))
        replies = talk.makefile("r", encoding="utf-8", newline="\r\n")
        assert replies.readline().startswith("220")
        talk.sendall(b"EHLO test\r\n")
        while not replies.readline().startswith("250 "):
            pass
        final = []
        for number in range(count):
            text = f"Subject: {number}\r\n\r\nhello\r\n"
            talk.sendall(f"MAIL FROM:<{sender}>\r\nRCPT TO:<{recipient.format(number)}>\r\nBDAT {len(text)} LAST\r\n{text}".encode())
            replies.readline(), replies.readline()
            final.append(replies.readline().strip())
        talk.sendall(b"QUIT\r\n")
        return final
