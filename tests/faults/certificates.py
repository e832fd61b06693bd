"""The server certificates of P9: what a client must refuse, and two that it must take. Made by the openssl command."""

import importlib.util
import pathlib

_path = pathlib.Path(__file__).resolve().parent.parent / "integration" / "certificates.py"
_specification = importlib.util.spec_from_file_location("integration_certificates", _path)
_integration = importlib.util.module_from_spec(_specification)
_specification.loader.exec_module(_integration)

HOST = "mail.faults.example"
DEEP_HOST = "a.b.faults.example"

# (name, subjectAltName or None, the name that the client is told)
NAMES = [
    ("wrong-host", "DNS:mail.other.example", HOST),
    ("parent-domain", "DNS:faults.example", HOST),
    ("longer-name", f"DNS:{HOST}.evil.example", HOST),
    ("address-as-name", "DNS:127.0.0.1", "127.0.0.1"),
    ("other-address", "IP:127.0.0.2", "127.0.0.1"),
    ("address-for-a-name", "IP:127.0.0.1", HOST),
    ("name-for-an-address", f"DNS:{HOST}", "127.0.0.1"),
    ("wildcard-for-an-address", "DNS:*.0.0.1", "127.0.0.1"),
    ("wildcard-for-everything", "DNS:*", HOST),
    ("wildcard-of-a-top-domain", "DNS:*.example", HOST),
    ("wildcard-over-two-labels", "DNS:*.faults.example", DEEP_HOST),
    ("wildcard-within-a-label", "DNS:m*.faults.example", HOST),
    ("wildcard-on-the-right", "DNS:mail.*.example", HOST),
    ("two-wildcards", "DNS:*.*.example", HOST),
]


# What a server may have that is sound: openssl's words for the key.
GOOD_KEYS = {
    "rsa2048": ["rsa:2048"], "rsa3072": ["rsa:3072"], "rsa-pss": ["rsa-pss", "-pkeyopt", "rsa_keygen_bits:2048"],
    "p256": ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"], "p384": ["ec", "-pkeyopt", "ec_paramgen_curve:P-384"],
    "p521": ["ec", "-pkeyopt", "ec_paramgen_curve:P-521"], "ed25519": ["ed25519"],
}
GOOD_AUTHORITIES = {"rsa2048": "sha256", "rsa3072": "sha384", "p384": "sha384", "p521": "sha512"}


class Certificates(_integration.Certificates):
    def __init__(self, folder):
        super().__init__(folder)
        local = f"DNS:localhost,IP:127.0.0.1,DNS:{HOST},DNS:*.dns.example"
        self.good = self._make_server("everyday", HOST, local)
        self.good_wildcard = self._make_server("wildcard", "wildcard", "DNS:*.faults.example")
        self.bad = {}  # name -> (chain, the host that the client is told)
        for name, names, host in NAMES:
            self.bad[name] = (self._make_server(name, "a server", names), host)
        past = ["-startdate", "20200101000000Z", "-enddate", "20200201000000Z"]
        future = ["-startdate", "20900101000000Z", "-enddate", "20910101000000Z"]
        self.bad["expired"] = (self._make_server("was-good", HOST, local, past), HOST)
        self.bad["not-yet-valid"] = (self._make_server("will-be-good", HOST, local, future), HOST)
        self.bad["sha1"] = (self._make_server("sha1", HOST, local, ["-days", "30", "-md", "sha1"]), HOST)
        self.bad["unknown-issuer"] = (self._signed_by("stranger", self.other_authority, self.folder / "other-ca.key", local), HOST)
        self.bad["issuer-is-no-authority"] = (
            self._signed_by("grandchild", self.folder / "everyday.crt", self.folder / "everyday.key", local), HOST)
        self.bad["self-signed"] = (self._self_signed("self-signed", local), HOST)
        self.bad["weak-key"] = (self._signed_by("weak", self.authority, self.folder / "rig-ca.key", local, "rsa:1024"), HOST)
        self.bad["for-clients-only"] = (self._signed_by(
            "client", self.authority, self.folder / "rig-ca.key", local, extension="extendedKeyUsage=clientAuth"), HOST)

        # Sound ones of every sort, from authorities of every sort.
        self.sound = {f"key-{kind}": self._signed_by(f"key-{kind}", self.authority, self.folder / "rig-ca.key", local, kind)
                      for kind in GOOD_KEYS}
        trusted = self.authority.read_text()
        for kind, digest in GOOD_AUTHORITIES.items():
            authority, key = self._authority_of(kind, digest)
            trusted += authority.read_text()
            self.sound[f"issuer-{kind}"] = self._signed_by(f"issuer-{kind}", authority, key, local, digest=digest)
        self.trusted = self.folder / "trusted.pem"
        self.trusted.write_text(trusted)

    def _authority_of(self, kind, digest):
        certificate, key = self.folder / f"{kind}-ca.pem", self.folder / f"{kind}-ca.key"
        self._run("req", "-x509", "-newkey", *GOOD_KEYS[kind], "-nodes", "-days", "30", f"-{digest}", "-config", self.configuration,
                  "-extensions", "authority", "-subj", f"/CN=An authority with {kind}", "-keyout", key, "-out", certificate)
        return certificate, key

    def _request(self, name, names, kind, extension):
        key, request = self.folder / f"{name}.key", self.folder / f"{name}.csr"
        how = GOOD_KEYS.get(kind, [kind])
        more = ["-addext", extension] if extension else []
        self._run("req", "-newkey", *how, "-nodes", "-config", self.configuration, "-subj", f"/CN={HOST}",
                  "-addext", f"subjectAltName={names}", *more, "-keyout", key, "-out", request)
        return key, request

    def _signed_by(self, name, issuer, issuer_key, names, kind="p256", extension=None,
                   digest="sha256"):
        key, request = self._request(name, names, kind, extension)
        certificate, chain = self.folder / f"{name}.crt", self.folder / f"{name}.pem"
        self._run("x509", "-req", "-in", request, "-CA", issuer, "-CAkey", issuer_key, "-CAcreateserial", "-days", "30",
                  "-copy_extensions", "copy", f"-{digest}", "-out", certificate)
        chain.write_text(key.read_text() + certificate.read_text() + issuer.read_text())
        return chain

    def _self_signed(self, name, names):
        key, certificate, chain = (self.folder / f"{name}.{end}" for end in ("key", "crt", "pem"))
        self._run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-config", self.configuration,
                  "-days", "30", "-subj", f"/CN={HOST}", "-addext", f"subjectAltName={names}", "-keyout", key, "-out", certificate)
        chain.write_text(key.read_text() + certificate.read_text())
        return chain
