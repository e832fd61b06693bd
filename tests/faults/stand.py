"""Sends one message through the real programs to a server that does one thing wrong, and judges what came of it.

Owns: a folder for each slot (configuration, keyring, runtime folder), a launcher process. Several slots of a worker run
side by side; nothing is shared between them but the identity provider.
"""

import base64
import dataclasses
import json
import pathlib
import re
import socket
import ssl
import subprocess
import sys
import warnings

import server

_here = pathlib.Path(__file__).resolve().parent
sys.path.append(str(_here.parent / "integration"))

from identity import Identity  # noqa: E402
from openssl_server import OpensslServer  # noqa: E402

warnings.filterwarnings("ignore", category=DeprecationWarning)

USER = "me@faults.example"
RECIPIENTS = ["ann@example.org", "bob@example.org", "eve@example.org"]
PATIENCE_S = 60
# I5 of the facts allows 32 and 64 MB; no reply of a server may make more of it than an ordinary message does.
PEAK_KIB = 16 * 1024
PEAK_WITH_HELPER_KIB = 32 * 1024
MOST_CONNECTIONS = 2  # a second one where a token or a resumed session was refused
LARGE_LINES = 200_000  # of 40 octets: more than the buffers between two sockets hold
KEYWORDS = ["SIZE 100000000", "8BITMIME", "ENHANCEDSTATUSCODES", "DSN", "SMTPUTF8"]


@dataclasses.dataclass(frozen=True)
class Expect:
    """Exit codes, and how the line on standard error must begin behind "sendmail: "."""
    codes: tuple
    words: str = ""


@dataclasses.dataclass
class Case:
    name: str
    expect: Expect
    faults: dict = dataclasses.field(default_factory=dict)
    pipelining: bool = True
    chunking: bool = True
    recipients: int = 1
    large: bool = False
    implicit: bool = False
    keys: dict = dataclasses.field(default_factory=dict)  # of the account
    host: str = "127.0.0.1"
    bind: str = "127.0.0.1"  # None: nobody listens
    tls: tuple = ("good", None, None)  # chain, newest version, ciphers, and perhaps a group
    keywords: list = None  # instead of the usual ones
    plain_keywords: list = None
    mechanisms: str = server.AUTH_KEYWORD
    distrusted: bool = False
    connections: int = 1 << 30  # the first so many meet the fault
    before: bool = False  # an ordinary message goes first, to the same port
    resumes: bool = False  # its TLS session is the one of the message before
    again: bool = False  # and another one afterwards: the fault has ended
    waits: bool = False
    verbose: bool = False
    refuse_first_token: bool = False
    met: bool = True  # the fault must have been reached
    limit: float = 6.0  # seconds
    check: object = None  # (outcome, [Seen], slot) -> list of what is wrong
    openssl: tuple = None  # (options, trick, stage) of an OpensslServer instead of the usual one
    pinned: bool = False  # belongs to the short run, too


@dataclasses.dataclass
class Outcome:
    code: int
    seconds: float
    peak: int
    left: int
    out: str
    err: str


class Contexts:
    """Server sides of TLS, each made once."""

    def __init__(self, certificates):
        self.certificates, self._made = certificates, {}

    def get(self, facts):
        if facts not in self._made:
            self._made[facts] = self._make(*facts)
        return self._made[facts]

    def chain(self, name):
        if name == "good":
            return self.certificates.good
        if name == "wildcard":
            return self.certificates.good_wildcard
        if name in self.certificates.sound:
            return self.certificates.sound[name]
        return self.certificates.bad[name][0]

    def _make(self, chain, newest, ciphers, group=None):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1
        if ciphers or newest or chain != "good":
            context.set_ciphers(ciphers or "ALL:@SECLEVEL=0")
        if newest:
            context.maximum_version = getattr(ssl.TLSVersion, newest)
        if group:
            context.set_ecdh_curve(group)
        context.load_cert_chain(self.chain(chain))
        return context


class Slot:
    def __init__(self, folder, programs, contexts, identity):
        self.folder, self.programs, self.contexts, self.identity = folder, programs, contexts, identity
        for name in ("", "keyring", "run"):
            (folder / name).mkdir(mode=0o700)
        self.config = folder / "mailbearer.conf"
        self.small, self.large = folder / "small", folder / "large"
        text = "From: me@faults.example\nTo: all@example.org\nSubject: a fault\n\nfirst line\n.dot\n..dots\n"
        self.small.write_text(text + "last line\n")
        self.large.write_text(text + "A line of a message that is large. 40b\n" * LARGE_LINES + "last line\n")
        self.launcher = subprocess.Popen(
            [sys.executable, "-I", "-S", str(_here / "launcher.py")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.client = folder.name
        self.refresh_token = identity.new_refresh_token(USER)
        self._ready = self.sanitized = False
        self.highest_peak, self.highest_case = 0, ""

    def close(self):
        self.launcher.stdin.close()
        self.launcher.wait()
        self.launcher.stdout.close()

    def make_ready(self):
        """The secret is set and an access token cached, so that the cases meet no token request."""
        if self._ready:
            return []
        self._ready = True
        self.write_config(Case("", None), 1)
        done = subprocess.run([self.programs / "mailbearer", "secret", "set", "work", "refresh-token"], env=self.environment(),
                              input=self.refresh_token.encode(), capture_output=True, timeout=PATIENCE_S)
        if done.returncode:
            return [f"mailbearer secret set: {done.stderr!r}"]
        return self.run(Case("an ordinary message", Expect((0,))), first=True)

    def environment(self):
        return {"PATH": "/usr/bin:/bin", "MAILBEARER_CONFIG": str(self.config)}

    def write_config(self, case, port):
        keys = {
            "provider": "smtp", "smtp_host": case.host, "smtp_port": port, "smtp_tls": "implicit" if case.implicit else "starttls",
            "auth": "xoauth2", "user": USER, "client_id": self.client, "token_endpoint": self.identity.token_endpoint,
            "scope": "https://faults.example/smtp", "ca_file": self.contexts.certificates.trusted, "keyring": "file",
            "keyring_dir": self.folder / "keyring", "timeout": "1s", "sasl_ir": "yes", **case.keys}
        text = f"[mailbearer]\ndefault = work\nruntime_dir = {self.folder / 'run'}\n\n[account work]\n"
        self.config.touch(mode=0o600)
        self.config.write_text(text + "".join(f"{key} = {value}\n" for key, value in keys.items()))

    def send(self, case, large):
        argv = [str(self.programs / "sendmail"), "-i", *(["-v"] if case.verbose else []), "-f", USER, *self.addresses(case)]
        order = {"argv": argv, "environment": self.environment(), "input": str(self.large if large else self.small),
                 "output": str(self.folder / "out"), "errors": str(self.folder / "err"), "limit": PATIENCE_S}
        self.launcher.stdin.write(json.dumps(order) + "\n")
        self.launcher.stdin.flush()
        told = json.loads(self.launcher.stdout.readline())
        if told["peak"] > self.highest_peak:
            self.highest_peak, self.highest_case = told["peak"], case.name
        out, err = ((self.folder / name).read_text("latin-1") for name in ("out", "err"))
        return Outcome(told["code"], told["seconds"], told["peak"], told["left"], out, err)

    @staticmethod
    def addresses(case):
        return [*RECIPIENTS, *(f"r{number}@example.org" for number in range(4, case.recipients + 1))][: case.recipients]

    def keywords(self, case):
        if case.keywords is not None:
            return case.keywords
        return KEYWORDS + ["PIPELINING"] * case.pipelining + ["CHUNKING"] * case.chunking

    def plan(self, case):
        more = {} if case.plain_keywords is None else {"plain_keywords": case.plain_keywords}
        refused = tuple(self.sasl_messages()) if case.refuse_first_token else ()
        return server.Plan(tls=self.contexts.get(case.tls), implicit=case.implicit, keywords=self.keywords(case),
                           mechanisms=case.mechanisms, faults=case.faults, connections=case.connections,
                           refused_tokens=refused, **more)

    def tokens(self):
        return list(self.identity.access_tokens)

    def sasl_messages(self):
        return [f"user={USER}\x01auth=Bearer {token}\x01\x01".encode() for token in self.tokens()]

    def run(self, case, first=False):
        """One case, with what belongs before and after it: a list of what is wrong."""
        if not first and (wrong := self.make_ready()):
            return wrong
        ordinary = Case("ordinary", Expect((0,)), implicit=case.implicit, host=case.host, keys=case.keys, met=False,
                        keywords=self.keywords(case), recipients=case.recipients)
        port = 0
        if case.before:
            outcome, seen, port = self.once(ordinary, 0)
            if wrong := Judge(self, ordinary, outcome, seen).faults():
                return [f"before the fault: {one}" for one in wrong]
        outcome, seen, port = self.once(case, port)
        wrong = Judge(self, case, outcome, seen).faults()
        if case.again and not wrong:
            outcome, seen, _ = self.once(ordinary, port)
            wrong = [f"after the fault: {one}" for one in Judge(self, ordinary, outcome, seen).faults()]
        return wrong

    def token_requests(self):
        """Of this slot alone."""
        return sum(1 for form in self.identity.requests if form.get("client_id") == self.client)

    def once(self, case, port):
        self.requests_before = self.token_requests()
        if case.bind is None:
            with socket.create_server(("127.0.0.1", 0)) as closed:
                port = closed.getsockname()[1]
            self.write_config(case, port)
            return self.send(case, case.large), [], port
        if case.openssl:
            options, trick, stage = case.openssl
            listener = OpensslServer(self.contexts.chain(case.tls[0]), options, trick, stage)
        else:
            listener = server.Server((case.bind, port), self.plan(case))
        try:
            self.write_config(case, listener.port)
            outcome = self.send(case, case.large)
        finally:
            seen = listener.close()
        return outcome, seen, listener.port


def fold(text):
    return text.replace("\n", "\r\n").encode()


class Judge:
    """What must hold after every run, whatever went wrong: I1, I3 to I7 of the facts, and the case's own expectation."""

    def __init__(self, slot, case, outcome, seen):
        self.slot, self.case, self.outcome, self.seen = slot, case, outcome, seen
        self.helped = slot.token_requests() != slot.requests_before

    def faults(self):
        said = self.outcome.err.strip() or f"exit {self.outcome.code}, silent"
        wrong = [*self.of_the_result(), *self.of_the_bounds(), *self.of_the_copies(), *self.of_the_wire(), *self.of_secrets()]
        if self.case.check:
            wrong += self.case.check(self.outcome, self.seen, self.slot)
        return [f"{one} [{said}]" for one in wrong]

    def of_the_result(self):
        code, err, wanted = self.outcome.code, self.outcome.err, self.case.expect
        if code not in wanted.codes:
            yield f"exit code {code}, expected {' or '.join(map(str, wanted.codes))}"
        if self.outcome.out and not self.case.verbose:
            yield f"wrote to standard output: {self.outcome.out[:100]!r}"
        if code == 0:
            if err:
                yield "success is not silent"
            return
        if not re.fullmatch(r"[\x20-\x7e]{20,1500}\n", err):
            yield f"standard error is not one printable line: {err[:300]!r}"
        if not re.match(r"sendmail: (not sent|outcome unknown, may have been delivered) \(work\): ", err):
            yield "the line does not begin as it should"
        if code in wanted.codes and not re.match("sendmail: (?:" + wanted.words + ")", err):
            yield f"the line does not begin with /{wanted.words}/"

    def of_the_bounds(self):
        if self.outcome.seconds > self.case.limit * (2 if self.slot.sanitized else 1):
            yield f"it took {self.outcome.seconds:.1f} s, expected at most {self.case.limit} s"
        # A token that is asked for anew needs the helper, which links more.
        bound = PEAK_WITH_HELPER_KIB if self.helped else PEAK_KIB
        if self.outcome.peak > bound and not self.slot.sanitized:
            yield f"{self.outcome.peak} KiB of memory, expected at most {bound}"
        if self.outcome.left:
            yield "a process was still there 3 s later"

    def of_the_copies(self):
        contents = [one for seen in self.seen for one in seen.contents]
        complete = [one for one in contents if one.complete]
        accepted = [one for one in complete if one.accepted]
        unknown = self.outcome.err.startswith("sendmail: outcome unknown, may have been delivered")
        if self.outcome.code == 0 and len(accepted) != 1:
            yield f"exit 0, and the server has taken {len(accepted)} copies"
        if accepted and self.outcome.code != 0 and not unknown:
            yield "the server has taken the message, and the caller hears that it was not sent"
        if len(self.seen) > MOST_CONNECTIONS:
            yield f"{len(self.seen)} connections"
        if len(accepted) > 1:
            yield f"{len(accepted)} copies were taken"
        text = (self.slot.large if self.case.large else self.slot.small).read_text()
        body = fold(text.partition("\n\n")[2])
        for one in complete:
            if not one.accepted and not one.octets:
                continue
            head, _, rest = one.octets.partition(b"\r\n\r\n")
            if rest != body or b"\r\nSubject: a fault" not in b"\r\n" + head:
                yield f"an incomplete message was ended: {len(rest)} of {len(body)} octets of the body"

    PLAIN = re.compile(rb"(?s)(?:(?:EHLO [^\r\n]+|STARTTLS|QUIT)\r\n)*(?:\x16\x03.*|\x15\x03.{5})?\Z")

    def of_the_wire(self):
        for seen in self.seen:
            yield from seen.wrong
            if not self.PLAIN.match(bytes(seen.plain)):
                yield f"said in the clear: {bytes(seen.plain[:200])!r}"
            if self.case.distrusted and (seen.secure or seen.sign_ins):
                yield f"said to a server that is not trusted: {bytes(seen.secure[:60])!r}"
        if self.case.resumes and not any(seen.resumed for seen in self.seen):
            yield "no TLS session was resumed"
        if self.case.faults and self.case.met and not any(seen.struck for seen in self.seen):
            yield "the fault was never reached: " + " | ".join(
                command[:60] for seen in self.seen for command in seen.commands)

    def of_secrets(self):
        told = self.outcome.err + self.outcome.out
        for token in self.slot.tokens() + [self.slot.refresh_token]:
            whole = base64.b64encode(f"user={USER}\x01auth=Bearer {token}\x01\x01".encode()).decode()
            if any(piece in told for piece in (token[20:60], whole[60:100], base64.b64encode(token.encode()).decode()[20:60])):
                yield "a secret was told"


class Stand:
    """What the slots of one worker share."""

    def __init__(self, folder, programs, certificates, slots, sanitized=False):
        self.contexts = Contexts(certificates)
        self.identity = Identity(certificates.good)
        self.slots = [Slot(pathlib.Path(folder) / f"slot{number}", pathlib.Path(programs), self.contexts, self.identity)
                      for number in range(slots)]
        for slot in self.slots:
            slot.sanitized = sanitized

    def close(self):
        for slot in self.slots:
            slot.close()
        self.identity.close()
