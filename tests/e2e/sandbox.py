"""A mailbearer-sandbox of a test: started on free ports of 127.0.0.1, spoken to by its control endpoint, read by its Maildir."""

import email
import email.policy
import json
import os
import pathlib
import signal
import ssl
import subprocess
import time
import urllib.error
import urllib.request


class Mail:
    """One file of the Maildir: the envelope, and the bytes as they came."""

    def __init__(self, bytes_):
        self.recipients, self.recipient_parameters = [], {}
        self.sender = self.parameters = self.user = None
        rest = bytes_
        while self.user is None:
            line, _, rest = rest.partition(b"\r\n")
            name, _, value = line.decode("utf-8", "replace").partition(": ")
            if name == "X-Envelope-From":
                self.sender = value.strip("<>")
            elif name == "X-Envelope-To":
                self.recipients.append(value.strip("<>"))
            elif name == "X-Envelope-Params":
                self.parameters = value
            elif name == "X-Envelope-To-Params":
                recipient, _, parameters = value.partition(" ")
                self.recipient_parameters[recipient.strip("<>")] = parameters
            elif name.rstrip(":") == "X-Auth-User":
                self.user = value
            elif name != "X-Mailbearer-Sandbox":
                raise ValueError(f"no envelope line: {line!r}")
        self.raw = rest
        head, _, self.body = rest.partition(b"\r\n\r\n")
        self.head = head + b"\r\n"

    def fields(self, name):
        """The values of a field, unfolded, as raw text."""
        found, wanted = [], name.lower() + ":"
        for line in self.head.decode("utf-8", "replace").split("\r\n"):
            if line[:1] in (" ", "\t") and found:
                found[-1] = found[-1][:1] + (found[-1][1] + line,) if found[-1][0] else found[-1]
            elif line:
                hit = line.lower().startswith(wanted)
                found.append((hit, line[len(wanted):].strip() if hit else line))
        return [value for hit, value in found if hit]

    def field(self, name):
        values = self.fields(name)
        if len(values) != 1:
            raise AssertionError(f"{name} stands {len(values)} times in {self.head!r}")
        return values[0]

    def parsed(self):
        return email.message_from_bytes(self.raw, policy=email.policy.default)


class Sandbox:
    def __init__(self, program, folder, options=()):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(mode=0o755)
        self.log = open(self.folder / "sandbox.log", "wb")
        self.process = subprocess.Popen(
            [program, "--directory", str(self.folder), "--bind", "127.0.0.1", "--parent-pid", str(os.getpid()), *options],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, env={})
        self.facts = self._wait_for_facts()

    def _wait_for_facts(self):
        path = self.folder / "sandbox.json"
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            try:
                return json.loads(path.read_text())
            except (OSError, ValueError):
                time.sleep(0.01)
        raise AssertionError("the sandbox does not start: " + (self.folder / "sandbox.log").read_text("utf-8", "replace"))

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.log.close()

    # --- What a client needs to know.

    @property
    def ca_file(self):
        return self.facts["ca_file"]

    @property
    def smtp_port(self):
        return self.facts["smtp"]["starttls_port"]

    @property
    def smtps_port(self):
        return self.facts["smtp"]["implicit_port"]

    @property
    def token_endpoint(self):
        return self.facts["token_endpoint"]

    def app(self, public):
        return next(app for app in self.facts["apps"] if app["public"] == public)

    def account(self, name, keyring, extra=""):
        """The [account] section; `extra` is lines that add to it or replace what stands in it, `key =` removes one."""
        keys = {
            "provider": "smtp", "smtp_host": "127.0.0.1", "smtp_port": self.smtp_port, "ca_file": self.ca_file, "chunking": "no",
            "token_endpoint": self.token_endpoint, "keyring": "file", "keyring_dir": keyring, "timeout": "10s",
        }
        if name.startswith("site"):
            keys.update({"user": "noreply@sandbox.example", "grant": "app", "tenant": self.facts["tenant"]["domain"],
                         "client_id": self.app(public=False)["client_id"],
                         "scope": "https://outlook.office365.com/.default"})
        else:
            keys.update({"user": "me@sandbox.example", "client_id": self.app(public=True)["client_id"],
                         "scope": "https://outlook.office.com/SMTP.Send offline_access"})
        for line in extra.splitlines():
            key, equals, value = line.partition("=")
            if equals:
                keys[key.strip()] = value.strip()
        lines = "".join(f"{key} = {value}\n" for key, value in keys.items() if value != "")
        return f"\n[account {name}]\n{lines}"

    def graph(self, app=False, extra=""):
        """Lines for `extra` of account(): that account, by Graph."""
        scope = "https://graph.microsoft.com/" + (".default" if app else "Mail.Send offline_access")
        return f"transport = graph\ngraph_endpoint = {self.facts['graph_endpoint']}\nscope = {scope}\n" \
               f"smtp_host =\nsmtp_port =\nchunking =\n{extra}"

    def secrets_of(self, account):
        if account.startswith("site"):
            return {"client-secret": self.app(public=False)["secret"]}
        return {"refresh-token": self.refresh_token("me@sandbox.example")}

    def refresh_token(self, user):
        return next(one["refresh_token"] for one in self.facts["users"] if one["user"] == user)

    def secrets(self):
        """Every secret of the start, as the canary search wants them."""
        return [*(one["refresh_token"] for one in self.facts["users"]), self.app(public=False)["secret"]]

    # --- What it has taken, and what it has seen.

    def mails(self):
        return [Mail(path.read_bytes()) for path in sorted((self.folder / "Maildir" / "new").iterdir())]

    def mail(self):
        mails = self.mails()
        if len(mails) != 1:
            raise AssertionError(f"{len(mails)} messages lie in the Maildir, not one")
        return mails[0]

    def journal(self):
        try:
            lines = (self.folder / "journal.jsonl").read_text("utf-8", "replace").splitlines()
        except OSError:
            return []
        return [json.loads(line) for line in lines]

    def count(self, event, **details):
        return sum(1 for line in self.journal() if line["event"] == event and
                   all(str(line.get(key)) == str(value) for key, value in details.items()))

    def drafts(self):
        """What Graph holds unsent: {"drafts": [...], "sessions": N}."""
        return self._ask(urllib.request.Request(self.facts["control"] + "/drafts"))

    def token_requests(self):
        return self.count("token.request")

    # --- What it shall do wrong.

    def control(self, verb, **details):
        body = json.dumps(details).encode()
        request = urllib.request.Request(self.facts["control"] + "/" + verb, body, {"Content-Type": "application/json"})
        try:
            return self._ask(request)
        except urllib.error.HTTPError as error:
            raise AssertionError(f"control {verb} {details}: {error.read().decode()}") from None

    def _ask(self, request):
        request.add_header("Authorization", "Bearer " + self.facts["control_token"])
        context = ssl.create_default_context(cafile=self.ca_file)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
        with opener.open(request, timeout=10) as answer:
            return json.loads(answer.read() or b"{}")

    def fault(self, stage, **details):
        """See src/sandbox/fault.h: action, reply, delay_ms, times, certificate and so on."""
        self.control("fault", stage=stage, **details)

    def token_fault(self, status=0, **details):
        self.fault("token", status=status, **details)

    def reset(self):
        """No faults, and every switch as at the start."""
        self.control("reset")

    def refresh_state(self, user, state):
        """expired or revoked"""
        self.control("expire" if state == "expired" else "revoke", user=user, what="refresh")

    def access_state(self, user, state):
        """expired or revoked: what was given out is refused from now on."""
        self.control("expire" if state == "expired" else "revoke", user=user, what="access")

    def secret_expired(self, expired):
        self.control("secret", client_id=self.app(public=False)["client_id"], expired=expired)

    def smtp_auth(self, user, enabled):
        self.control("smtp-auth", user=user, enabled=enabled)
