"""An independent OAuth server for the group `oauth`: npm's oidc-provider, started by oauth/server.mjs.

    fetch()                                what package-lock.json pins, in a cache folder outside the tree
    with Provider(chain, authority, certificate) as provider:
        provider.endpoint("token")         as its own discovery document says it
        provider.introspect(token)         what a mail server would be told (RFC 7662)
        provider.issued                    every credential that it gave out: the canaries of this run

Needs: node, npm, and at the first time a package registry. Owns: the process. The lock file names no host: npm's
own configuration says where packages come from, the lock file what they must be (sha512).
"""

import hashlib
import json
import os
import pathlib
import secrets
import shutil
import ssl
import subprocess
import threading
import urllib.parse
import urllib.request

import bench

HERE = pathlib.Path(__file__).resolve().parent / "oauth"
CLIENT, APP, ROBOT, JUDGE = "person-client", "secret-app", "certificate-app", "mail-server"
ENDPOINTS = {"authorization": "authorization_endpoint", "token": "token_endpoint", "revocation": "revocation_endpoint",
             "device": "device_authorization_endpoint", "introspection": "introspection_endpoint"}


def cache_folder():
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    mark = hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()[:16]
    return pathlib.Path(base) / "mailbearer-tests" / f"oidc-provider-{mark}"


def fetch():
    """The module's file. No npm, no network: an error, for a test that is left out proves nothing."""
    folder = cache_folder()
    module = folder / "node_modules/oidc-provider/lib/index.js"
    if not module.exists():
        if not shutil.which("npm"):
            raise RuntimeError("npm is missing; run: tests/setup/install.sh integration bench-node")
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, folder)
        done = subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=240)
        if done.returncode:
            raise RuntimeError("npm cannot fetch oidc-provider: " + done.stderr.decode("utf-8", "replace")[-500:])
    return module


class Provider:
    def __init__(self, chain, authority, certificate):
        self.secret = "cs-" + secrets.token_urlsafe(32)
        self._judge_secret = secrets.token_urlsafe(32)
        self.issued, self.granted, self.refused, self.revoked, self.withdrawn = [], [], [], 0, 0
        self._up = threading.Event()
        self._facts = {}
        wanted = {"module": str(fetch()), "chain": str(chain), "client": CLIENT, "app": APP, "secret": self.secret,
                  "robot": ROBOT, "certificate": str(certificate), "judge": JUDGE, "judge_secret": self._judge_secret}
        self._process = subprocess.Popen(["node", HERE / "server.mjs", json.dumps(wanted)], stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}),
            urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=str(authority))))
        self._said = []
        threading.Thread(target=self._listen, daemon=True).start()

    def __enter__(self):
        if not self._up.wait(30) or not self._facts:
            self.__exit__()
            raise RuntimeError("oidc-provider does not start: " + "".join(self._said)[-800:])
        with self._opener.open(self._facts["issuer"] + "/.well-known/openid-configuration", timeout=20) as page:
            self._facts.update(json.load(page))
        return self

    def __exit__(self, *_):
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _listen(self):
        for line in self._process.stdout:
            if not line.startswith("{"):
                self._said.append(line)  # its own warnings, or why it ended
                continue
            fact = json.loads(line)
            if "issuer" in fact:
                self._facts["issuer"] = fact["issuer"]
                self._up.set()
            elif "issued" in fact:
                self.issued.append(fact["issued"])
            elif "granted" in fact:
                self.granted.append(fact)
            elif "withdrawn" in fact:
                self.withdrawn += 1
            elif "revoked" in fact:
                self.revoked += 1
            else:
                self.refused.append(f"{fact['refused']}: {fact['why']}")
        self._up.set()

    def endpoint(self, name):
        return self._facts[ENDPOINTS[name]]

    def revoke_everything(self):
        before = self.revoked
        self._process.stdin.write("revoke\n")
        self._process.stdin.flush()
        bench.wait_until(lambda: self.revoked > before, 10)

    def introspect(self, token):
        form = {"token": token, "client_id": JUDGE, "client_secret": self._judge_secret}
        with self._opener.open(self.endpoint("introspection"), urllib.parse.urlencode(form).encode(), timeout=20) as answer:
            return json.load(answer)
