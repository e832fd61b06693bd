"""A real browser without a screen: Debian's chromium, told what to do over the DevTools protocol on a pipe.

    with Chromium(folder, certificate) as browser:
        page = browser.page()                    its own cookies
        page.open(url)
        page.wait("document.title == 'Sign-in'") a JavaScript condition, looked at again at whatever happens
        page.run("document.forms[0].submit()")
        page.asked, page.answers                 every address asked for; every answer's headers

Needs: chromium, openssl. Owns: a folder, the processes. Trusts one certificate, by its key; knows no host but localhost.
Started as root in tests, hence without chromium's own sandbox; it sees nothing but the rig's pages.
"""

import base64
import hashlib
import json
import os
import select
import shutil
import subprocess
import time

import processes

PATIENCE_S = 30


class Chromium:
    def __init__(self, folder, certificate):
        program = shutil.which("chromium")
        if not program:
            raise RuntimeError("chromium is missing; run: tests/setup/install.sh integration")
        folder.mkdir(mode=0o700)
        from_us, self._out = os.pipe()
        self._in, to_us = os.pipe()
        words = [
            program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--remote-debugging-pipe",
            f"--user-data-dir={folder}", f"--ignore-certificate-errors-spki-list={key_of(certificate)}",
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost", "--no-proxy-server", "about:blank"]
        # It reads descriptor 3 and writes 4. bash: dash knows no number above 9 there.
        self._process = subprocess.Popen(
            ["bash", "-c", f'exec "$@" 3<&{from_us} 4>&{to_us}', "bash", *words], pass_fds=(from_us, to_us), cwd="/",
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=open(folder / "said", "wb"),
            env={"PATH": "/usr/bin:/bin", "HOME": str(folder)}, start_new_session=True)
        os.close(from_us)
        os.close(to_us)
        self._said = folder / "said"
        self._number, self._bytes, self._pages = 0, b"", {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        processes.stop_tree(self._process)
        os.close(self._out)
        os.close(self._in)

    def page(self):
        context = self.call("Target.createBrowserContext")["browserContextId"]
        target = self.call("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = self._pages[session] = Page(self, session)
        page.call("Network.enable")
        page.call("Page.enable")
        return page

    def call(self, method, session=None, **parameters):
        self._number += 1
        number = self._number
        message = {"id": number, "method": method, "params": parameters, **({"sessionId": session} if session else {})}
        os.write(self._out, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            answer = self.next(deadline - time.monotonic())
            if answer and answer.get("id") == number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
        raise RuntimeError(f"chromium does not answer {method}")

    def next(self, patience):
        """The next message, an event given to its page; None where none came."""
        while b"\0" not in self._bytes:
            ready, _, _ = select.select([self._in], [], [], max(0, patience))
            if not ready:
                return None
            piece = os.read(self._in, 1 << 20)
            if not piece:
                raise RuntimeError("chromium has ended: " + self._said.read_text(errors="replace")[-500:])
            self._bytes += piece
        line, _, self._bytes = self._bytes.partition(b"\0")
        message = json.loads(line)
        if message.get("sessionId") in self._pages:
            self._pages[message["sessionId"]].happened(message)
        return message


class Page:
    def __init__(self, browser, session):
        self._browser, self._session = browser, session
        self.asked, self.answers = [], {}

    def call(self, method, **parameters):
        return self._browser.call(method, self._session, **parameters)

    def happened(self, message):
        if message.get("method") == "Network.requestWillBeSent":
            self.asked.append(message["params"]["request"]["url"])
        elif message.get("method") == "Network.responseReceived":
            answer = message["params"]["response"]
            self.answers[answer["url"]] = {name.lower(): value for name, value in answer["headers"].items()}

    def open(self, url):
        self.call("Page.navigate", url=url)

    def run(self, script):
        # While one page gives way to the next there is nowhere to run it: no answer, not an error.
        try:
            return self.call("Runtime.evaluate", expression=script, returnByValue=True)["result"].get("value")
        except RuntimeError as fault:
            if "context" in str(fault) or "navigat" in str(fault):
                return None
            raise

    def wait(self, condition, patience=PATIENCE_S):
        deadline = time.monotonic() + patience
        while not self.run(f"document.readyState == 'complete' && !!({condition})"):
            if time.monotonic() > deadline:
                raise RuntimeError(f"waited for {condition} at {self.run('location.href')}: {self.text()[:300]}")
            self._browser.next(0.1)

    def wait_for_address(self, start, patience=PATIENCE_S):
        """Until an address that begins so was asked for, answered or not."""
        deadline = time.monotonic() + patience
        while not any(url.startswith(start) for url in self.asked):
            if time.monotonic() > deadline:
                raise RuntimeError(f"never went to {start}: {self.text()[:300]}")
            self._browser.next(0.1)

    def text(self):
        return self.run("document.body ? document.body.innerText : ''") or ""


def key_of(certificate):
    """The name by which chromium is told to trust a key: base64 of SHA-256 of SubjectPublicKeyInfo."""
    public = subprocess.run(["openssl", "x509", "-in", certificate, "-pubkey", "-noout"], check=True, capture_output=True).stdout
    body = b"".join(line for line in public.splitlines() if not line.startswith(b"-----"))
    return base64.b64encode(hashlib.sha256(base64.b64decode(body)).digest()).decode()
