"""The ground of the benchmark: a network namespace for the servers, one for the clients, the delay link
between them (delay_link.cpp), names for both, and a trust store that is the system's plus the test CA.

    require()           ends the program where this cannot be had
    enter()             starts this program anew in the servers' namespaces (network, mount)
    with Wire(...) as wire: wire.delay(25_000); wire.clear(); ...; wire.capture()

Needs root, /dev/net/tun. Nothing of it is seen outside, and all of it ends with this process.
"""

import ctypes
import os
import pathlib
import shutil
import subprocess
import sys

DEVICE = "mbbench"
SERVER, CLIENT = "10.77.0.1", "10.77.0.2"
NEAR, FAR = "near.bench.example", "far.bench.example"  # over the loopback, and over the link
MARK = "MAILBEARER_BENCH_INSIDE"
TRUST_FOLDER = pathlib.Path("/etc/ssl/certs")
TRUST_BUNDLE = TRUST_FOLDER / "ca-certificates.crt"
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18


def require():
    if os.geteuid() != 0:
        raise SystemExit("bench: needs root: namespaces, TUN devices, Postfix and Dovecot")
    if not os.path.exists("/dev/net/tun"):
        raise SystemExit("bench: this system has no /dev/net/tun, which the delay link is made of")


def enter():
    if os.environ.pop(MARK, None):
        run("ip", "link", "set", "lo", "up")
        return
    os.environ[MARK] = "yes"
    os.execvp("unshare", ["unshare", "--net", "--mount", "--propagation", "private", sys.executable, *sys.argv])


def run(*command, **more):
    subprocess.run([str(word) for word in command], check=True, stdin=subprocess.DEVNULL, **more)


def bind(source, target):
    library = ctypes.CDLL(None, use_errno=True)
    if library.mount(os.fsencode(source), os.fsencode(target), None, MS_BIND, None) != 0:
        raise OSError(ctypes.get_errno(), f"cannot bind {source} over {target}")


def trust_with(authority, folder):
    """Binds a copy of the system's trust, hashed directory and bundle, with one authority more, over it."""
    copy = pathlib.Path(folder) / "trust"
    shutil.copytree(TRUST_FOLDER.resolve(), copy, symlinks=True)
    text = pathlib.Path(authority).read_text()
    (copy / "mailbearer-bench.pem").write_text(text)
    name = subprocess.run(
        ["openssl", "x509", "-noout", "-subject_hash", "-in", authority], check=True, capture_output=True, text=True
    ).stdout.strip()
    (copy / f"{name}.0").symlink_to("mailbearer-bench.pem")
    bundle = copy / TRUST_BUNDLE.name
    bundle.write_text(TRUST_BUNDLE.read_text() + text)
    for path in [copy, *copy.iterdir()]:
        if not path.is_symlink():
            os.chmod(path, 0o755 if path.is_dir() else 0o644)
    bind(copy, TRUST_FOLDER.resolve())


def names_in(folder):
    """Binds an /etc/hosts over the system's that knows the two names of the server."""
    hosts = pathlib.Path(folder) / "hosts"
    hosts.write_text(f"127.0.0.1 localhost {NEAR}\n{SERVER} {FAR}\n")
    hosts.chmod(0o644)
    bind(hosts, "/etc/hosts")


class Wire:
    """The link. `space` is the path of the clients' network namespace."""

    def __init__(self, program, folder):
        self.program = program
        self.path = pathlib.Path(folder) / "capture"
        self.process = None

    def __enter__(self):
        self.process = subprocess.Popen(
            [str(self.program), DEVICE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        self._answer("start")
        self.space = f"/proc/{self.process.pid}/ns/net"
        outside = []
        inside = ["nsenter", f"--net={self.space}"]
        for prefix, own, other in ((outside, SERVER, CLIENT), (inside, CLIENT, SERVER)):
            run(*prefix, "ip", "link", "set", "lo", "up")
            run(*prefix, "ip", "address", "add", own, "peer", other, "dev", DEVICE)
            run(*prefix, "ip", "link", "set", DEVICE, "up")
        self.delay(0)
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(10)

    def _answer(self, asked):
        said = self.process.stdout.readline().strip()
        if said != "ok":
            raise RuntimeError(f"delay_link, {asked}: {said or 'ended'}")

    def _tell(self, line):
        self.process.stdin.write(line + "\n")
        self._answer(line)

    def delay(self, one_way_us):
        self._tell(f"delay {one_way_us}")

    def clear(self):
        self._tell("clear")

    def capture(self):
        """The lines of the capture since the last clear()."""
        self._tell(f"capture {self.path}")
        return self.path.read_text().splitlines()

    def pcap(self, path):
        self._tell(f"pcap {path}")
