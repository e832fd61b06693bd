"""A fresh Debian in a folder, by debootstrap, and commands in it. Needs root; the caller is in a mount namespace of its own."""

import os
import pathlib
import re
import shutil
import subprocess


def sources():
    """The Debian sources that apt of this host uses: [(mirror, suite, component)], the release itself first."""
    codename = re.search(r"^VERSION_CODENAME=(\S+)", pathlib.Path("/etc/os-release").read_text(), re.M)[1]
    listed = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(ORIGIN)|$(SITE)|$(CODENAME)|$(SUITE)|$(COMPONENT)|$(RELEASE)", "Created-By: Packages"],
        check=True, capture_output=True, text=True).stdout
    found = []
    for line in listed.splitlines():
        origin, site, _, _, component, release = line.split("|")
        if origin == "Debian" and component == "main" and release.startswith(codename) and (site, release, component) not in found:
            found.append((site, release, component))
    found.sort(key=lambda source: len(source[1]))
    if not found:
        raise RuntimeError("apt knows no Debian source of " + codename + "; run: apt-get update")
    return found


def proxy():
    """What apt of this host was told of proxies, as apt.conf."""
    told = subprocess.run(["apt-config", "dump"], check=True, capture_output=True, text=True).stdout
    return "".join(line + "\n" for line in told.splitlines() if re.match(r"Acquire::https?::Proxy", line, re.I))


class FreshRoot:
    def __init__(self, folder):
        self.path = pathlib.Path(folder)

    def make(self):
        mirror, release, _ = sources()[0]
        environment = dict(os.environ)
        stated = re.search(r'Acquire::http::Proxy "([^"]+)"', proxy(), re.I)
        if stated and stated[1] != "DIRECT":
            environment["http_proxy"] = stated[1]
        subprocess.run(["debootstrap", "--variant=minbase", "--include=ca-certificates", release, str(self.path), mirror],
                       check=True, env=environment, stdout=subprocess.DEVNULL)
        self.write("etc/apt/sources.list", "".join(f"deb {site} {suite} {part}\n" for site, suite, part in sources()))
        self.write("etc/apt/apt.conf.d/90proxy", proxy())
        self.write("etc/dpkg/dpkg.cfg.d/fast", "force-unsafe-io\n")
        self.write("usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n", 0o755)
        for name in ("etc/resolv.conf", "etc/hosts"):
            shutil.copy("/" + name, self.path / name)

    def mount(self):
        for name, options in (("proc", ["-t", "proc", "proc"]), ("dev", ["--rbind", "/dev"]), ("run", ["-t", "tmpfs", "tmpfs"])):
            subprocess.run(["mount", *options, str(self.path / name)], check=True)

    def write(self, name, text, mode=0o644):
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)
        return path

    def read(self, name):
        return (self.path / name).read_text()

    def has(self, name):
        return os.path.lexists(self.path / name)

    def run(self, *command, check=True, input=None, environment=None):
        """In the root, with an environment of its own; stdout and stderr together."""
        plain = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive", "HOME": "/root"}
        done = subprocess.run(["chroot", str(self.path), *command], env=plain | (environment or {}), input=input or "",
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=400)
        if check and done.returncode != 0:
            raise AssertionError(f"{' '.join(command)}: exit {done.returncode}\n{done.stdout[-3000:]}")
        return done

    def apt(self, *words):
        return self.run("apt-get", "-y", "-q", "--no-install-recommends", "-o", "Dpkg::Use-Pty=0", *words).stdout
