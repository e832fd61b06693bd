"""The identity provider of the rig: a token endpoint over TLS and an introspection endpoint for Dovecot.

Token endpoint: RFC 6749 sections 6 (refresh_token) and 4.4 (client_credentials), with rotation: a refresh
token is good once, and one that comes again is answered invalid_grant (RFC 9700 4.14.2). Introspection:
RFC 7662 over plain HTTP on the loopback, for the oauth2 passdb. It shares no code with the sandbox.
"""

import http.server
import json
import secrets
import ssl
import threading
import time
import urllib.parse

INTROSPECTION_PASSWORD = "introspect"


class Identity:
    def __init__(self, chain):
        self.lock = threading.Lock()
        self.refresh_tokens = {}  # token -> user
        self.clients = {}  # client id -> (secret, user)
        self.access_tokens = {}  # token -> (user, expiry, active)
        self.used_refresh_tokens = set()
        self.token_requests = 0
        self.refused_requests = 0
        self.requests = []  # parameters of every token request, for the tests
        self.delay_s = 0.0
        self.lifetime_s = 3600
        self.told_lifetime_s = 3600  # expires_in
        self.rotate = True
        self.fault = None  # None, or (status, body as dict or str, extra headers)
        self.issue_inactive = False  # the next access tokens are not known to introspection
        self.other_judge = None  # of tokens that are not ours: answers as introspect() does
        self.tls = self._start(TokenEndpoint, chain)
        self.plain = self._start(Introspection, None)
        self.token_endpoint = f"https://localhost:{self.tls.server_port}/token"
        self.introspection_port = self.plain.server_port

    def _start(self, handler, chain):
        server = Server(("127.0.0.1", 0), handler)
        server.identity = self
        if chain:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(chain)
            server.tls_context = context
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server

    def close(self):
        for server in (self.tls, self.plain):
            server.shutdown()
            server.server_close()

    def new_refresh_token(self, user):
        with self.lock:
            token = "rt-" + secrets.token_urlsafe(96)
            self.refresh_tokens[token] = user
            return token

    def add_client(self, client_id, secret, user):
        with self.lock:
            self.clients[client_id] = (secret, user)

    def new_access_token(self, user, active=True):
        token = "at-" + secrets.token_urlsafe(900)  # as long as a real JWT: over 512 octets in base64
        self.access_tokens[token] = (user, time.time() + self.lifetime_s, active)
        return token

    def revoke_access_tokens(self):
        with self.lock:
            self.access_tokens.clear()

    def answer(self, form):
        """One token request: status and body."""
        time.sleep(self.delay_s)
        with self.lock:
            self.token_requests += 1
            self.requests.append(form)
            if self.fault:
                return self.fault
            grant = form.get("grant_type")
            if grant == "refresh_token":
                return self._refresh(form)
            if grant == "client_credentials":
                return self._client_credentials(form)
            return self._refuse("unsupported_grant_type")

    def _refuse(self, error, status=400):
        self.refused_requests += 1
        return status, {"error": error, "error_description": "refused by the rig"}, {}

    def _refresh(self, form):
        old = form.get("refresh_token", "")
        user = self.refresh_tokens.get(old)
        if user is None:
            return self._refuse("invalid_grant")
        answer = self._token(user)
        if self.rotate:
            del self.refresh_tokens[old]
            self.used_refresh_tokens.add(old)
            answer["refresh_token"] = "rt-" + secrets.token_urlsafe(96)
            self.refresh_tokens[answer["refresh_token"]] = user
        return 200, answer, {}

    def _client_credentials(self, form):
        secret, user = self.clients.get(form.get("client_id"), (None, None))
        if secret is None or secret != form.get("client_secret"):
            return self._refuse("invalid_client", 401)
        return 200, self._token(user), {}

    def _token(self, user):
        return {
            "token_type": "Bearer",
            "access_token": self.new_access_token(user, not self.issue_inactive),
            "expires_in": self.told_lifetime_s,
        }

    def introspect(self, token):
        with self.lock:
            ours = token in self.access_tokens
            user, expiry, active = self.access_tokens.get(token, (None, 0, False))
        if not ours and self.other_judge:
            return self.other_judge(token)
        if not active or expiry < time.time():
            return {"active": False}
        return {"active": True, "username": user, "scope": "smtp", "exp": int(expiry)}


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    tls_context = None
    identity = None

    def finish_request(self, request, client_address):
        # The TLS handshake belongs to the thread of the connection, not to the one that accepts.
        if self.tls_context:
            request.settimeout(30)
            request = self.tls_context.wrap_socket(request, server_side=True)
        super().finish_request(request, client_address)

    def handle_error(self, request, client_address):
        pass  # a client that refuses our certificate is what some tests want


class Endpoint(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def form(self):
        length = int(self.headers.get("Content-Length", "0"))
        pairs = urllib.parse.parse_qsl(self.rfile.read(length).decode(), keep_blank_values=True)
        return dict(pairs)

    def reply(self, status, body, headers=None):
        data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(status)
        kind = "text/html" if isinstance(body, str) else "application/json"
        for name, value in {"Content-Type": kind, "Cache-Control": "no-store", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


class TokenEndpoint(Endpoint):
    def do_POST(self):
        if self.path != "/token" or self.headers.get_content_type() != "application/x-www-form-urlencoded":
            return self.reply(404, {"error": "invalid_request"})
        self.reply(*self.server.identity.answer(self.form()))


class Introspection(Endpoint):
    """Dovecot asks with GET and the token as Bearer ("auth"), or POST with token=."""

    def do_POST(self):
        self.reply(200, self.server.identity.introspect(self.form().get("token", "")))

    def do_GET(self):
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        self.reply(200, self.server.identity.introspect(token if scheme == "Bearer" else ""))
