"""Which clients there are on this system, where nodemailer comes from, and the versions of everything."""

import os
import pathlib
import platform
import shutil
import subprocess
import tempfile

import clients
import service

MODULES = "MAILBEARER_BENCH_MODULES"
FETCHED = "MAILBEARER_BENCH_FETCHED"
OURS, WITHOUT, BY_DATA = "mailbearer", "mailbearer, no runtime_dir", "mailbearer, chunking = no"
# What the peers could do without the system's bundle of 140 authorities, which both parse for every message.
MSMTP_ONE, CURL_ONE = "msmtp, one CA file", "curl, one CA file"


def fetch_nodemailer(wanted):
    """A folder node_modules with nodemailer in it, or "" where there is no npm or no network."""
    if wanted.modules:
        return str(pathlib.Path(wanted.modules).resolve() / "node_modules")
    if not shutil.which("npm") or (wanted.client and "nodemailer" not in wanted.client):
        return ""
    folder = tempfile.mkdtemp(prefix="mailbearer-bench-npm-")
    os.environ[FETCHED] = folder
    done = subprocess.run(
        ["npm", "install", "--silent", "--no-audit", "--no-fund", "--no-save", "nodemailer"],
        cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120,
    )
    modules = pathlib.Path(folder) / "node_modules"
    return str(modules) if done.returncode == 0 and (modules / "nodemailer").is_dir() else ""


def drop_fetched():
    folder = os.environ.pop(FETCHED, "")
    if folder:
        shutil.rmtree(folder, ignore_errors=True)


def clients_of(service_now, folder, wanted):
    modules = os.environ.get(MODULES, "")
    token = service_now.identity.new_access_token(service.USER)
    own = pathlib.Path(folder) / "clients"
    own.mkdir(mode=0o755)
    common = (service_now, own, token)
    found = [
        clients.Mailbearer(OURS, *common, wanted.bin, resume=True),
        clients.Mailbearer(WITHOUT, *common, wanted.bin, resume=False),
        clients.Mailbearer(BY_DATA, *common, wanted.bin, resume=True, chunking="no", parts=("flights",)),
    ]
    if shutil.which("msmtp"):
        found.append(clients.Msmtp("msmtp", *common))
        found.append(clients.Msmtp(MSMTP_ONE, *common, ("near", "cost"), service_now.certificates.authority))
    if shutil.which("curl"):
        found.append(clients.Curl("curl", *common))
        found.append(clients.Curl(CURL_ONE, *common, ("near", "large", "row"), service_now.certificates.authority))
    if shutil.which("s-nail"):
        found.append(clients.SNail("s-nail", *common))
    if modules and shutil.which("node"):
        found.append(clients.Nodemailer("nodemailer", *common, modules))
    found.append(clients.Smtplib("smtplib", *common))
    if wanted.client:
        found = [one for one in found if any(word in one.name for word in wanted.client)]
    return found


def first_line(*command):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    return ((done.stdout or done.stderr).splitlines() or ["?"])[0]


def package(name):
    done = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", name], capture_output=True, text=True)
    return done.stdout if done.returncode == 0 else "not from a package"


def versions(running):
    names = {one.name for one in running}
    found = [("system", f"{platform.freedesktop_os_release().get('PRETTY_NAME', '?')}, Linux {platform.release()}, "
              f"{os.cpu_count()} processors ({processor()})")]
    found += [(name, package(name)) for name in ("msmtp", "curl", "s-nail") if name in names]
    if "nodemailer" in names:
        text = (pathlib.Path(os.environ[MODULES]) / "nodemailer/package.json").read_text()
        version = text.partition('"version": "')[2].partition('"')[0]
        found.append(("nodemailer", f"{version} on node {first_line('node', '--version')}"))
    found.append(("smtplib", f"of {first_line('/usr/bin/python3', '--version')}"))
    found += [(name, package(name)) for name in ("postfix", "dovecot-core", "libssl3", "libgnutls30", "libc6")]
    found += [("valgrind", package("valgrind")), ("strace", package("strace"))]
    return found


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


