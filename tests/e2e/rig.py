"""The rig of the end-to-end tests: one Case a test, with sandboxes, people and their calls of sendmail.

    def test_something(case):
        box = case.box("--strict-rotation")            # a mailbearer-sandbox of our own
        me = case.person(box)                          # a configuration and a keyring for it
        result = me.send("-i", "ann@example.org", text="Subject: hello\\n\\nhello\\n")
        result.succeeded()
        case.same(box.mails()[0].recipients, ["ann@example.org"])

Owns: a folder per test, the processes in it. Everything is on 127.0.0.1.
"""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time

from sandbox import Sandbox

PATIENCE_S = 60
BODY = "Subject: hello\n\nHow are you?\n"


def plain_build_only(function):
    """Measures what sanitizers change."""
    function.plain_build_only = True
    return function


def weight(number):
    """Heavier tests are started first."""

    def mark(function):
        function.weight = number
        return function

    return mark


class Mismatch(AssertionError):
    pass


def same(got, wanted, what=""):
    if got != wanted:
        raise Mismatch(f"{what}\n  wanted: {wanted!r}\n  got:    {got!r}")


def matches(got, pattern, what=""):
    if not re.search(pattern, got, re.S):
        raise Mismatch(f"{what}\n  wanted a match of: {pattern}\n  got: {got!r}")


def holds(fact, what):
    if not fact:
        raise Mismatch(what)


class Result:
    """How one call of a program ended."""

    def __init__(self, argv, code, out, err, seconds, wrote_all=True):
        self.argv, self.code, self.out, self.err = argv, code, out, err
        self.seconds, self.wrote_all = seconds, wrote_all

    def __repr__(self):
        return f"{self.argv}: exit {self.code}, stdout {self.out[-2000:]!r}, stderr {self.err[-2000:]!r}"

    def succeeded(self):
        """R10: exit 0 and not one byte."""
        same((self.code, self.out, self.err), (0, "", ""), repr(self.argv))
        return self

    def failed(self, code, pattern):
        """This exit code, nothing on stdout, one line on stderr that matches as a whole."""
        same(self.code, code, repr(self))
        same(self.out, "", repr(self.argv))
        holds(self.err.endswith("\n") and self.err.count("\n") == 1, f"not one line: {self!r}")
        if not re.fullmatch("sendmail: " + pattern, self.err[:-1]):
            raise Mismatch(f"{self.argv}\n  wanted: sendmail: {pattern}\n  got:    {self.err[:-1]}")
        return self


def run(argv, data=b"", environment=None, stdin=None, stdout=None, stderr=None, cwd=None, preexec=None,
        executable=None, pass_fds=(), patience=PATIENCE_S):
    """Runs a program to its end; data goes in through a pipe unless stdin is given."""
    started = time.monotonic()
    process = subprocess.Popen(
        argv, executable=executable, cwd=cwd, env={} if environment is None else environment, preexec_fn=preexec,
        stdin=subprocess.PIPE if stdin is None else stdin, pass_fds=pass_fds,
        stdout=subprocess.PIPE if stdout is None else stdout, stderr=subprocess.PIPE if stderr is None else stderr)
    wrote_all = True
    if stdin is None:
        # By hand: communicate() hides a broken pipe, and R14 is about that.
        import threading

        def feed():
            nonlocal wrote_all
            try:
                process.stdin.write(data)
                process.stdin.close()
            except BrokenPipeError:
                wrote_all = False
                try:
                    process.stdin.close()
                except BrokenPipeError:
                    pass

        feeder = threading.Thread(target=feed, daemon=True)
        feeder.start()
    try:
        out, err = _read_both(process, patience)
        process.wait(max(0.1, patience - (time.monotonic() - started)))
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise Mismatch(f"{argv} did not end within {patience} s")
    if stdin is None:
        feeder.join(5)
    return Result([str(word) for word in argv], process.returncode, out.decode("utf-8", "replace"),
                  err.decode("utf-8", "replace"), time.monotonic() - started, wrote_all)


def _read_both(process, patience):
    """Both outputs to their ends. A child that outlives the program may hold them open: then the program's end counts."""
    import selectors

    kept = {"out": b"", "err": b""}
    deadline = time.monotonic() + patience
    with selectors.DefaultSelector() as selector:
        for name, stream in (("out", process.stdout), ("err", process.stderr)):
            if stream is not None:
                selector.register(stream, selectors.EVENT_READ, name)
        grace = None
        while selector.get_map():
            left = deadline - time.monotonic()
            if left <= 0:
                raise subprocess.TimeoutExpired(process.args, patience)
            for key, _ in selector.select(min(left, 0.05)):
                piece = os.read(key.fd, 65536)
                if piece:
                    kept[key.data] += piece
                else:
                    selector.unregister(key.fileobj)
            if process.poll() is not None:
                grace = grace or time.monotonic() + 0.5
                if time.monotonic() > grace:
                    break
    for stream in (process.stdout, process.stderr):
        if stream is not None:
            stream.close()
    return kept["out"], kept["err"]


class Person:
    """A configuration file and a keyring, and the calls made with them."""

    def __init__(self, case, folder, environment, uid=None):
        self.case, self.folder, self.environment, self.uid = case, folder, environment, uid
        self.config = folder / "mailbearer.conf"
        self.keyring = folder / "keyring"

    def write_config(self, text, mode=0o600):
        self.config.write_text(text)
        self.config.chmod(mode)
        self._own(self.config)

    def _own(self, path):
        if self.uid is not None:
            os.chown(path, self.uid, self.uid)

    def set_secret(self, account, kind, secret):
        result = self.call("mailbearer", "secret", "set", account, kind, data=secret.encode())
        same(result.code, 0, f"secret set: {result!r}")

    def call(self, program, *arguments, data=b"", environment=None, **how):
        argv = [self.case.program(program), *arguments]
        if self.uid is not None and "preexec" not in how:
            how["preexec"] = lambda: become(self.uid)
        return run(argv, data, {**self.environment, **(environment or {})}, **how)

    def send(self, *arguments, text=BODY, environment=None, **how):
        data = text if isinstance(text, bytes) else text.encode()
        return self.call("sendmail", *arguments, data=data, environment=environment, **how)

    def start(self, *arguments, environment=None, **how):
        """A sendmail that is fed by the test."""
        argv = [self.case.program("sendmail"), *arguments]
        process = subprocess.Popen(argv, env={**self.environment, **(environment or {})}, stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, **how)
        self.case.at_end(lambda: end_process(process))
        return process

    def forget_access_tokens(self):
        """As if the machine had been started anew: refresh tokens and secrets stay."""
        found = 0
        runtime = pathlib.Path(f"/run/user/{os.geteuid() if self.uid is None else self.uid}/mailbearer")
        for folder in (self.keyring, runtime):
            for path in folder.rglob("*") if folder.is_dir() else ():
                if path.is_file() and path.name.startswith(("access-token", "refusal")):
                    path.unlink()
                    found += 1
        return found


def become(uid, gid=None):
    gid = uid if gid is None else gid
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)


def end_process(process):
    if process.poll() is None:
        process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None and not stream.closed:
            try:
                stream.close()
            except BrokenPipeError:
                pass


class Case:
    same = staticmethod(same)
    matches = staticmethod(matches)
    holds = staticmethod(holds)

    def __init__(self, programs, sanitized):
        self.programs, self.sanitized = pathlib.Path(programs), sanitized
        self._ends = []

    def __enter__(self):
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        os.umask(0o022)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="mailbearer-e2e-"))
        # Others must reach what they own below; nobody else may list or write it.
        self.folder.chmod(0o711)
        return self

    def __exit__(self, *_):
        for end in reversed(self._ends):
            try:
                end()
            except Exception as error:  # the other ends must run, too
                print(f"cleaning up: {error}")
        shutil.rmtree(self.folder, ignore_errors=True)

    def at_end(self, end):
        self._ends.append(end)

    def program(self, name):
        return str(self.programs / name)

    def box(self, *options):
        number = len([path for path in self.folder.iterdir() if path.name.startswith("box")])
        box = Sandbox(self.program("mailbearer-sandbox"), self.folder / f"box{number}", options)
        self.at_end(box.stop)
        return box

    def person(self, box=None, name="person", main="", account="", config=None, uid=None, secrets=True, accounts=None):
        """One account `work` (a person's refresh token) by default; `accounts` names others of Sandbox.account()."""
        folder = self.folder / name
        folder.mkdir(mode=0o700)
        environment = {"MAILBEARER_CONFIG": str(folder / "mailbearer.conf")}
        person = Person(self, folder, environment, uid)
        person._own(folder)
        aliases = folder / "aliases"
        aliases.write_text("root: ops@example.net\n")
        person._own(aliases)
        if config is None:
            accounts = accounts or {"work": account}
            config = f"[mailbearer]\ndefault = {next(iter(accounts))}\naliases = {aliases}\n{main}\n"
            for account_name, extra in accounts.items():
                config += box.account(account_name, person.keyring, extra)
        person.write_config(config)
        if box is not None and secrets:
            for account_name in accounts or {"work": ""}:
                for kind, secret in box.secrets_of(account_name).items():
                    person.set_secret(account_name, kind, secret)
        return person

    def wait_for(self, fact, what, seconds=10):
        deadline = time.monotonic() + seconds
        while not fact():
            if time.monotonic() > deadline:
                raise Mismatch(f"waited {seconds} s for {what}")
            time.sleep(0.01)
