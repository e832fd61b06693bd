"""The clients that are measured: how each is told to send one message by STARTTLS and XOAUTH2 with a token at
hand, trusting what the system trusts. Each as its documentation says, with no switch set against it.

"{n}" in a command or a file name becomes the number of the run (measure.cpp).
"""

import pathlib
import re
import shutil
import subprocess

import service
import wire

HERE = pathlib.Path(__file__).resolve().parent
SENDER = "ann@example.org"
RECIPIENT = "user{n}@example.org"

MAILBEARER = """
[mailbearer]
default = bench
domain = example.org
{runtime}
[account bench]
provider = smtp
transport = smtp
smtp_host = {host}
smtp_port = {port}
smtp_tls = starttls
auth = xoauth2
user = {user}
from = *
rewrite_from = never
sasl_ir = yes
grant = user
client_id = bench-client
token_endpoint = https://{host}:{endpoint}/token
scope = https://rig.example/smtp
keyring = file
keyring_dir = {keyring}
chunking = {chunking}
"""

MSMTP = """
defaults
auth xoauth2
tls on
tls_starttls on
tls_trust_file {trust}
logfile
account bench
host {host}
port {port}
user {user}
from {sender}
passwordeval cat {token}
account default : bench
"""

CURL = """
url = "smtp://{host}:{port}/bench.example"
ssl-reqd
user = "{user}:"
oauth2-bearer = "{bearer}"
login-options = "AUTH=XOAUTH2"
sasl-ir
{trust}
mail-from = "{sender}"
silent
show-error
"""

S_NAIL = """
set v15-compat
set mta={scheme}://{quoted}@{host}:{port}
set smtp-use-starttls
set smtp-auth=oauthbearer
set from={sender}
set tls-verify=strict
set password={bearer}
set sendwait
"""


class Client:
    """`name` for people; `crlf`: its input must have CRLF; a variant of another client takes part in few parts."""

    crlf = False

    def __init__(self, name, service_now, folder, token, parts=None, authority=None):
        self.name = name
        self.parts = parts  # of the benchmark; None: all
        self.authority = authority  # trusts this file alone; None: what the system trusts
        self.service = service_now
        self.token = token
        self.folder = pathlib.Path(folder) / re.sub(r"\W+", "-", name)
        self.folder.mkdir(mode=0o700)
        self.token_file = self.folder / "token"
        self.token_file.write_text(token + "\n")
        for host in (wire.NEAR, wire.FAR):
            self.write(host)

    def facts(self, host):
        return {
            "host": host, "port": self.service.bench_port, "user": service.USER, "sender": SENDER,
            "token": self.token_file, "bearer": self.token, "endpoint": self.service.endpoint_port,
            "quoted": service.USER.replace("@", "%40"), "scheme": "smtp",
        }

    def path(self, host):
        return self.folder / f"{host}.conf"

    def put(self, host, text):
        path = self.path(host)
        path.write_text(text)
        path.chmod(0o600)

    def write(self, host):
        pass

    def environment(self, host):
        return {"PATH": "/usr/bin:/bin", "HOME": str(self.folder), "LANG": "C"}

    def positional(self, host):
        return [host, self.service.bench_port, service.USER, self.token_file, SENDER, RECIPIENT]


class Mailbearer(Client):
    """The one-shot agent. With `resume`, a runtime directory that the agent may keep TLS sessions in."""

    def __init__(self, name, service_now, folder, token, programs, resume, chunking="yes", parts=None):
        self.programs = pathlib.Path(programs).resolve()
        self.resume = resume
        self.chunking = chunking
        super().__init__(name, service_now, folder, token, parts)

    def write(self, host):
        runtime = self.folder / f"runtime-{host}"
        keyring = self.folder / f"keyring-{host}"
        keyring.mkdir(mode=0o700)
        if self.resume:
            runtime.mkdir(mode=0o700)
        line = f"runtime_dir = {runtime}" if self.resume else ""
        self.put(host, MAILBEARER.format(runtime=line, keyring=keyring, chunking=self.chunking, **self.facts(host)).lstrip())
        secret = self.service.identity.new_refresh_token(service.USER)
        done = subprocess.run(
            [self.programs / "mailbearer", "secret", "set", "bench", "refresh-token"],
            input=secret.encode() + b"\n", env=self.environment(host), capture_output=True, timeout=60,
        )
        if done.returncode:
            raise RuntimeError(f"mailbearer secret set: {done.stderr.decode()}")

    def environment(self, host):
        return {**super().environment(host), "MAILBEARER_CONFIG": str(self.path(host))}

    def command(self, host):
        return [self.programs / "sendmail", "-i", "-f", SENDER, RECIPIENT]


class Msmtp(Client):
    def write(self, host):
        self.put(host, MSMTP.format(trust=self.authority or "system", **self.facts(host)))

    def command(self, host):
        return ["/usr/bin/msmtp", f"--file={self.path(host)}", "--", RECIPIENT]


class Curl(Client):
    crlf = True

    def write(self, host):
        trust = f'cacert = "{self.authority}"' if self.authority else ""
        self.put(host, CURL.format(trust=trust, **self.facts(host)))

    def command(self, host):
        return ["/usr/bin/curl", "-q", "-K", self.path(host), "--mail-rcpt", RECIPIENT, "--upload-file", "-"]


class SNail(Client):
    def write(self, host):
        self.put(host, S_NAIL.format(**self.facts(host)))

    def environment(self, host):
        return {**super().environment(host), "MAILRC": str(self.path(host))}

    def command(self, host):
        return ["/usr/bin/s-nail", "-:u", "-t"]


class Nodemailer(Client):
    def __init__(self, name, service_now, folder, token, modules):
        self.modules = modules
        super().__init__(name, service_now, folder, token)

    def environment(self, host):
        # A copy of its own roots is built into node; the system's are asked for as its documentation says.
        return {**super().environment(host), "NODE_PATH": str(self.modules), "SSL_CERT_DIR": str(wire.TRUST_FOLDER)}

    def command(self, host):
        node = shutil.which("node")
        return [node, "--use-openssl-ca", HERE / "peers/nodemailer_send.js", *self.positional(host)]


class Smtplib(Client):
    crlf = True

    def command(self, host):
        return ["/usr/bin/python3", "-I", HERE / "peers/smtplib_send.py", *self.positional(host)]
