#!/usr/bin/python3
"""A mail service to test against: real Postfix and Dovecot, an identity provider, and a sink behind them.

    with Rig() as rig: ...       everything on random loopback ports, everything gone afterwards
    python3 rig.py               the same for a person: prints the ports, waits for Ctrl-C

Needs root. Owns: a folder under the system's temporary folder, the processes in it.
"""

import os
import pathlib
import shutil
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from certificates import Certificates  # noqa: E402
from dovecot import Dovecot  # noqa: E402
from identity import Identity  # noqa: E402
from postfix import Postfix, is_installed  # noqa: E402
from sink import Sink  # noqa: E402


class Rig:
    def __init__(self, workers=4):
        self.workers = workers
        self.folder = None
        self._parts = []

    def __enter__(self):
        if os.geteuid() != 0:
            raise SystemExit("the rig needs root: Postfix and Dovecot start as root and drop to their own users")
        if not is_installed():
            raise SystemExit("postfix, dovecot or openssl is missing; run: tests/setup/install.sh integration")
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="mailbearer-rig-"))
        self.folder.chmod(0o755)  # the users postfix and dovecot pass through it
        try:
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def _start(self):
        self.certificates = Certificates(self.folder / "certificates")
        self.identity = Identity(self.certificates.good)
        self._parts.append(self.identity.close)
        self.sink = Sink()
        self._parts.append(self.sink.close)
        self.postfix = Postfix(self.folder / "postfix", self.certificates, self.sink.port, self.workers)
        socket = self.folder / "postfix/spool/private/auth"
        self.dovecot = Dovecot(self.folder / "dovecot", socket, self.identity.introspection_port)
        # Dovecot first: smtpd does not greet before it has its mechanisms.
        for server in (self.dovecot, self.postfix):
            self._parts.append(server.stop)
            server.start()

    def __exit__(self, *_):
        self.close()

    def close(self):
        while self._parts:
            self._parts.pop()()
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    def port(self, door):
        return self.postfix.doors[door]


def main():
    with Rig() as rig:
        token = rig.identity.new_refresh_token("mailer@example.org")
        print(f"folder          {rig.folder}\ntoken endpoint  {rig.identity.token_endpoint}")
        print(f"ca_file         {rig.certificates.authority}\nrefresh token   {token}")
        for door, port in rig.postfix.doors.items():
            print(f"port {port:5}      {door}")
        try:
            input("Enter or Ctrl-C ends it. ")
        except (EOFError, KeyboardInterrupt):
            print()


if __name__ == "__main__":
    main()
