"""Messages to send, and the proof that each arrived once and unchanged."""

import collections
import hashlib
import pathlib
import time

import clients

HEADER = (
    "From: Ann Example <{sender}>\n"
    "To: user{n}@example.org\n"
    "Subject: benchmark {n}\n"
    "Date: Fri, 20 Nov 2026 10:00:00 +0000\n"
    "Message-ID: <bench-{n}@example.org>\n"
    "MIME-Version: 1.0\n"
    "Content-Type: text/plain; charset=us-ascii\n"
    "Content-Transfer-Encoding: 7bit\n"
    "\n"
)
LINE = "0123456789 abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ {n:08}\n"
SMALL_LINES = 12


class Post:
    def __init__(self, folder, sink):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(mode=0o755)
        self.sink = sink
        self.last = 0
        self.open = collections.OrderedDict()  # number -> digest of the body, for what was not yet seen

    def write(self, count=1, lines=SMALL_LINES, crlf=False):
        """`count` messages, each other than every one before; the number of the first."""
        first = self.last + 1
        for number in range(first, first + count):
            body = LINE.format(n=number).encode() * lines
            text = HEADER.format(sender=clients.SENDER, n=number).encode() + body
            wanted = body.replace(b"\n", b"\r\n")
            path = self.folder / f"{number}.eml"
            path.write_bytes(text.replace(b"\n", b"\r\n") if crlf else text)
            self.open[number] = hashlib.sha256(wanted).digest()
        self.last += count
        return first

    def pattern(self):
        return self.folder / "{n}.eml"

    def forget(self):
        """After a run that failed: what it left behind is nobody's fault but its own."""
        time.sleep(0.5)
        self.sink.take_all()
        self.open.clear()

    def settle(self, timeout_s=60):
        """What is wrong with the deliveries since the last call; nothing is left open afterwards."""
        deadline = time.monotonic() + timeout_s
        self.sink.wait_for(len(self.open), timeout_s)
        time.sleep(0.01)  # one too many would come as soon
        faults = []
        for delivery in self.sink.take_all():
            faults += self._judge(delivery)
        faults += [f"number {number} did not arrive" for number in self.open]
        for number in range(max(1, self.last - 400), self.last + 1):
            (self.folder / f"{number}.eml").unlink(missing_ok=True)
        self.open.clear()
        if time.monotonic() > deadline + 5:
            faults.append("it took too long")
        return faults

    def _judge(self, delivery):
        head, _, body = delivery.message.partition(b"\r\n\r\n")
        numbers = [address[4:].partition("@")[0] for address in delivery.addresses()]
        if len(numbers) != 1 or not numbers[0].isdigit() or int(numbers[0]) not in self.open:
            return [f"a delivery to {delivery.addresses()} that was not sent, or came twice"]
        number = int(numbers[0])
        faults = []
        # A mailer may put an empty line at the end of a body, or cut one off.
        if hashlib.sha256(body.rstrip(b"\r\n") + b"\r\n").digest() != self.open.pop(number):
            faults.append(f"number {number}: the body is another")
        if f"Subject: benchmark {number}".encode() not in head:
            faults.append(f"number {number}: the header is another")
        if delivery.sender != clients.SENDER:
            faults.append(f"number {number}: from {delivery.sender}")
        return faults
