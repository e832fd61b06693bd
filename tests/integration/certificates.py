"""Certificates of the rig: one authority, made by the openssl command for this run, and server
certificates of every sort that a client must tell apart. Needs: openssl. Owns: files in one folder.
"""

import pathlib
import subprocess

SERIAL_START = "1000\n"

CONFIGURATION = """
[ca]
default_ca = rig
[rig]
dir = {folder}
new_certs_dir = $dir
database = $dir/index.txt
serial = $dir/serial
default_md = sha256
policy = any
unique_subject = no
copy_extensions = copy
[any]
commonName = supplied
[req]
distinguished_name = name
prompt = no
[name]
commonName = placeholder
[authority]
basicConstraints = critical,CA:true
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
"""


class Certificates:
    """The authority and what it signed; each value is a path to a PEM file."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(mode=0o755)
        self.configuration = self.folder / "openssl.cnf"
        self.configuration.write_text(CONFIGURATION.format(folder=self.folder))
        (self.folder / "index.txt").write_text("")
        (self.folder / "serial").write_text(SERIAL_START)
        self.authority = self._make_authority("rig", "Mailbearer rig CA")
        self.other_authority = self._make_authority("other", "A stranger's CA")
        local = "DNS:localhost,IP:127.0.0.1"
        self.good = self._make_server("good", "localhost", local)
        self.wrong_name = self._make_server("wrong-name", "mail.example.net", "DNS:mail.example.net")
        self.expired = self._make_server(
            "expired", "localhost", local, ["-startdate", "20200101000000Z", "-enddate", "20200201000000Z"]
        )

    def _run(self, *arguments):
        subprocess.run(
            ["openssl", *map(str, arguments)],
            check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )

    def _make_authority(self, name, common_name):
        certificate = self.folder / f"{name}-ca.pem"
        self._run(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
            "-config", self.configuration, "-extensions", "authority", "-subj", f"/CN={common_name}",
            "-keyout", self.folder / f"{name}-ca.key", "-out", certificate,
        )
        return certificate

    def _make_server(self, name, common_name, names, dates=("-days", "30")):
        key, request = self.folder / f"{name}.key", self.folder / f"{name}.csr"
        certificate, chain = self.folder / f"{name}.crt", self.folder / f"{name}.pem"
        self._run(
            "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-config", self.configuration,
            "-subj", f"/CN={common_name}", "-addext", f"subjectAltName={names}", "-keyout", key, "-out", request,
        )
        self._run(
            "ca", "-batch", "-notext", "-config", self.configuration, "-cert", self.authority,
            "-keyfile", self.folder / "rig-ca.key", "-in", request, "-out", certificate, *dates,
        )
        chain.write_text(key.read_text() + certificate.read_text() + self.authority.read_text())
        return chain
