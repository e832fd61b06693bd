"""The last hop: an LMTP server (RFC 2033) that keeps what Postfix hands on.

It records MAIL FROM and RCPT TO with their parameters and the bytes between DATA and the lone dot,
dots unstuffed, nothing else changed. It offers 8BITMIME, SMTPUTF8 and DSN, so that Postfix has no
reason to convert anything. Owns: one listening socket and its threads.
"""

import re
import socket
import threading
import time

END_OF_DATA = b"\r\n.\r\n"
RECEIVED = re.compile(rb"\AReceived: .*?(?:\r\n[ \t].*?)*\r\n")
# Of Postfix's Received field: "by w3.rig (Postfix) with ESMTPSA id 4XyZ".
TRACE = re.compile(rb"\sby (\S+) \(Postfix\) with (\S+) id ([0-9A-Za-z]+)")


class Delivery:
    """One message as it arrived: `door` is the Postfix service that took it, `queue_id` its id there."""

    def __init__(self, sender, sender_parameters, recipients, received, message):
        self.sender = sender
        self.sender_parameters = sender_parameters
        self.recipients = recipients  # [(address, [parameter, ...])]
        self.message = message  # what the client gave to Postfix: Postfix's own Received is taken off
        trace = TRACE.search(re.sub(rb"\r\n[ \t]+", b" ", received))
        self.door, self.protocol, self.queue_id = (
            (part.decode() for part in trace.groups()) if trace else ("", "", "")
        )

    def addresses(self):
        return [address for address, _ in self.recipients]


class Sink:
    def __init__(self):
        self._deliveries = []
        self._changed = threading.Condition()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self._listener.close()

    def take(self, door, timeout_s):
        """The oldest message not yet taken that came through this door, or None."""
        deadline = time.monotonic() + timeout_s
        with self._changed:
            while True:
                for delivery in self._deliveries:
                    if delivery.door == door:
                        self._deliveries.remove(delivery)
                        return delivery
                left = deadline - time.monotonic()
                if left <= 0:
                    return None
                self._changed.wait(left)

    def take_all(self):
        with self._changed:
            taken, self._deliveries = self._deliveries, []
            return taken

    def count(self):
        with self._changed:
            return len(self._deliveries)

    def wait_for(self, count, timeout_s):
        deadline = time.monotonic() + timeout_s
        with self._changed:
            while len(self._deliveries) < count and time.monotonic() < deadline:
                self._changed.wait(max(0, deadline - time.monotonic()))
            return len(self._deliveries)

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        try:
            with connection:
                Session(connection, self._keep).run()
        except OSError:
            pass

    def _keep(self, delivery):
        with self._changed:
            self._deliveries.append(delivery)
            self._changed.notify_all()


class Session:
    def __init__(self, connection, keep):
        self.connection = connection
        self.keep = keep
        self.buffer = bytearray()
        self.reset()

    def reset(self):
        self.sender, self.sender_parameters, self.recipients = None, [], []

    def say(self, text):
        self.connection.sendall(text.encode() + b"\r\n")

    def more(self):
        piece = self.connection.recv(1 << 20)
        if not piece:
            raise OSError("closed")
        self.buffer += piece

    def line(self):
        while (end := self.buffer.find(b"\r\n")) < 0:
            self.more()
        line = bytes(self.buffer[:end])
        del self.buffer[: end + 2]
        return line.decode("utf-8", "surrogateescape")

    def run(self):
        self.say("220 sink.rig LMTP")
        while True:
            line = self.line()
            verb = line.split(" ")[0].split(":")[0].upper()
            if verb == "LHLO":
                self.say("250-sink.rig\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-DSN\r\n250 ENHANCEDSTATUSCODES")
            elif verb == "MAIL":
                self.sender, self.sender_parameters = self.path(line)
                self.say("250 2.1.0 ok")
            elif verb == "RCPT":
                self.recipients.append(self.path(line))
                self.say("250 2.1.5 ok")
            elif verb == "DATA":
                self.say("354 go on")
                self.data()
            elif verb == "RSET":
                self.reset()
                self.say("250 2.0.0 ok")
            elif verb == "QUIT":
                self.say("221 2.0.0 bye")
                return
            else:
                self.say("502 5.5.2 not known here")

    @staticmethod
    def path(line):
        match = re.match(r'\S+ ?\S+?:\s*<((?:"(?:[^"\\]|\\.)*"|[^>"])*)>\s*(.*)\Z', line)
        if not match:
            raise OSError("cannot read " + line)
        return match.group(1), match.group(2).split()

    def data(self):
        searched = 0
        while (end := self.buffer.find(END_OF_DATA, searched)) < 0 and not self.buffer.startswith(b".\r\n"):
            searched = max(0, len(self.buffer) - len(END_OF_DATA))
            self.more()
        message = bytes(self.buffer[: end + 2])
        del self.buffer[: end + len(END_OF_DATA)]
        message = message.replace(b"\r\n..", b"\r\n.")
        received = RECEIVED.match(message)
        cut = received.end() if received else 0
        self.keep(Delivery(self.sender, self.sender_parameters, self.recipients, message[:cut], message[cut:]))
        for _ in self.recipients:
            self.say("250 2.0.0 kept")
        self.reset()
