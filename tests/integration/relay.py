"""A wire with a length for one port of the loopback: passes bytes on in order, each piece held for half the
round-trip time, and counts the flights of each connection as tests/bench/flights.py does. It ends TCP on both
sides, so that handshake and ACKs are the loopback's own: the handshake counts as the flight that it is, and
delayed ACKs do not show. Needs no namespace and no root. Owns: a listening socket, its threads.
"""

import collections
import pathlib
import selectors
import socket
import sys
import threading
import time

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "bench"))

import flights  # noqa: E402

PIECE = 1 << 16


class Relay:
    def __init__(self, port, hold_s=0.012):
        self.target = port
        self.hold_ns = int(hold_s * 1e9)
        self.packets = []
        self._counted = set()  # the ports of the connections that began since clear()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=16)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        # shutdown, since close alone does not wake a thread that accepts.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def clear(self):
        """Nothing of an earlier connection counts any more, its farewell neither."""
        with self._lock:
            self.packets = []
            self._counted = set()

    def connections(self):
        """What each connection since clear() came to, in the order of their beginnings."""
        with self._lock:
            found = collections.OrderedDict()
            for packet in self.packets:
                found.setdefault(packet.ports, []).append(packet)
        return [flights.judge(ports, packets, self.hold_ns) for ports, packets in found.items()]

    def _note(self, ports, client, flags, length, ago_ns=0):
        with self._lock:
            if flags & flights.SYN:
                self._counted.add(ports)
            if ports not in self._counted:
                return
            number = len(self.packets)
            at = time.monotonic_ns() - ago_ns
            self.packets.append(flights.Packet(at, client, ports, flags, number, length))

    def _accept(self):
        while True:
            try:
                client, address = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._pass_on, args=(client, (address[1], self.target)), daemon=True).start()

    def _pass_on(self, client, ports):
        # The loopback has shaken hands at once; over this wire it would have taken a round trip.
        self._note(ports, True, flights.SYN, 0, 2 * self.hold_ns)
        self._note(ports, False, flights.SYN, 0, self.hold_ns)
        with client, socket.create_connection(("127.0.0.1", self.target)) as server:
            ways = {client: Way(server), server: Way(client)}
            for one in ways:
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with selectors.DefaultSelector() as selector:
                for one in ways:
                    selector.register(one, selectors.EVENT_READ)
                try:
                    self._turn(selector, ways, client, ports)
                except OSError:
                    pass  # one side has gone without a farewell

    def _turn(self, selector, ways, client, ports):
        while selector.get_map() or any(way.held for way in ways.values()):
            now = time.monotonic_ns()
            waits = [way.deliver(now) for way in ways.values()]
            left = min((wait for wait in waits if wait is not None), default=None)
            if left is None and not selector.get_map():
                return
            for key, _ in selector.select(None if left is None else left / 1e9):
                piece = key.fileobj.recv(PIECE)
                if piece:
                    self._note(ports, key.fileobj is client, 0, len(piece))
                else:
                    selector.unregister(key.fileobj)
                ways[key.fileobj].held.append((time.monotonic_ns() + self.hold_ns, piece))


class Way:
    """One direction: what is held, and where it goes."""

    def __init__(self, to):
        self.to = to
        self.held = collections.deque()

    def deliver(self, now):
        """Passes on what is due; nanoseconds until the next piece, None when nothing is held."""
        while self.held and self.held[0][0] <= now:
            piece = self.held.popleft()[1]
            if piece:
                self.to.sendall(piece)
            else:
                self.to.shutdown(socket.SHUT_WR)
        return max(0, self.held[0][0] - now) if self.held else None
