"""The life of the packages in a fresh Debian: beside Postfix, in its place, upgraded, removed, back, purged."""

import pathlib
import shutil
import subprocess

import containers

links = {"usr/sbin/sendmail", "usr/lib/sendmail", "usr/bin/mailq", "usr/bin/newaliases"}
tree = pathlib.Path(__file__).resolve().parents[2]

# systemd as the maintainer scripts see it: each call written down, everything enabled and running.
fake_systemctl = """#!/bin/sh
echo "$*" >>/var/tmp/systemctl.log
case "$*" in *is-enabled*) echo enabled ;; *is-active*) echo active ;; *show*) echo ActiveState=active; echo LoadState=loaded ;; esac
"""


class Life:
    def __init__(self, packages, root):
        self.root = root
        self.packages = packages
        self.root.mount()
        (self.root.path / "srv/packages").mkdir(parents=True)
        for path in packages.glob("*.deb"):
            if "dbgsym" not in path.name:
                shutil.copy(path, self.root.path / "srv/packages")

    def deb(self, name, folder="srv/packages"):
        (found,) = (self.root.path / folder).glob(f"{name}_*.deb")
        return "/" + str(found.relative_to(self.root.path))

    def ours(self):
        """Every file that bears our name, but the packages themselves and what dpkg and its log know."""
        said = self.root.run("find", "/", "-xdev", "(", "-path", "/srv", "-o", "-path", "/proc", "-o", "-path", "/dev", "-o",
                             "-path", "/var/lib/dpkg", "-o", "-path", "/var/cache", "-o", "-path", "/var/log", ")", "-prune",
                             "-o", "-name", "*mailbearer*", "-print").stdout
        return [line for line in said.splitlines() if line]

    # --- in the order of the checks

    def postfix_with_mail(self):
        self.root.run("apt-get", "-q", "update")
        self.root.write("etc/mailname", "host.example.org\n")
        self.root.apt("install", "systemd", "postfix", "mandoc", "procps")
        for number in range(3):
            self.root.run("/usr/sbin/sendmail", "-i", "ann@example.org", input=f"Subject: {number}\n\nwaits\n")

    def beside_postfix(self):
        said = self.root.apt("install", self.deb("mailbearer"), self.deb("mailbearer-sandbox"))
        if not self.root.run("dpkg-query", "-W", "-f", "${db:Status-Abbrev}", "postfix").stdout.startswith("ii"):
            raise AssertionError("postfix is gone: " + said)
        if "mailbearer" in self.root.run("readlink", "-f", "/usr/sbin/sendmail").stdout:
            raise AssertionError("sendmail is ours already")
        facts = self.root.run("getent", "passwd", "mailbearer").stdout.split(":")
        if facts[5] != "/var/lib/mailbearer" or not facts[6].strip().endswith("nologin"):
            raise AssertionError(facts)
        for folder, wanted in (("/var/lib/mailbearer", "700 mailbearer"), ("/run/mailbearer", "755 root"), ("/etc/mailbearer", "755 root")):
            seen = self.root.run("stat", "-c", "%a %U", folder).stdout.strip()
            if seen != wanted:
                raise AssertionError(f"{folder}: {seen}, not {wanted}")
        for program in ("mailbearer", "mailbearer-sendmail", "mailbearer-sandbox"):
            self.root.run(program, "--version")
        for program in ("agent", "helper"):
            self.root.run(f"/usr/libexec/mailbearer/mailbearer-{program}", "--version")

    def units(self):
        for unit in ("mailbearer.socket", "mailbearer.service", "mailbearer-refresh.timer", "mailbearer-refresh.service"):
            said = self.root.run("systemd-analyze", "verify", "--man=no", "--recursive-errors=no", unit, check=False).stdout
            if "mailbearer" in said:
                raise AssertionError(said)
        enabled = self.root.run("find", "/etc/systemd", "-name", "mailbearer*").stdout
        if "sockets.target.wants/mailbearer.socket" not in enabled or "/user/" in enabled:
            raise AssertionError(enabled)

    def in_place_of_postfix(self):
        said = self.root.apt("install", self.deb("mailbearer-mta"))
        if "in the spool of postfix (/var/spool/postfix): 3;" not in said:
            raise AssertionError(said[-2000:])
        if self.root.run("dpkg-query", "-W", "-f", "${db:Status-Abbrev}", "postfix").stdout.startswith("ii"):
            raise AssertionError("postfix is still there")
        for link in links:
            if self.root.run("readlink", "-f", "/" + link).stdout.strip() != "/usr/bin/mailbearer-sendmail":
                raise AssertionError(link)

    def first_mail(self):
        self.root.apt("install", "cron", "python3")
        shutil.copy(tree / "tests/package/first_mail.sh", self.root.path / "srv/first_mail.sh")
        said = self.root.run("sh", "/srv/first_mail.sh").stdout
        if "held\n" not in said or not said.endswith("delivered\n"):
            raise AssertionError(said[-3000:])

    def manual_pages(self):
        for page in ("1/mailbearer.1", "1/mailbearer-sandbox.1", "1/mailq.1", "1/newaliases.1", "5/mailbearer.conf.5",
                     "5/mailbearer-providers.5", "8/sendmail.8", "8/mailbearer-sendmail.8", "8/mailbearer-agent.8", "8/mailbearer-helper.8"):
            if len(self.root.run("mandoc", "-a", "-T", "utf8", f"/usr/share/man/man{page}.gz").stdout) < 500:
                raise AssertionError(page)

    def completion(self):
        self.root.write("etc/mailbearer/mailbearer.conf", "[account site]\nprovider = google\nuser = a@example.org\n")
        said = self.root.run("bash", "-c", """
            . /usr/share/bash-completion/completions/mailbearer
            ask() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _mailbearer; echo "${COMPREPLY[*]}"; }
            ask mailbearer secret s; ask mailbearer secret set ""; ask mailbearer secret set site refr; ask mailbearer --sys""").stdout
        (self.root.path / "etc/mailbearer/mailbearer.conf").unlink()
        if said.splitlines() != ["set status", "site", "refresh-token", "--system"]:
            raise AssertionError(said)

    def smoke(self):
        shutil.copy(tree / "debian/tests/smoke", self.root.path / "srv/smoke")
        said = self.root.run("sh", "/srv/smoke").stdout
        if "two messages arrived" not in said:
            raise AssertionError(said)

    def newer(self):
        """The same packages with a higher version."""
        folder = self.root.path / "srv/newer"
        folder.mkdir(exist_ok=True)
        for path in (self.root.path / "srv/packages").glob("*.deb"):
            opened = folder / "opened"
            subprocess.run(["dpkg-deb", "-R", str(path), str(opened)], check=True)
            control = opened / "DEBIAN/control"
            lines = [line + f"+{self.round}" if line.startswith("Version: ") else line for line in control.read_text().splitlines()]
            control.write_text("\n".join(lines) + "\n")
            subprocess.run(["dpkg-deb", "--root-owner-group", "-b", str(opened), str(folder / path.name)], check=True, stdout=subprocess.DEVNULL)
            shutil.rmtree(opened)
        return [self.deb("mailbearer", "srv/newer"), self.deb("mailbearer-mta", "srv/newer")]

    round = 0

    def with_systemd(self, work):
        """What the maintainer scripts asked of systemd meanwhile, one call a line, and what they said."""
        systemctl, log = self.root.path / "usr/bin/systemctl", self.root.path / "var/tmp/systemctl.log"
        policy = self.root.path / "usr/sbin/policy-rc.d"
        systemctl.rename(systemctl.with_suffix(".real"))
        policy.rename(policy.with_suffix(".away"))
        (self.root.path / "run/systemd/system").mkdir(parents=True)
        self.root.write("usr/bin/systemctl", fake_systemctl, 0o755)
        log.write_text("")
        try:
            said = work()
        finally:
            systemctl.unlink()
            systemctl.with_suffix(".real").rename(systemctl)
            policy.with_suffix(".away").rename(policy)
            (self.root.path / "run/systemd/system").rmdir()
        return log.read_text().splitlines(), said

    def upgrade(self):
        self.round += 1
        calls, _ = self.with_systemd(lambda: self.root.apt("install", *self.newer()))
        if any("stop" in call.split() and "mailbearer" in call for call in calls):
            raise AssertionError(f"stopped: {calls}")
        if any("restart" in call.split() and "mailbearer.socket" in call for call in calls):
            raise AssertionError(f"the socket was closed for a moment: {calls}")
        if not any("try-restart" in call and "mailbearer.service" in call for call in calls):
            raise AssertionError(f"the agent was not restarted: {calls}")

    def upgrade_with_a_fault(self):
        self.round += 1
        self.root.write("etc/mailbearer/mailbearer.conf", "[account site]\nprovder = microsoft\n")
        calls, said = self.with_systemd(lambda: self.root.apt("install", *self.newer()))
        if any("restart" in call and "mailbearer.service" in call for call in calls):
            raise AssertionError(f"the old agent was not kept: {calls}")
        if "provder" not in said or "goes on running" not in said:
            raise AssertionError(said[-2000:])

    def remove(self):
        self.root.run("install", "-d", "-o", "mailbearer", "-m", "700", "/var/lib/mailbearer/queue/messages")
        self.root.write("var/lib/mailbearer/queue/messages/0123", "a message\n")
        self.root.write("run/mailbearer/submit.sock", "")
        calls, said = self.with_systemd(lambda: self.root.apt("remove", "mailbearer"))
        if not any("stop" in call.split() and "mailbearer.socket" in call for call in calls):
            raise AssertionError(f"the socket was not stopped: {calls}")
        if "messages in it: 1" not in said:
            raise AssertionError(said[-2000:])
        if any(self.root.has(link) for link in links):
            raise AssertionError("links are left")
        left = {name for name in self.ours() if "systemd" not in name and "sandbox" not in name}
        if left != {"/etc/mailbearer", "/etc/mailbearer/mailbearer.conf", "/etc/apparmor.d/mailbearer-agent",
                    "/etc/apparmor.d/local/mailbearer-agent", "/var/lib/mailbearer"}:
            raise AssertionError(str(left))

    def install_again(self):
        self.root.apt("install", self.deb("mailbearer"), self.deb("mailbearer-mta"), "--allow-downgrades")
        if not self.root.has("var/lib/mailbearer/queue/messages/0123"):
            raise AssertionError("the queue is gone")
        self.root.write("etc/mailbearer/mailbearer.conf", "[mailbearer]\nlocal_mail_to = a@example.org\n")
        self.root.run("mailbearer", "config", "check")

    def purge(self):
        self.root.write("etc/credstore.encrypted/mailbearer.key", "sealed\n", 0o600)
        self.root.apt("remove", "mailbearer-mta")
        said = self.root.apt("purge", "mailbearer", "mailbearer-mta", "mailbearer-sandbox")
        for words in ("removing /etc/mailbearer (", "removing /var/lib/mailbearer (stored sign-ins; messages in the queue: 1)", "removing /etc/credstore.encrypted/mailbearer.key"):
            if words not in said:
                raise AssertionError(f"it does not say `{words}`: {said[-2000:]}")
        if self.ours():
            raise AssertionError(f"left: {self.ours()}")


def run(checks, packages, root):
    life = Life(packages, root)
    for name, function in (
            ("Postfix is there, with three messages waiting", life.postfix_with_mail),
            ("mailbearer goes beside Postfix", life.beside_postfix),
            ("units: systemd-analyze verify, and what is enabled", life.units),
            ("mailbearer-mta takes its place and tells what waits", life.in_place_of_postfix),
            ("cron's first mail is held, and login --system delivers it", life.first_mail),
            ("manual pages are found by every name", life.manual_pages),
            ("bash completes verbs, accounts, kinds, options", life.completion),
            ("autopkgtest: messages arrive in the sandbox", life.smoke),
            *containers.cases(root),
            ("upgrade: the sockets stay, the agent restarts", life.upgrade),
            ("upgrade with a faulty configuration: the agent stays", life.upgrade_with_a_fault),
            ("remove: stopped, nothing left but data and configuration", life.remove),
            ("installed again: the queue is still there", life.install_again),
            ("purge says what it removes and leaves nothing", life.purge)):
        if not checks.run(name, function) and function in (life.postfix_with_mail, life.beside_postfix):
            return
