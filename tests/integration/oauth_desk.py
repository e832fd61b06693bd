"""A person at a desk for the group oauth: a configuration, a browser of $BROWSER that only notes the address, and
`mailbearer` run with them. Whatever is said is kept for the search for credentials. Owns: a folder of the bench's.
"""

import os
import pathlib
import re
import subprocess
import threading

import bench
import processes

MESSAGE = b"To: bob@example.org\nSubject: s\n\nx\n"


class Desk:
    """A person's configuration, and `mailbearer` run with it."""

    def __init__(self, stand, canaries):
        self.stand, self.canaries = stand, canaries
        self.folder = stand.folder / "oauth"
        self.folder.mkdir(mode=0o700)
        self.config = self.folder / "mailbearer.conf"
        self.keyring = self.folder / "keyring"
        # No desktop is needed: the address that `login` gives to the person's browser is what we want.
        self.browser = self.folder / "browser"
        self.opened = self.folder / "opened"
        self.browser.write_text(f'#!/bin/sh\nprintf %s "$1" >"{self.opened}.part" && mv "{self.opened}.part" "{self.opened}"\n')
        self.browser.chmod(0o755)
        self.provider = None
        self._running = []

    def environment(self, more=None):
        return {"PATH": "/usr/bin:/bin", "MAILBEARER_CONFIG": str(self.config), **(more or {})}

    def words(self, user, scope, *more):
        """All that is not known of a provider without a preset."""
        point = self.provider.endpoint
        keys = {
            # The browser's session must not decide: this server knows prompt=consent, not select_account.
            "authorization_endpoint": point("authorization") + "?prompt=consent",
            "device_authorization_endpoint": point("device"), "token_endpoint": point("token"),
            "revocation_endpoint": point("revocation"), "scope": scope, "auth": "xoauth2",
            "ca_file": self.stand.rig.certificates.authority, "smtp_host": self.stand.host,
            "smtp_port": self.stand.rig.port("starttls"), "keyring_dir": self.keyring}
        sets = [word for key, value in keys.items() for word in ("--set", f"{key}={value}")]
        return ["login", user, "--provider", "smtp", "--transport", "smtp", "--keyring", "file", *sets, *more]

    def start(self, *words, more=None):
        self._running.append(Running([self.stand.programs / "mailbearer", *words], self.environment(more), self.canaries))
        return self._running[-1]

    def end(self):
        """A login whose browser never came waits for it otherwise."""
        for running in self._running:
            if running.process.poll() is None:
                processes.stop_tree(running.process)

    def call(self, *words, data=b"", more=None):
        running = self.start(*words, more=more)
        return running.end(data)

    def send(self, user, more=None):
        outcome = bench.finish(subprocess.Popen(
            [self.stand.programs / "sendmail", "-v", "-i", "-f", user, "bob@example.org"], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=self.environment(more), cwd="/"), MESSAGE)
        self.canaries.heard("sendmail -v", outcome.stdout + outcome.stderr)
        return outcome

    def forget_access_tokens(self):
        for folder in (self.keyring, pathlib.Path(f"/run/user/{os.getuid()}/mailbearer")):
            for path in folder.glob("access-token-*"):
                path.unlink()


class Running:
    """A verb that waits for a person; everything that it says is kept for the search."""

    def __init__(self, argv, environment, canaries):
        self.said, self._canaries = "", canaries
        self.process = subprocess.Popen([str(word) for word in argv], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, env=environment, cwd="/")
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        while piece := os.read(self.process.stdout.fileno(), 65536):
            self.said += piece.decode("utf-8", "replace")

    def expect(self, pattern, patience=20):
        """Waits until this is said; the match."""
        if not bench.wait_until(lambda: re.search(pattern, self.said) or not self._reader.is_alive(), patience) or \
                not re.search(pattern, self.said):
            self.process.kill()
            raise RuntimeError(f"waited for {pattern!r} in {self.said!r}")
        return re.search(pattern, self.said)

    def end(self, data=b""):
        """Its exit code and all that it said."""
        try:
            if data:
                self.process.stdin.write(data)
            self.process.stdin.close()
        except BrokenPipeError:
            pass  # it did not want to know
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._reader.join(10)
        self.process.stdout.close()
        self._canaries.heard("what login said", self.said.encode())
        return self.process.returncode, self.said
