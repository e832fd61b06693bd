"""Group flights: how often the client waits for the server before it can go on, counted on the wire, from the
first SYN to the final 250. One more than the protocol needs is a failure (one less, a fault of the counting).

A new connection with STARTTLS: TCP, greeting, EHLO, STARTTLS, TLS, EHLO, AUTH, message: 8.
"""

import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import time

from relay import Relay, flights

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))

from sandbox import Sandbox  # noqa: E402

MESSAGE = b"From: Ann <ann@example.org>\nTo: bob@example.org\nSubject: flights\n\nhello\n"
ONE, TWO = ["-i", "bob@example.org"], ["-i", "bob@example.org", "carol@example.org"]
DATA_FLIGHT = 1

# door, what the configuration says besides, arguments, flights
NEW_CONNECTIONS = (
    ("starttls", {}, ONE, 8),
    ("starttls", {"chunking": "no"}, ONE, 8 + DATA_FLIGHT),
    ("no-chunking", {}, ONE, 8 + DATA_FLIGHT),
    # BDAT in the flight of RCPT only with exactly one recipient: a refused one would not stop the content.
    ("starttls", {}, TWO, 9),
    ("starttls", {"sasl_ir": "no"}, ONE, 8 + 1),
    ("implicit", {}, ONE, 6),
    ("implicit", {"chunking": "no"}, ONE, 6 + DATA_FLIGHT),
)
REUSED = (
    ({}, ["bob@example.org"], 1),
    ({"chunking": "no"}, ["bob@example.org"], 2),
    ({}, ["bob@example.org", "carol@example.org"], 2),
)


# side, milliseconds, octets (0: the packet with SYN), over a wire of 50 ms: counted as so many flights.
EIGHT = "c0:0 s25:0 s75:32 c100:18 s125:160 c150:10 s175:30 c200:300 s225:1200 c250:80 c251:40 s276:450 c301:3400 s326:59"
CAPTURES = (
    ("eight", EIGHT + " c351:1300 s376:137", 8),
    ("QUIT afterwards, TLS 1.3, does not count", EIGHT + " c351:1300 s376:59 c401:28 s426:40 c451:24", 8),
    ("one command waited for more", EIGHT + " c351:36 s376:40 c401:1300 s426:137", 9),
    # Nagle's rule: the second EHLO waits for the ACK of Finished, and so for the server's tickets.
    ("a small write held back", EIGHT.replace("c251:40 s276:450", "s275:250 c300:40 s325:200").replace(
        "c301:3400 s326:59", "c350:3400 s375:59") + " c400:1300 s425:137", 9),
    ("without a greeting before the first octet", "c0:0 s25:0 c50:300 s75:1200 c100:80 s125:300", 3),
)


def run(stand, checks):
    checks.group("flights")
    for name, capture, wanted in CAPTURES:
        counting(checks, name, capture, wanted)
    for door, keys, argv, wanted in NEW_CONNECTIONS:
        new_connection(stand, checks, door, keys, argv, wanted)
    resumed(stand, checks)
    expired_token(stand, checks)
    for keys, recipients, wanted in REUSED:
        open_connection(stand, checks, keys, recipients, wanted)
    microsoft(stand, checks)
    graph(stand, checks)


def counting(checks, name, capture, wanted):
    """The counter itself, by captures written by hand."""
    lines = []
    for number, word in enumerate(capture.split()):
        at, _, octets = word[1:].partition(":")
        ports = "4000 587" if word[0] == "c" else "587 4000"
        lines.append(f"{int(at) * 1_000_000} {word[0]} {ports} {2 if octets == '0' else 16:02x} {number} 0 {octets}")
    checks.check(f"counting: {name}", count_faults(flights.connections(lines, 25_000_000, 587), wanted))


def configuration(stand, relay, door="starttls", **keys):
    keys = {"sasl_ir": "yes", "keyring": "flights", **keys}
    return stand.configuration(door=door, smtp_port=relay.port, **keys)


def send(stand, relay, configured, argv, expect_at="starttls.rig"):
    """Faults of one message over the relay, and its connections."""
    relay.clear()
    outcome = stand.send(configured, argv, MESSAGE)
    faults = [] if outcome.code == 0 else [f"exit code {outcome.code}: {outcome.line().strip()}"]
    if expect_at and not faults and stand.rig.sink.take(expect_at, 15) is None:
        faults.append("nothing arrived")
    return faults, relay.connections()


def count_faults(found, wanted):
    if len(found) != 1:
        return [f"{len(found)} connections"]
    if found[0].flights == wanted:
        return []
    return [f"{found[0].flights} flights, not {wanted}: {' | '.join(found[0].shape)}"]


def new_connection(stand, checks, door, keys, argv, wanted):
    said = ", ".join([door, *(f"{key} = {value}" for key, value in keys.items()), f"{len(argv) - 1} recipients"])
    with Relay(stand.rig.port(door)) as relay:
        configured = configuration(stand, relay, door, **keys)
        send(stand, relay, configured, argv, f"{door}.rig")  # the token comes into the cache
        faults, found = send(stand, relay, configured, argv, f"{door}.rig")
        checks.check(f"new connection, {said}: {wanted} flights", faults + count_faults(found, wanted))


def resumed(stand, checks):
    """A TLS session from the runtime directory: the same flights, and no certificate comes again."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="run-", dir=stand.folder))
    with Relay(stand.rig.port("starttls")) as relay:
        path = configuration(stand, relay, timeout="61s")
        own = path.with_suffix(".runtime.conf")
        own.touch(mode=0o600)
        own.write_text(path.read_text().replace("[mailbearer]\n", f"[mailbearer]\nruntime_dir = {folder}\n"))
        faults, first = send(stand, relay, own, ONE)
        checks.check("a first connection, to be resumed", faults)
        faults, found = send(stand, relay, own, ONE)
        faults += count_faults(found, 8)
        if not faults and octets_of_server(found[0]) > octets_of_server(first[0]) - 300:
            faults.append(f"the server's flights are as long as without a session: {' | '.join(found[0].shape)}")
        checks.check("a resumed TLS session: 8 flights", faults)


def octets_of_server(connection):
    return sum(int(one.split()[1]) for one in connection.shape if one.startswith("s"))


def expired_token(stand, checks):
    """The refresh runs beside the dialogue, which needs the token at AUTH only."""
    identity = stand.rig.identity
    with Relay(stand.rig.port("starttls"), hold_s=0.025) as relay:
        path = configuration(stand, relay, keyring="flights-expired")
        send(stand, relay, path, ONE)
        faults, cached = send(stand, relay, path, ONE)
        checks.check("a cached token, round trips of 50 ms: 8 flights", faults + count_faults(cached, 8))
        identity.told_lifetime_s = 1
        identity.delay_s = 0.1
        try:
            identity.revoke_access_tokens()
            send(stand, relay, path, ONE)  # refused, renewed: the cache now holds a token that ends at once
            time.sleep(1.2)
            before = identity.token_requests
            faults, found = send(stand, relay, path, ONE)
            faults += count_faults(found, 8)
            if identity.token_requests != before + 1:
                faults.append(f"{identity.token_requests - before} token requests, not one")
        finally:
            identity.told_lifetime_s = 3600
            identity.delay_s = 0.0
        if not faults and cached and found[0].waited > cached[0].waited + 1:
            faults.append(f"waited {found[0].waited:.1f} round trips, with a cached token {cached[0].waited:.1f}")
        checks.check("an expired token: 8 flights, and not one round trip more", faults)


def open_connection(stand, checks, keys, recipients, wanted):
    said = ", ".join([*(f"{key} = {value}" for key, value in keys.items()), f"{len(recipients)} recipients"])
    with Relay(stand.rig.port("starttls")) as relay:
        path = configuration(stand, relay, **keys)
        send(stand, relay, path, ["-i", *recipients])
        relay.clear()
        faults, before = [], 0
        with Session(stand, path) as session:
            for turn in range(3):
                code = session.submit(recipients, MESSAGE.replace(b"hello", b"turn %d" % turn))
                faults += [] if code == 0 else [f"message {turn + 1}: exit code {code}: {session.said[-1]}"]
                if not faults and stand.rig.sink.take("starttls.rig", 15) is None:
                    faults.append(f"message {turn + 1} did not arrive")
                found = relay.connections()
                if len(found) != 1:
                    faults.append(f"message {turn + 1}: {len(found)} connections")
                elif turn and found[0].flights - before != wanted:
                    faults.append(f"message {turn + 1}: {found[0].flights - before} flights: {' | '.join(found[0].shape)}")
                if faults:
                    break
                before = found[0].flights
        checks.check(f"an open connection, {said}: {wanted} flights a message", faults)


class Session:
    """The handover (ESMTP) with a one-shot agent over a socket pair, as sendmail has it, for several messages."""

    def __init__(self, stand, path):
        ours, theirs = socket.socketpair()
        self.stream = ours
        self.said = []
        self.process = subprocess.Popen(
            [stand.programs / "mailbearer-agent", "--once", "--user", "--config", str(path)],
            stdin=theirs, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={"PATH": "/usr/bin:/bin"}, cwd="/",
        )
        theirs.close()
        ours.settimeout(60)
        self.file = ours.makefile("rb")

    def __enter__(self):
        self._reply()
        self._ask(b"EHLO localhost\r\n")
        return self

    def __exit__(self, *_):
        try:
            self.stream.sendall(b"QUIT\r\n")
            self._reply()
        except OSError:
            pass
        self.file.close()
        self.stream.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _reply(self):
        while True:
            line = self.file.readline().decode("utf-8", "replace").rstrip()
            self.said.append(line)
            if line[3:4] != "-" and line[:1] != "1":
                return line

    def _ask(self, octets):
        self.stream.sendall(octets)
        return self._reply()

    def submit(self, recipients, message):
        """The exit code that the agent's verdict names; -1 when it named none."""
        content = message.replace(b"\n", b"\r\n")
        lines = ["MAIL FROM:<ann@example.org>", *(f"RCPT TO:<{one}>" for one in recipients), f"BDAT {len(content)} LAST"]
        self.stream.sendall("".join(f"{line}\r\n" for line in lines).encode() + content)
        for _ in lines:
            final = self._reply()
        told = re.search(r" x=(\d+)$", final)
        return int(told.group(1)) if told else -1 if not final.startswith("250") else 0


def microsoft(stand, checks):
    """The preset against the sandbox, which answers as Exchange Online does: BDAT is refused there, so DATA."""
    with tempfile.TemporaryDirectory(prefix="sandbox-", dir=stand.folder) as folder:
        box = Sandbox(stand.programs / "mailbearer-sandbox", pathlib.Path(folder) / "box")
        try:
            with Relay(box.smtp_port) as relay:
                path = microsoft_configuration(stand, box, relay, pathlib.Path(folder))
                faults, _ = send(stand, relay, path, ONE, None)
                checks.check("provider = microsoft, first message", faults)
                faults, found = send(stand, relay, path, ONE, None)
                if len(box.mails()) != 2:
                    faults.append(f"{len(box.mails())} messages arrived, not two")
                checks.check("provider = microsoft, the sandbox: 9 flights", faults + count_faults(found, 9))
        finally:
            box.stop()


def graph(stand, checks):
    """By Graph: TCP, TLS, the POST. The sandbox speaks HTTP/1.1; HTTP/2 sends its preface with the request."""
    with tempfile.TemporaryDirectory(prefix="sandbox-", dir=stand.folder) as folder:
        box = Sandbox(stand.programs / "mailbearer-sandbox", pathlib.Path(folder) / "box")
        try:
            with Relay(box.facts["http"]["port"], hold_s=0.025) as relay:
                endpoint = box.facts["graph_endpoint"].replace(f":{relay.target}/", f":{relay.port}/")
                lines = box.graph(extra=f"rewrite_from = always\ngraph_endpoint = {endpoint}")
                path = sandbox_configuration(stand, box, pathlib.Path(folder), lines)
                faults, _ = send(stand, relay, path, ONE, None)
                checks.check("transport = graph, first message", faults)
                faults, found = send(stand, relay, path, ONE, None)
                faults += count_faults(found, 3)
                if not faults and found[0].waited > 3.5:
                    faults.append(f"waited {found[0].waited:.1f} round trips")
                checks.check("transport = graph, a cached token, round trips of 50 ms: 3 flights", faults)
                relay.clear()
                checks.check("transport = graph, an open connection: 1 flight a message", graph_session(stand, relay, path))
                checks.check("transport = graph: every message once", len(box.mails()) == 5)
        finally:
            box.stop()


def graph_session(stand, relay, path):
    before = 0
    with Session(stand, path) as session:
        for turn in range(3):
            code = session.submit(["bob@example.org"], MESSAGE.replace(b"hello", b"turn %d" % turn))
            if code != 0:
                return [f"message {turn + 1}: exit code {code}: {session.said[-1]}"]
            found = relay.connections()
            if len(found) != 1 or (turn and found[0].flights - before != 1):
                return [f"message {turn + 1}: {[one.shape for one in found]}"]
            before = found[0].flights
    return []


def microsoft_configuration(stand, box, relay, folder):
    return sandbox_configuration(stand, box, folder,
                                 f"provider = microsoft\nchunking =\nsmtp_port = {relay.port}\nrewrite_from = always")


def sandbox_configuration(stand, box, folder, lines):
    keyring = folder / "keyring"
    keyring.mkdir(mode=0o700)
    account = box.account("work", keyring, lines)
    path = folder / "mailbearer.conf"
    path.touch(mode=0o600)
    path.write_text(f"[mailbearer]\ndefault = work\ndomain = example.org\nstate_dir = {folder / 'state'}\n{account}")
    stand.set_secret(path, "refresh-token", box.refresh_token("me@sandbox.example"))
    return path
