"""What can be said of the packages, units, completions and profile without installing them."""

import os
import pathlib
import re
import subprocess
import tempfile

tree = pathlib.Path(__file__).resolve().parents[2]


def output(*command, **more):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300, **more)
    return done.returncode, done.stdout


def package(folder, name):
    found = sorted(folder.glob(f"{name}_*.deb"))
    if len(found) != 1:
        raise AssertionError(f"{name}: {found}")
    return found[0]


def lintian(packages):
    (changes,) = packages.glob("*.changes")
    status, said = output("lintian", "--allow-root", "--no-cfg", "--pedantic", "--fail-on", "error,warning,pedantic", "--", str(changes))
    if status != 0 or said.strip() or list(tree.glob("debian/**/*lintian-overrides")):
        raise AssertionError(said)


def versions(_packages):
    ours = re.search(r"^VERSION := (\S+)", (tree / "Makefile").read_text(), re.M)[1]
    theirs = output("dpkg-parsechangelog", "-l", str(tree / "debian/changelog"), "-S", "Version")[1].strip()
    if ours != theirs:
        raise AssertionError(f"Makefile says {ours}, debian/changelog {theirs}")


def build_dependencies(_packages):
    control = (tree / "debian/control").read_text().split("\n\n")[0]
    for line in (tree / "tests/setup/packages.build").read_text().splitlines():
        name = line.split("#")[0].strip()
        if name and name not in ("g++", "make", "ca-certificates") and not re.search(rf"\b{re.escape(name)}\b", control):
            raise AssertionError(f"packages.build has {name}, Build-Depends of debian/control has not")


def no_privilege(packages):
    for path in packages.glob("*.deb"):
        for line in output("dpkg-deb", "-c", str(path))[1].splitlines():
            if re.match(r".{3}[sS]|.{6}[sS]|.{9}[tT]", line) or not re.search(r" root/root ", line):
                raise AssertionError(f"{path.name}: {line}")


def hardening(packages):
    with tempfile.TemporaryDirectory() as folder:
        for name in ("mailbearer", "mailbearer-sandbox"):
            output("dpkg-deb", "-x", str(package(packages, name)), folder)
        programs = [path for path in pathlib.Path(folder).glob("usr/*/**/*") if path.is_file() and os.access(path, os.X_OK)]
        if len(programs) != 5:
            raise AssertionError(str(programs))
        for program in programs:
            facts = output("readelf", "-W", "-h", "-l", "-d", "--dyn-syms", str(program))[1]
            for wanted in (r"Type:\s+DYN", "GNU_RELRO", r"BIND_NOW|Flags:.*NOW", "__stack_chk_fail"):
                if not re.search(wanted, facts):
                    raise AssertionError(f"{program.name}: no {wanted}")
            if re.search(r"GNU_STACK.*RWE|RPATH|RUNPATH", facts):
                raise AssertionError(f"{program.name}: {facts}")


def exposure(_packages):
    for unit, bound in (("mailbearer.service", 1.5), ("mailbearer-refresh.service", 1.5)):
        said = output("systemd-analyze", "security", "--offline=true", "--no-pager", str(tree / "etc/systemd" / unit))[1]
        level = float(re.search(r"exposure level for \S+: ([0-9.]+)", said)[1])
        print(f"     {unit}: {level}")
        if level > bound:
            raise AssertionError(said)


def the_peers_are_seen(_packages):
    text = (tree / "etc/systemd/mailbearer.service").read_text()
    if "\nPrivateUsers=no\n" not in text:
        raise AssertionError("in a user namespace of its own the agent sees every caller as nobody")
    # A credential by its name alone may be missing; one with a path stops the service.
    if not re.search(r"^LoadCredentialEncrypted=[^:/]+$", text, re.M):
        raise AssertionError("the store key must not be asked for by a path")


def apparmor(_packages):
    status, said = output("apparmor_parser", "-Q", "-K", str(tree / "etc/apparmor/mailbearer-agent"))
    if status != 0:
        raise AssertionError(said)
    said = output("apparmor_parser", "-N", "-Q", "-K", str(tree / "etc/apparmor/mailbearer-agent"))[1]
    unit = (tree / "etc/systemd/mailbearer.service").read_text()
    if "mailbearer-agent" not in said or "\nAppArmorProfile=-mailbearer-agent\n" not in unit:
        raise AssertionError("profile and unit name different profiles: " + said)


def completion_syntax(_packages):
    for shell, name in (("bash", "mailbearer.bash"), ("zsh", "_mailbearer"), ("fish", "mailbearer.fish")):
        status, said = output(shell, "-n", str(tree / "etc/completions" / name))
        if status != 0 or said:
            raise AssertionError(f"{shell}: {said}")


def run(checks, packages):
    for name, function in (
            ("lintian is silent, without overrides", lintian),
            ("Makefile and debian/changelog have the same version", versions),
            ("what make needs is in Build-Depends", build_dependencies),
            ("no file is setuid or setgid, all are root's", no_privilege),
            ("every program has PIE, RELRO, BIND_NOW and stack guards", hardening),
            ("units: exposure at most 1.5", exposure),
            ("units: peers are seen, a missing key stops nothing", the_peers_are_seen),
            ("AppArmor profile parses and is the unit's", apparmor),
            ("completions: bash, zsh and fish take them", completion_syntax)):
        checks.run(name, function, packages)
