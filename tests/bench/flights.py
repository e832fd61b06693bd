"""What a capture of the delay link says about one connection. Two figures, which are not the same:

flights              how often the client could not go on before the server's answer had come: the least
                     number of round trips that the dialogue, as this client speaks it, can take
round trips waited   the time from the first SYN to the arrival of the final reply (250 after the data),
                     divided by the round-trip time: what it took, delayed ACKs and Nagle's rule included

A flight begins with a packet of the client that carries SYN or payload, when a packet of the server with SYN
or payload has reached the client since its last flight. Pure ACKs begin none, with one exception: the ACK of
the handshake is what makes the server greet, and where a greeting is waited for before the client's first
octet, that is a flight, too. So TCP is 1, the greeting 1, and so on.
What comes after the final reply does not count: flights of nothing but QUIT and TLS's close. With TLS 1.3
their records have known sizes; a record with a command of a message is larger.
"""

import dataclasses

SYN = 2
RECORD = 5 + 1 + 16  # of TLS 1.3: head, content type, tag
FAREWELLS = {RECORD + len("QUIT\r\n"), RECORD + 2, 2 * RECORD + len("QUIT\r\n") + 2}


@dataclasses.dataclass
class Packet:
    at: int  # nanoseconds, when it came to the link
    client: bool
    ports: tuple  # client's, server's
    flags: int
    sequence: int
    length: int


@dataclasses.dataclass
class Flight:
    at: int
    client: bool
    lengths: list
    end: int  # of the last packet


@dataclasses.dataclass
class Connection:
    ports: tuple
    flights: int
    waited: float
    shape: list  # for a person: "c 17" and "s 151", octets of payload by flight


def packets_of(lines):
    for line in lines:
        at, side, source, target, flags, sequence, _, length = line.split()
        ports = (int(source), int(target)) if side == "c" else (int(target), int(source))
        yield Packet(int(at), side == "c", ports, int(flags, 16), int(sequence), int(length))


def connections(lines, one_way_ns, server_port):
    """Every connection to this port that began in the capture, in the order of their SYNs."""
    found = {}
    for packet in packets_of(lines):
        if packet.ports[1] == server_port and (packet.length or packet.flags & SYN):
            found.setdefault(packet.ports, []).append(packet)
    begun = {ports: packets for ports, packets in found.items() if packets[0].flags & SYN}
    return [judge(ports, packets, one_way_ns) for ports, packets in begun.items()]


def in_flights(packets, one_way_ns):
    """The packets by flights: a client's packet begins one when something reached the client before it."""
    flights, seen = [], set()
    reached = None  # when the first answer to the client's newest flight reached it
    for packet in packets:
        key = (packet.client, packet.flags & SYN, packet.sequence)
        if key in seen:
            continue  # sent again
        seen.add(key)
        newest = next((one for one in reversed(flights) if one.client == packet.client), None)
        if packet.client:
            begins = newest is None or (reached is not None and reached <= packet.at)
            reached = None if begins else reached
        else:
            begins = newest is None or flights[-1].client or (newest.lengths == [0])
            reached = packet.at + one_way_ns if reached is None else reached
        if begins:
            flights.append(Flight(packet.at, packet.client, [packet.length], packet.at))
        else:
            newest.lengths.append(packet.length)
            newest.end = packet.at
    return flights


def judge(ports, packets, one_way_ns):
    flights = in_flights(packets, one_way_ns)
    begin = flights[0].at
    last = len(flights)
    while last > 1 and is_farewell(flights[last - 1]):
        last -= 1
    # What the server says after the farewell is no answer that anybody waits for.
    while last < len(flights) and not flights[last].client:
        last += 1
    kept = flights[:last]
    count = sum(1 for one in kept if one.client)
    greeted = next((not one.client for one in kept if sum(one.lengths)), False)
    final = next((one for one in reversed(kept) if not one.client), kept[-1])
    waited = (final.end + one_way_ns - begin) / (2 * one_way_ns) if one_way_ns else 0.0
    shape = [f"{'c' if one.client else 's'} {sum(one.lengths)}" for one in kept]
    return Connection(ports, count + (1 if greeted else 0), waited, shape)


def is_farewell(flight):
    if not flight.client:
        return True
    return sum(flight.lengths) > 0 and all(length in FAREWELLS for length in flight.lengths)
