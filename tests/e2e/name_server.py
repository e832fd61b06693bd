"""A name server of a test: MX records of some domains, all else does not exist. An address of its own on the loopback."""

import os
import socket
import struct
import threading


class NameServer:
    def __init__(self, records):
        self.records = {name.lower(): value for name, value in records.items()}
        self.address = f"127.{77 + os.getpid() // 65536}.{os.getpid() // 256 % 256}.{os.getpid() % 254 + 1}"
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((self.address, 53))
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self):
        while True:
            try:
                asked, peer = self.socket.recvfrom(4096)
            except OSError:
                return
            if not asked:
                return
            self.socket.sendto(self._answer(asked), peer)

    @staticmethod
    def _name(text):
        return b"".join(bytes([len(label)]) + label.encode() for label in text.split(".")) + b"\0"

    def _answer(self, asked):
        labels, at = [], 12
        while asked[at]:
            labels.append(asked[at + 1:at + 1 + asked[at]].decode())
            at += 1 + asked[at]
        question = asked[12:at + 5]
        found = self.records.get(".".join(labels).lower())
        answers = b""
        for preference, host in found or []:
            data = struct.pack(">H", preference) + self._name(host)
            answers += b"\xc0\x0c" + struct.pack(">HHIH", 15, 1, 60, len(data)) + data
        flags = 0x8180 if found is not None else 0x8183
        return asked[:2] + struct.pack(">HHHHH", flags, 1, len(found or []), 0, 0) + question + answers

    def close(self):
        try:
            self.socket.sendto(b"", (self.address, 53))
        finally:
            self.thread.join(2)
            self.socket.close()
