"""Signing in, below the commands that ask and show: what the helper says to the sandbox's sign-in service, and the grants without a person, to a delivered message."""

import base64
import hashlib
import http.server
import json
import os
import ssl
import subprocess
import threading
import urllib.error
import urllib.parse
import urllib.request

from records import Helper

CERTIFICATE_DAYS = "30"


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def authorize(box, **query):
    """The sign-in page, with a user who agrees to everything: the address to which it sends the browser."""
    context = ssl.create_default_context(cafile=box.ca_file)
    opener = urllib.request.build_opener(NoRedirect, urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
    try:
        opener.open(box.facts["authorization_endpoint"] + "?" + urllib.parse.urlencode(query), timeout=10)
    except urllib.error.HTTPError as answer:
        return urllib.parse.urlparse(answer.headers["Location"])
    raise AssertionError("the sign-in page did not redirect")


def sign_in_words(box, port=4711):
    verifier = "v" * 43
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    return verifier, {
        "client_id": box.app(public=True)["client_id"], "response_type": "code", "redirect_uri": f"http://localhost:{port}",
        "scope": "https://outlook.office.com/SMTP.Send openid profile offline_access", "state": "s1", "nonce": "n1",
        "code_challenge": challenge, "code_challenge_method": "S256", "prompt": "select_account"}


def redeem(box, helper, code, verifier, redirect="http://localhost:4711"):
    return helper.ask("token", url=box.token_endpoint, ca_file=box.ca_file, claims=1, form__grant_type="authorization_code",
                      form__client_id=box.app(public=True)["client_id"], form__code=code, form__code_verifier=verifier,
                      form__redirect_uri=redirect)


def test_a_code_becomes_tokens_that_send(case):
    box = case.box("--auto-consent", "me@sandbox.example")
    helper = Helper(case)
    verifier, query = sign_in_words(box)
    where = authorize(box, **query)
    case.same((where.scheme, where.netloc, where.path), ("http", "localhost:4711", "/"), "a path-less redirect gets a slash")
    back = urllib.parse.parse_qs(where.query)
    case.same(back["state"], ["s1"])
    wrong = redeem(box, helper, back["code"][0], "w" * 43)
    case.same((wrong["status"], wrong["error"]), ("400", "invalid_grant"))
    back = urllib.parse.parse_qs(authorize(box, **query).query)
    answer = redeem(box, helper, back["code"][0], verifier)
    case.same(answer["status"], "200", answer.get("error_description"))
    case.same({name: answer[name] for name in ("id", "id.aud", "id.nonce", "id.user", "id.tid", "at.aud", "at.scp")},
              {"id": "1", "id.aud": query["client_id"], "id.nonce": "n1", "id.user": "me@sandbox.example",
               "id.tid": box.facts["tenant"]["id"], "at.aud": "https://outlook.office.com", "at.scp": "SMTP.Send"})
    case.holds(answer["id.iss"].startswith(box.token_endpoint.split("/oauth2")[0].rsplit("/", 1)[0]), answer["id.iss"])
    me = case.person(box, secrets=False)
    case.same(me.call("mailbearer", "secret", "set", "work", "refresh-token", data=answer["refresh_token"].encode()).code, 0)
    me.send("-i", "ann@example.org").succeeded()
    case.same(redeem(box, helper, back["code"][0], verifier)["error_codes"].split(), ["54005"], "a code is used once")


def test_a_device_code_becomes_tokens(case):
    box = case.box()
    helper = Helper(case)
    client = box.app(public=True)["client_id"]
    scope = "https://outlook.office.com/SMTP.Send openid offline_access"
    begun = helper.ask("device", url=box.facts["device_authorization_endpoint"], ca_file=box.ca_file, form__client_id=client,
                       form__scope=scope)
    case.same((begun["status"], begun["interval"], begun["expires_in"]), ("200", "5", "900"), begun)

    def poll():
        return helper.ask("token", url=box.token_endpoint, ca_file=box.ca_file, claims=1, form__client_id=client,
                          form__grant_type="urn:ietf:params:oauth:grant-type:device_code", form__device_code=begun["device_code"])

    case.same(poll()["error"], "authorization_pending")
    box.control("device", user_code=begun["user_code"], user="me@sandbox.example", approve=True)
    answer = poll()
    case.same((answer["status"], answer["id.user"]), ("200", "me@sandbox.example"), answer.get("error_description"))
    box.fault("devicecode", status=400, error="interaction_required", code=53003)
    refused = helper.ask("device", url=box.facts["device_authorization_endpoint"], ca_file=box.ca_file, form__client_id=client,
                         form__scope=scope)
    case.same((refused["error"], refused["error_codes"].split()), ("interaction_required", ["53003"]))


def make_pair(folder, name="site"):
    """A key and a self-signed certificate by another program than ours."""
    key, certificate = folder / f"{name}.key", folder / f"{name}.crt"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-days",
                    CERTIFICATE_DAYS, "-subj", f"/CN={name}"], check=True, capture_output=True, timeout=60)
    both = folder / f"{name}.pem"
    both.write_bytes(key.read_bytes() + certificate.read_bytes())
    for path in (key, certificate, both):
        path.chmod(0o600)
    return both, certificate.read_text()


def test_an_app_signs_in_by_certificate(case):
    box = case.box()
    pem, certificate = make_pair(case.folder)
    box.control("certificate", client_id=box.app(public=False)["client_id"], pem=certificate)
    for name, extra in (("ps256", ""), ("rs256", "app_assertion = rs256\n")):
        me = case.person(box, name=name, accounts={"site": f"app_certificate = {pem}\n{extra}"}, secrets=False)
        me.send("-i", "ann@example.org").succeeded()
        me.send("-i", "ann@example.org").succeeded()
    case.same(box.count("token.client_credentials", outcome="ok"), 2)
    case.same([mail.user for mail in box.mails()], ["noreply@sandbox.example"] * 4)


def test_a_certificate_that_the_app_does_not_have(case):
    box = case.box()
    pem, _ = make_pair(case.folder)
    other, other_certificate = make_pair(case.folder, "other")
    me = case.person(box, accounts={"site": f"app_certificate = {pem}\n"}, secrets=False)
    result = me.send("-i", "ann@example.org")
    result.failed(78, r"not sent \(site\): .*AADSTS700027.*")
    (case.folder / "other.crt").write_text(other_certificate)
    mixed = case.person(box, name="mixed", accounts={"site": f"app_certificate = {case.folder}/other.crt\napp_key = {pem}\n"}, secrets=False)
    mixed.send("-i", "ann@example.org").failed(78, r"not sent \(site\): the private key belongs to another certificate.*")
    pem.chmod(0o666)
    me.send("-i", "ann@example.org").failed(78, r"not sent \(site\): .*site\.pem may be written by others.*")
    case.same(box.mails(), [])


class Endpoint(http.server.BaseHTTPRequestHandler):
    """An identity or token endpoint of this machine, which gives out a token of the sandbox's."""

    protocol_version = "HTTP/1.1"

    def answer(self, body):
        self.server.asked.append((self.command, self.path, dict(self.headers), body))
        status, reply = self.server.script(self, body)
        text = json.dumps(reply).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def do_GET(self):
        self.answer("")

    def do_POST(self):
        self.answer(self.rfile.read(int(self.headers["Content-Length"])).decode())

    def log_message(self, *_):
        pass


def endpoint(case, script):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
    server.script, server.asked = script, []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    case.at_end(server.shutdown)
    case.at_end(server.server_close)
    return server


def app_token(box, helper):
    app = box.app(public=False)
    answer = helper.ask("token", url=box.token_endpoint.replace("organizations", box.facts["tenant"]["id"]), ca_file=box.ca_file,
                        form__grant_type="client_credentials", form__client_id=app["client_id"], form__client_secret=app["secret"],
                        form__scope="https://outlook.office365.com/.default")
    if answer["status"] != "200":
        raise AssertionError(answer)
    return answer["access_token"]


def test_a_managed_identity_sends_and_no_proxy_hears_of_it(case):
    box = case.box()
    token = app_token(box, Helper(case))
    machine = endpoint(case, lambda *_: (200, {"access_token": token, "expires_in": "3599", "token_type": "Bearer"}))
    proxy = endpoint(case, lambda *_: (502, {}))
    me = case.person(box, secrets=False, accounts={"site": (
        "grant = managed-identity\nresource = https://outlook.office365.com\nclient_id =\nscope =\n"
        f"https_proxy = http://127.0.0.1:{proxy.server_port}\n"
        f"token_endpoint = http://127.0.0.1:{machine.server_port}/metadata/identity/oauth2/token\n")})
    me.send("-i", "ann@example.org").succeeded()
    me.send("-i", "ann@example.org").succeeded()
    case.same(len(box.mails()), 2)
    case.same(len(machine.asked), 1, "the token was kept")
    method, path, headers, _ = machine.asked[0]
    case.same(method, "GET")
    case.same(urllib.parse.parse_qs(urllib.parse.urlparse(path).query),
              {"api-version": ["2020-06-01"], "resource": ["https://outlook.office365.com"]})
    case.same(headers["Metadata"], "true")
    case.same(proxy.asked, [])


def test_a_federated_token_is_read_anew_each_time(case):
    box = case.box()
    token = app_token(box, Helper(case))
    service = endpoint(case, lambda *_: (200, {"access_token": token, "expires_in": 3599, "token_type": "Bearer"}))
    file = case.folder / "federated"
    me = case.person(box, secrets=False, accounts={"site": (
        f"grant = federated\nfederated_token_file = {file}\ntoken_endpoint = http://127.0.0.1:{service.server_port}/token\n")})
    for number in (1, 2):
        file.write_text(f"eyJ.external-{number}.x\n")
        file.chmod(0o600)
        me.forget_access_tokens()
        me.send("-i", "ann@example.org").succeeded()
        form = urllib.parse.parse_qs(service.asked[-1][3])
        case.same(form["client_assertion"], [f"eyJ.external-{number}.x"])
        case.same(form["client_assertion_type"], ["urn:ietf:params:oauth:client-assertion-type:jwt-bearer"])
        case.same(form["grant_type"], ["client_credentials"])
    os.remove(file)
    me.forget_access_tokens()
    me.send("-i", "ann@example.org").failed(78, r"not sent \(site\): .*federated.*")
    case.same(len(service.asked), 2)


def test_a_service_account_signs_for_its_mailbox(case):
    box = case.box()
    token = app_token(box, Helper(case))
    service = endpoint(case, lambda *_: (200, {"access_token": token, "expires_in": 3599, "token_type": "Bearer"}))
    pem, certificate = make_pair(case.folder)
    key = case.folder / "service.json"
    key.write_text(json.dumps({"type": "service_account", "client_email": "robot@project.example", "private_key_id": "k1",
                               "private_key": (case.folder / "site.key").read_text()}))
    key.chmod(0o600)
    me = case.person(box, secrets=False, accounts={"site": (
        f"grant = service-account\napp_key = {key}\nclient_id =\nscope = https://mail.google.com/\n"
        f"token_endpoint = http://127.0.0.1:{service.server_port}/token\n")})
    me.send("-i", "ann@example.org").succeeded()
    form = urllib.parse.parse_qs(service.asked[0][3])
    case.same(form["grant_type"], ["urn:ietf:params:oauth:grant-type:jwt-bearer"])
    head, claims, signature = form["assertion"][0].split(".")

    def plain(part):
        return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))

    case.same(json.loads(plain(head)), {"alg": "RS256", "typ": "JWT", "kid": "k1"})
    said = json.loads(plain(claims))
    case.same((said["iss"], said["sub"], said["scope"]), ("robot@project.example", "noreply@sandbox.example", "https://mail.google.com/"))
    (case.folder / "signature").write_bytes(plain(signature))
    (case.folder / "public").write_bytes(subprocess.run(
        ["openssl", "x509", "-pubkey", "-noout"], input=certificate.encode(), check=True, capture_output=True).stdout)
    verified = subprocess.run(["openssl", "dgst", "-sha256", "-verify", case.folder / "public", "-signature", case.folder / "signature"],
                              input=f"{head}.{claims}".encode(), capture_output=True)
    case.same(verified.returncode, 0, verified.stderr)
    for secret in ((case.folder / "site.key").read_text().split("\n")[1], form["assertion"][0]):
        for path in me.keyring.rglob("*"):
            case.holds(not path.is_file() or secret.encode() not in path.read_bytes(), f"{path} holds it in the clear")
