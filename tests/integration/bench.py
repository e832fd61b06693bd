"""Sends through the program under test: writes its configuration, sets its secret, starts it, looks at it.

Configuration: design sections 3 and 10. Owns: a folder inside the rig's.
"""

import dataclasses
import os
import pathlib
import pwd
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "corpus"))

import model  # noqa: E402
import setups  # noqa: E402

ACCOUNT = "work"
CLIENT = "rig-client"
PATIENCE_S = 60


@dataclasses.dataclass
class Outcome:
    code: int
    stdout: bytes
    stderr: bytes

    def line(self):
        return self.stderr.decode("utf-8", "replace")


class Bench:
    def __init__(self, rig, programs):
        self.rig = rig
        self.programs = pathlib.Path(programs).resolve()
        self.folder = rig.folder / "bench"
        self.folder.mkdir(mode=0o755)
        (self.folder / "aliases").write_text(setups.aliases_text())
        self.host = host_of_the_rig()
        self._lock = threading.Lock()
        self._written = {}

    def caller(self):
        entry = pwd.getpwuid(os.geteuid())
        name = entry.pw_gecos.split(",")[0].replace("&", entry.pw_name.capitalize())
        return model.Caller(entry.pw_name, name)

    def configuration(self, setup="open", door="starttls", keyring=None, secret=True, **keys):
        """The path of a configuration for one account that sends through this door; its secret is set."""
        facts = (setup, door, keyring, secret, tuple(sorted(keys.items())))
        with self._lock:
            if facts not in self._written:
                self._written[facts] = self._write(len(self._written), setups.SETUPS[setup], door, keyring, secret, keys)
            return self._written[facts]

    def _write(self, number, setup, door, keyring, secret, keys):
        account = {
            "provider": "smtp",
            "transport": "smtp",
            "smtp_host": self.host,
            "smtp_port": self.rig.port(door),
            "smtp_tls": "implicit" if door.endswith("implicit") else "starttls",
            "auth": "xoauth2",
            "user": setup.user,
            "from": " ".join(setup.senders or (setup.user,)),
            "rewrite_from": setup.rewrite_from,
            "null_sender": setup.null_sender,
            "grant": "user",
            "client_id": CLIENT,
            "token_endpoint": self.rig.identity.token_endpoint,
            "scope": "https://rig.example/smtp",
            "ca_file": self.rig.certificates.authority,
            "keyring": "file",
            "keyring_dir": self.keyring_folder(keyring or setup.user),
            **keys,
        }
        general = {"default": ACCOUNT, "domain": setup.domain, "aliases": self.folder / "aliases"}
        if setup.local_mail_to:
            general["local_mail_to"] = " ".join(setup.local_mail_to)
        path = self.folder / f"{number}.conf"
        text = section("mailbearer", general) + section(f"account {ACCOUNT}", account)
        path.touch(mode=0o600)
        path.write_text(text)
        if secret:
            self._set_secret(path, account)
        return path

    def keyring_folder(self, name):
        folder = self.folder / ("keyring-" + re.sub(r"\W", "-", name))
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder

    def _set_secret(self, path, account):
        """Once for each keyring, as a person would: `mailbearer secret set`."""
        mark = pathlib.Path(account["keyring_dir"]) / ".set-by-bench"
        if mark.exists():
            return
        mark.touch()
        if account["grant"] == "app":
            kind, secret = "client-secret", "cs-" + os.urandom(12).hex()
            self.rig.identity.add_client(account["client_id"], secret, account["user"])
        else:
            kind, secret = "refresh-token", self.rig.identity.new_refresh_token(account["user"])
        self.set_secret(path, kind, secret)

    def set_secret(self, path, kind, secret):
        done = subprocess.run(
            [self.programs / "mailbearer", "secret", "set", ACCOUNT, kind],
            input=secret.encode() + b"\n", env=self.environment(path), capture_output=True, timeout=PATIENCE_S,
        )
        if done.returncode:
            raise RuntimeError(f"mailbearer secret set: exit {done.returncode}: {done.stderr.decode()}")

    @staticmethod
    def environment(configuration, more=None):
        return {"PATH": "/usr/bin:/bin", "MAILBEARER_CONFIG": str(configuration), **(more or {})}

    def start(self, configuration, argv, stdin, argv0="sendmail", more=None):
        return subprocess.Popen(
            [os.fsencode(word) if isinstance(word, str) else word for word in [argv0, *argv]],
            executable=str(self.programs / "sendmail"), stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=self.environment(configuration, more), cwd="/",
        )

    def send(self, configuration, argv, data, argv0="sendmail", kind="pipe", more=None):
        if kind == "file":
            with tempfile.TemporaryFile() as file:
                # A caller may have read from it: the offset counts, not the beginning.
                before = b"not of the message\n"
                file.write(before + data)
                file.flush()
                os.lseek(file.fileno(), len(before), os.SEEK_SET)
                return finish(self.start(configuration, argv, file, argv0, more), None)
        if kind == "socket":
            ours, theirs = socket.socketpair()
            process = self.start(configuration, argv, theirs, argv0, more)
            theirs.close()
            ours.sendall(data)
            ours.shutdown(socket.SHUT_WR)
            outcome = finish(process, None)
            ours.close()
            return outcome
        return finish(self.start(configuration, argv, subprocess.PIPE, argv0, more), data)


def finish(process, data):
    try:
        stdout, stderr = process.communicate(data, timeout=PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return Outcome(-1, b"", b"(killed: it took over a minute)")
    return Outcome(process.returncode, stdout, stderr)


def section(name, keys):
    return f"[{name}]\n" + "".join(f"{key} = {value}\n" for key, value in keys.items()) + "\n"


def host_of_the_rig():
    """localhost, or its address where a bare system does not know the name."""
    try:
        socket.getaddrinfo("localhost", None, socket.AF_INET)
        return "localhost"
    except OSError:
        return "127.0.0.1"


def refusal_faults(outcome, codes, pattern=None):
    """What is wrong with the way in which the program refused: design section 2."""
    faults = []
    if outcome.code not in codes:
        faults.append(f"exit code {outcome.code}, expected {' or '.join(map(str, codes))}")
    line = outcome.line()
    if outcome.stdout:
        faults.append(f"wrote to standard output: {outcome.stdout[:100]!r}")
    if line.count("\n") != 1 or not line.endswith("\n"):
        faults.append("standard error is not one line")
    if not line.startswith("sendmail: "):
        faults.append("the line does not begin with sendmail:")
    if re.search(r"\b(?:rt|at|cs)-[\w-]{8}", line):
        faults.append("a secret is in the line")
    if pattern and not re.search(pattern, line):
        faults.append(f"the line does not say /{pattern}/")
    return [f"{fault} [{line.strip()}]" for fault in faults]


def wait_until(condition, timeout_s):
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
