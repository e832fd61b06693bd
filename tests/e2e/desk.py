"""A person's desk on a host whose administrator has named the organisation's provider: an empty home, nothing set up."""

import os
import pathlib
import ssl
import urllib.error
import urllib.parse
import urllib.request

from host import Etc
from pseudo_terminal import Terminal
from rig import run

UID = 4001


class Desk:
    def __init__(self, case, box, uid=UID, providers=True):
        self.case, self.box, self.uid = case, box, uid
        self.home = case.folder / "home"
        self.home.mkdir(mode=0o700)
        os.chown(self.home, uid, uid)
        self.etc = Etc(case, [("ann", UID, "Ann Example,,,", str(self.home))])
        if providers:
            self.etc.write("mailbearer/providers.conf", self.providers())
        self.config = self.home / ".config/mailbearer/mailbearer.conf"
        self.keyring = self.home / ".local/share/mailbearer/keyring"

    def providers(self, extra=""):
        facts = self.box.facts
        return f"""# What the organisation's administrator has written.
[sandbox]
based_on = microsoft
domains = sandbox.example
client_id = {self.box.app(public=True)["client_id"]}
tenant = {facts["tenant"]["domain"]}
authorization_endpoint = {facts["authorization_endpoint"]}
device_authorization_endpoint = {facts["device_authorization_endpoint"]}
token_endpoint = {facts["token_endpoint"]}
graph_endpoint = {facts["graph_endpoint"]}
smtp_host = 127.0.0.1
smtp_port = {self.box.smtp_port}
ca_file = {self.box.ca_file}
timeout = 10s
{extra}"""

    def environment(self, more=None):
        return {"PATH": "/usr/bin:/bin", "HOME": str(self.home), **(more or {})}

    def _argv(self, arguments):
        return [self.case.program("mailbearer"), *arguments]

    def terminal(self, *arguments, environment=None):
        terminal = Terminal(self._argv(arguments), self.environment(environment), self.etc.preexec(self.uid))
        self.case.at_end(terminal.close)
        return terminal

    def call(self, *arguments, data=b"", environment=None, program="mailbearer"):
        return run([self.case.program(program), *arguments], data, self.environment(environment),
                   preexec=self.etc.preexec(self.uid))

    def answer_page(self, url, user="me@sandbox.example", consent="yes"):
        """What the person's browser is sent back to, the person having signed in and agreed."""
        context = ssl.create_default_context(cafile=self.box.ca_file)

        class Stay(urllib.request.HTTPRedirectHandler):
            def redirect_request(self, *_):
                return None

        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context), Stay)
        parts = urllib.parse.urlsplit(url)
        query = dict(urllib.parse.parse_qsl(parts.query))
        query.update({"sandbox_consent": consent, "login_hint": user})
        try:
            opener.open(urllib.parse.urlunsplit(parts._replace(query=urllib.parse.urlencode(query))), timeout=10)
        except urllib.error.HTTPError as answer:
            with answer:
                if answer.code in (302, 303):
                    return answer.headers["Location"]
                raise AssertionError(f"{answer.code}: {answer.read()[:500]}") from None
        raise AssertionError("the sign-in page did not send the browser back")

    def browse(self, url, user="me@sandbox.example", consent="yes"):
        """As a browser: to the sign-in page and back to the listener; the landing page's text."""
        location = self.answer_page(url, user, consent)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(location, timeout=10) as page:
            return page.read().decode()

    def text(self):
        return self.config.read_text()

    def files(self):
        """Every file below the home and its bytes."""
        return {str(path.relative_to(self.home)): path.read_bytes()
                for path in sorted(pathlib.Path(self.home).rglob("*")) if path.is_file()}
