"""The mail service that is measured against: the rig of tests/integration (real Postfix and Dovecot, identity
provider, sink), with one door more, reached over the loopback and over the delay link alike.

What differs from the rig: access tokens of 2.5 kB, as Microsoft's are; Postfix takes command lines of that
length (its default, 2,048 octets, would refuse a long initial response, sent by any client).
"""

import pathlib
import secrets
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "integration"))
sys.path.insert(0, str(HERE.parent / "corpus"))

import identity  # noqa: E402
import rig  # noqa: E402
from certificates import Certificates  # noqa: E402
from dovecot import Dovecot  # noqa: E402
from postfix import Postfix, random_port  # noqa: E402
from sink import Sink  # noqa: E402

import wire  # noqa: E402

TOKEN_OCTETS = 2500
USER = "mailer@example.org"
DOOR = "bench"
LINE_LIMIT = "line_length_limit = 16384\n"
# Twenty at once: as many as a small server of one's own would take.
SERVICE = """
0.0.0.0:{port} inet n - n - - smtpd
  -o myhostname={door}.rig
  -o smtpd_tls_chain_files={chain}
"""


class LongTokens(identity.Identity):
    """As the rig's, but for the length of access tokens; the token endpoint is reached over the link, too."""

    def new_access_token(self, user, active=True):
        token = "at-" + secrets.token_urlsafe(TOKEN_OCTETS)[: TOKEN_OCTETS - 3]
        self.access_tokens[token] = (user, time.time() + 86_400, active)
        return token

    def listen_far(self, chain):
        """A second token endpoint on every address; a client that is far away asks it."""
        server = identity.Server(("0.0.0.0", 0), identity.TokenEndpoint)
        server.identity = self
        context = identity.ssl.SSLContext(identity.ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain)
        server.tls_context = context
        identity.threading.Thread(target=server.serve_forever, daemon=True).start()
        self.far = server
        return server.server_port

    def close(self):
        self.far.shutdown()
        self.far.server_close()
        super().close()


class Service(rig.Rig):
    """`port` is the door's; `endpoint_port` the token endpoint's, at the names wire.NEAR and wire.FAR."""

    def _start(self):
        self.certificates = Certificates(self.folder / "certificates")
        names = f"DNS:{wire.NEAR},DNS:{wire.FAR},IP:{wire.SERVER}"
        self.chain = self.certificates._make_server("bench", wire.FAR, names)
        self.identity = LongTokens(self.certificates.good)
        self.endpoint_port = self.identity.listen_far(self.chain)
        self._parts.append(self.identity.close)
        self.sink = Sink()
        self._parts.append(self.sink.close)
        self.postfix = Postfix(self.folder / "postfix", self.certificates, self.sink.port, self.workers)
        self.bench_port = self._add_door()
        self.dovecot = Dovecot(
            self.folder / "dovecot", self.folder / "postfix/spool/private/auth", self.identity.introspection_port
        )
        for server in (self.dovecot, self.postfix):
            self._parts.append(server.stop)
            server.start()

    def _add_door(self):
        port = random_port()
        configuration = self.postfix.configuration
        with open(configuration / "master.cf", "a", encoding="ascii") as master:
            master.write(SERVICE.format(port=port, door=DOOR, chain=self.chain))
        with open(configuration / "main.cf", "a", encoding="ascii") as main:
            main.write(LINE_LIMIT)
        return port
