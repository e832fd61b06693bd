"""A network of a worker's own: namespaces, a loopback, a black hole, an /etc of its own and a name server.

Needs root. In the namespace: 127.0.0.0/8 and ::1; 10.99.0.1 and everything else of 10.99.0.0/24 and fd00:99::/64
behind a device that swallows packets. Names: see ZONE.
"""

import ctypes
import fcntl
import os
import pathlib
import socket
import struct
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))

import host  # noqa: E402

CLONE_NEWNET = 0x40000000
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 1, 0x1000
SIOCGIFFLAGS, SIOCSIFFLAGS, SIOCSIFADDR, SIOCSIFNETMASK, SIOCGIFINDEX = 0x8913, 0x8914, 0x8916, 0x891C, 0x8933
UP_AND_RUNNING = 0x41

HOSTS = "127.0.0.1 localhost mail.faults.example a.b.faults.example\n"
NAME_SERVER = "127.0.0.53"
HOLE_V4, HOLE_V6, NEAR = "10.99.0.2", "fd00:99::2", "10.99.0.1"
FIFTY = [f"127.0.2.{number}" for number in range(1, 51)]

# name -> addresses, or a word for what the name server does
ZONE = {
    "good.dns.example": ["127.0.0.1"],
    "v6.dns.example": ["::1"],
    "v6-refused.dns.example": ["::1", "127.0.0.1"],
    "v6-hole.dns.example": [HOLE_V6, NEAR],
    "v6-holes.dns.example": [HOLE_V6, "fd00:99::3", "fd00:99::4", NEAR],
    "only-hole.dns.example": [HOLE_V4],
    "only-holes.dns.example": [HOLE_V4, HOLE_V6, "10.99.0.3", "10.99.0.4"],
    "fifty.dns.example": FIFTY,
    "empty.dns.example": [],
    "missing.dns.example": "NXDOMAIN",
    "servfail.dns.example": "SERVFAIL",
    "refused.dns.example": "REFUSED",
    "silent.dns.example": "SILENT",
    "garbage.dns.example": "GARBAGE",
    "other-id.dns.example": "OTHER ID",
    "circle.dns.example": "CIRCLE",
    "cut.dns.example": "CUT",
}
CODES = {"NXDOMAIN": 3, "SERVFAIL": 2, "REFUSED": 5}


class Network:
    """Made once in a process, for all of its threads: call it before any is started."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        etc = host.Etc(self)
        etc.write("hosts", HOSTS)
        etc.write("resolv.conf", f"nameserver {NAME_SERVER}\n")
        etc.write("nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n")
        (etc.folder / "gai.conf").unlink(missing_ok=True)
        if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "unshare")
        etc.preexec()()
        self._up("lo")
        self.black_hole = self._make_black_hole()
        self.name_server = NameServer()

    @staticmethod
    def _up(device):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
            asked = fcntl.ioctl(control, SIOCGIFFLAGS, struct.pack("16sh22x", device.encode(), 0))
            flags = struct.unpack("16sh22x", asked)[1] | UP_AND_RUNNING
            fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sh22x", device.encode(), flags))

    def _make_black_hole(self):
        """A TUN device whose packets nobody reads; None where there is no such device."""
        try:
            self._tun = os.open("/dev/net/tun", os.O_RDWR)
            fcntl.ioctl(self._tun, TUNSETIFF, struct.pack("16sH22x", b"hole", IFF_TUN | IFF_NO_PI))
        except OSError:
            return None
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
            for request, address in ((SIOCSIFADDR, NEAR), (SIOCSIFNETMASK, "255.255.255.0")):
                inner = struct.pack("HH4s8x", socket.AF_INET, 0, socket.inet_aton(address))
                fcntl.ioctl(control, request, struct.pack("16s16s8x", b"hole", inner))
            index = struct.unpack("16si20x", fcntl.ioctl(control, SIOCGIFINDEX, struct.pack("16si20x", b"hole", 0)))[1]
        self._up("hole")
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as control:
            wanted = struct.pack("16sIi", socket.inet_pton(socket.AF_INET6, "fd00:99::1"), 64, index)
            fcntl.ioctl(control, SIOCSIFADDR, wanted)
        return "hole"


class NameServer:
    """UDP and TCP, as bad as ZONE says."""

    def __init__(self):
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind((NAME_SERVER, 53))
        self._tcp = socket.create_server((NAME_SERVER, 53))
        for work in (self._serve_udp, self._serve_tcp):
            threading.Thread(target=work, daemon=True).start()

    def _serve_udp(self):
        while True:
            question, peer = self._udp.recvfrom(4096)
            answer = self._answer(question, 512)
            if answer:
                self._udp.sendto(answer, peer)

    def _serve_tcp(self):
        while True:
            connection, _ = self._tcp.accept()
            with connection:
                connection.settimeout(2)
                try:
                    while head := connection.recv(2, socket.MSG_WAITALL):
                        (size,) = struct.unpack("!H", head)
                        answer = self._answer(connection.recv(size, socket.MSG_WAITALL), 65535)
                        if not answer:
                            break
                        connection.sendall(struct.pack("!H", len(answer)) + answer)
                except (OSError, struct.error):
                    pass

    def _answer(self, question, limit):
        number, labels, at = question[:2], [], 12
        while question[at]:
            labels.append(question[at + 1: at + 1 + question[at]].decode("latin-1"))
            at += 1 + question[at]
        name, asked = ".".join(labels).lower(), question[12: at + 5]
        kind = struct.unpack("!H", question[at + 1: at + 3])[0]
        what = ZONE.get(name, "NXDOMAIN")
        if what == "SILENT":
            return None
        if what == "GARBAGE":
            return number + b"\x81\x80" + b"\xff" * 60
        if what == "OTHER ID":
            return bytes([number[0] ^ 1, number[1]]) + struct.pack("!HHHHH", 0x8180, 1, 0, 0, 0) + asked
        if what == "CUT":  # always truncated, and nothing over TCP either
            return number + struct.pack("!HHHHH", 0x8380, 1, 0, 0, 0) + asked if limit == 512 else None
        if what == "CIRCLE":
            record = b"\xc0\x0c" + struct.pack("!HHIH", 5, 1, 5, 2) + b"\xc0\x0c"
            return number + struct.pack("!HHHHH", 0x8180, 1, 1, 0, 0) + asked + record
        if isinstance(what, str):
            return number + struct.pack("!HHHHH", 0x8180 | CODES[what], 1, 0, 0, 0) + asked
        family, length = {1: (socket.AF_INET, 4), 28: (socket.AF_INET6, 16)}.get(kind, (None, 0))
        records = b""
        count = 0
        for address in what:
            if family and (":" in address) == (family == socket.AF_INET6):
                records += b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 5, length) + socket.inet_pton(family, address)
                count += 1
        if 12 + len(asked) + len(records) > limit:
            return number + struct.pack("!HHHHH", 0x8380, 1, 0, 0, 0) + asked
        return number + struct.pack("!HHHHH", 0x8180, 1, count, 0, 0) + asked + records
