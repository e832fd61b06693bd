"""A mail server and a token endpoint that say what a row of replies_expected.tsv has them say, one thread each.

    with Service(folder) as service:
        service.say("rcpt", "550 5.1.1 User unknown")      # at that stage, on every connection from now on
        service.answer("400\\n\\n{\\"error\\":\\"invalid_grant\\"}")  # None: a token

`account()` and `secrets_of()` are what Case.person() wants of a sandbox.
"""

import http.server
import json
import pathlib
import socket
import ssl
import subprocess
import threading

USER = "me@contoso.example"
PATIENCE_S = 10


def make_certificate(folder):
    """Self-signed, so that it is its own authority; for 127.0.0.1."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)],
        check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return certificate, key


class Gone(Exception):
    """The client closed the connection, or was told goodbye."""


class Dialogue:
    """One connection of the mail server."""

    def __init__(self, connection, context, stage, reply):
        self.connection, self.context = connection, context
        self.stage, self.reply = stage, reply
        self.buffer = b""
        self.secured = self.accepted = False

    def line(self):
        while b"\n" not in self.buffer:
            piece = self.connection.recv(65536)
            if not piece:
                raise Gone()
            self.buffer += piece
        line, _, self.buffer = self.buffer.partition(b"\n")
        return line.rstrip(b"\r").decode("latin-1")

    def send(self, text):
        self.connection.sendall("".join(line + "\r\n" for line in text.split("\n")).encode())
        if text.startswith("421"):
            raise Gone()

    def answer(self, stage, otherwise):
        """The reply of the row at its stage; whether it was another one."""
        if stage != self.stage:
            self.send(otherwise)
            return True
        self.send(self.reply)
        return False

    def run(self):
        if not self.answer("banner", "220 mail.example ESMTP"):
            self.stage = None
        while True:
            line = self.line()
            verb = line.split(" ")[0].upper()
            if verb == "QUIT":
                self.send("221 2.0.0 bye")
                return
            getattr(self, "on_" + verb.lower(), self.on_other)(line)

    def on_other(self, line):
        self.send("500 5.5.1 what is that")

    def on_ehlo(self, line):
        offers = ["mail.example", "PIPELINING", "SIZE 35882577", "8BITMIME", "DSN", "ENHANCEDSTATUSCODES"]
        offers.append("AUTH XOAUTH2 PLAIN" if self.secured else "STARTTLS")
        lines = ["250-" + offer for offer in offers]
        lines[-1] = "250 " + offers[-1]
        self.answer("ehlo", "\n".join(lines))

    def on_starttls(self, line):
        if self.answer("starttls", "220 2.0.0 ready"):
            self.connection = self.context.wrap_socket(self.connection, server_side=True)
            self.secured, self.buffer = True, b""

    def on_auth(self, line):
        if len(line.split(" ")) < 3:
            self.send("334 ")
            self.line()
        challenge, _, rest = self.reply.partition("\n")
        if self.stage in ("auth", "password") and challenge.startswith("334 "):
            self.send(challenge)
            self.line()
            self.send(rest)
            return
        self.answer("password" if self.stage == "password" else "auth", "235 2.7.0 welcome")

    def on_mail(self, line):
        self.accepted = False
        self.answer("mail", "250 2.1.0 fine")

    def on_rcpt(self, line):
        self.accepted = self.answer("rcpt", "250 2.1.5 fine")

    def on_data(self, line):
        if self.stage != "data" and not self.accepted:
            self.send("503 5.5.1 no recipient")
            return
        if not self.answer("data", "354 go on"):
            return
        while self.line() != ".":
            pass
        self.answer("end", "250 2.0.0 taken")


class Endpoint(http.server.BaseHTTPRequestHandler):
    """The token endpoint."""

    def log_message(self, *arguments):
        pass

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        status, fields, body = self.server.service.token_answer()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(body)), **fields}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


class HttpsServer(http.server.HTTPServer):
    request_queue_size = 32

    def finish_request(self, request, client_address):
        request.settimeout(PATIENCE_S)
        super().finish_request(self.context.wrap_socket(request, server_side=True), client_address)

    def handle_error(self, request, client_address):
        pass  # a client that goes away is no concern of the test


class Service:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.stage = self.reply = None
        self.http_reply = None
        self.tokens = 0

    def __enter__(self):
        self.certificate, key = make_certificate(self.folder)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(self.certificate, key)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.smtp_port = self.listener.getsockname()[1]
        self.https = HttpsServer(("127.0.0.1", 0), Endpoint)
        self.https.context, self.https.service = self.context, self
        threading.Thread(target=self._serve, daemon=True).start()
        threading.Thread(target=self.https.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.close()
        self.https.shutdown()
        self.https.server_close()

    def say(self, stage, reply):
        self.stage, self.reply = stage, reply

    def answer(self, http_reply):
        self.http_reply = http_reply

    def token_answer(self):
        """Status, header fields, body."""
        if self.http_reply is None:
            self.tokens += 1
            token = {"token_type": "Bearer", "access_token": f"access-token-{self.tokens}", "expires_in": 3600}
            return 200, {}, json.dumps(token).encode()
        head, _, body = self.http_reply.partition("\n\n")
        status, *fields = head.split("\n")
        return int(status), dict(field.split(": ", 1) for field in fields), body.encode()

    def _serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            connection.settimeout(PATIENCE_S)
            dialogue = Dialogue(connection, self.context, self.stage, self.reply or "")
            try:
                dialogue.run()
            except (Gone, OSError):
                pass
            dialogue.connection.close()

    # --- What Case.person() wants.

    def account(self, name, keyring, extra=""):
        keys = {
            "provider": "smtp", "smtp_host": "127.0.0.1", "smtp_port": self.smtp_port, "smtp_tls": "starttls",
            "ca_file": self.certificate, "token_endpoint": f"https://127.0.0.1:{self.https.server_port}/token",
            "keyring": "file", "keyring_dir": keyring, "user": USER, "client_id": "a-client", "scope": "smtp",
            "auth": "xoauth2", "timeout": "10s",
        }
        keys.update(line.split(" = ", 1) for line in extra.splitlines())
        return f"\n[account {name}]\n" + "".join(f"{key} = {value}\n" for key, value in keys.items())

    def secrets_of(self, account):
        return {"refresh-token": "a-refresh-token", "client-secret": "a-client-secret", "password": "a-password"}
