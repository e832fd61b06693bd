"""Group keyrings: real gnome-keyring on a real D-Bus, unlocked, locked, hanging, absent; and real pass and GnuPG.

What must hold whatever happens: the call ends in its time, says why and what to do, and no credential is lost.
"""

import os
import pathlib
import shutil
import subprocess

import bench
import sign_in_group
from session import Session

MESSAGE = sign_in_group.MESSAGE
NEEDED = ("dbus-run-session", "gnome-keyring-daemon", "gdbus", "strace", "gpg", "pass")
WRITERS = 12


def run(stand, checks):
    checks.group("keyrings")
    missing = [name for name in NEEDED if not shutil.which(name)]
    if missing:
        checks.check("what the group needs is installed", [f"missing: {', '.join(missing)}"])
        return
    with Session(stand.rig.folder, stand.programs) as session:
        service = SecretService(stand, checks, session)
        service.absent()
        service.unlocked()
        service.writers()
        service.killed_while_storing()
        service.migrated()
        service.locked()
        service.restarted()
        service.hanging()
        service.bare()
    with_pass(stand, checks)


def account(stand, **keys):
    values = {
        "provider": "smtp", "smtp_host": stand.host, "smtp_port": stand.rig.port("starttls"), "user": "mailer@example.org",
        "from": "mailer@example.org *@example.org",
        "client_id": bench.CLIENT, "token_endpoint": stand.rig.identity.token_endpoint,
        "scope": "https://rig.example/smtp", "ca_file": stand.rig.certificates.authority, **keys,
    }
    return bench.section("mailbearer", {"default": "work", "domain": "example.org"}) + bench.section("account work", values)


def expect(outcome, code, text, within_s=None):
    faults = []
    said = (outcome.stdout + outcome.stderr).decode("utf-8", "replace")
    if outcome.code != code:
        faults.append(f"exit code {outcome.code}, expected {code}: {said}")
    if text not in said:
        faults.append(f"does not say `{text}`: {said}")
    if within_s and outcome.seconds > within_s:
        faults.append(f"took {outcome.seconds:.1f} s")
    return faults


class SecretService:
    def __init__(self, stand, checks, session):
        self.stand, self.checks, self.session = stand, checks, session
        self.configuration = session.write(
            "mailbearer.conf", account(stand, keyring="secret-service", keyring_dir=session.home / "keyring"))

    def set(self, secret, kind="refresh-token"):
        return self.session.call("mailbearer", "secret", "set", "work", kind, data=secret.encode())

    def send(self):
        return self.session.call("sendmail", "-i", "bob@example.org", data=MESSAGE)

    def forget_access_token(self):
        for folder in (self.session.runtime / "mailbearer", self.session.home / "keyring"):
            for path in folder.glob("access-token-*"):
                path.unlink()
            for path in folder.glob("refusal-*"):
                path.unlink()

    def delivered(self, outcome):
        faults = expect(outcome, 0, "")
        if not faults and self.stand.rig.sink.take("starttls.rig", 15) is None:
            faults = ["exit code 0, but nothing arrived"]
        return faults

    def absent(self):
        said = f"not sent (work): no keyring: this session has no D-Bus ({self.session.bus})"
        self.checks.check("no bus", expect(self.send(), 69, said, 2))

    def unlocked(self):
        self.session.keyring("first password")
        self.checks.check("unlocked, nothing stored", expect(self.send(), 78, "not signed in yet"))
        token = self.stand.rig.identity.new_refresh_token("mailer@example.org")
        self.checks.check("unlocked: stored", expect(self.set(token), 0, ""))
        before = self.stand.rig.identity.refused_requests
        for turn in range(3):
            self.checks.check(f"unlocked: sent, the rotated refresh token kept ({turn + 1})", self.delivered(self.send()))
            self.forget_access_token()
        refused = self.stand.rig.identity.refused_requests - before
        self.checks.check("unlocked: no refresh token was used twice", [f"{refused} refused"] if refused else [])
        text = self.configuration.read_text()
        self.session.write("mailbearer.conf", text.replace(bench.CLIENT, "another-client"))
        self.checks.check("other settings", expect(self.send(), 78, "belongs to other settings"))
        self.session.write("mailbearer.conf", text)

    def writers(self):
        """Facts 7: of 12 at once, 11 were lost by libsecret's own file."""
        text = "[mailbearer]\ndefault = a0\n"
        for number in range(WRITERS):
            text += account(self.stand, keyring="secret-service", keyring_dir=self.session.home / "keyring").replace(
                "[mailbearer]\ndefault = work\ndomain = example.org\n\n", "").replace("[account work]", f"[account a{number}]")
        path = self.session.write("writers.conf", text)
        started = [self.session.start("mailbearer", "secret", "set", f"a{number}", "password", configuration=path)
                   for number in range(WRITERS)]
        outcomes = [bench.finish(process, f"secret-{number}".encode()) for number, process in enumerate(started)]
        faults = [outcome.line() for outcome in outcomes if outcome.code]
        for number in range(WRITERS):
            found = self.session.call("mailbearer", "secret", "status", f"a{number}", configuration=path)
            if b"password        stored" not in found.stdout:
                faults.append(f"a{number}: {found.stdout}{found.stderr}")
        self.checks.check(f"{WRITERS} writers at once lose nothing", faults)

    def killed_while_storing(self):
        """The helper and the command, killed at each of many system calls: the old one or the new one is there."""
        self.set("old")
        faults, kills = [], 0
        for call, last in (("sendmsg", 24), ("recvmsg", 24), ("write", 16), ("connect", 4), ("rename", 2), ("fsync", 4)):
            for number in range(1, last + 1):
                new = f"new-{call}-{number}"
                process = subprocess.Popen(
                    ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e",
                     f"inject={call}:signal=KILL:when={number}", str(self.session.programs / "mailbearer"),
                     "secret", "set", "work", "refresh-token"],
                    preexec_fn=self.session.become, cwd="/", stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL, env={"MAILBEARER_CONFIG": str(self.configuration)})
                process.communicate(new.encode(), timeout=60)
                if process.returncode == 0:
                    break
                kills += 1
                found = self.session.call("mailbearer", "secret", "status", "work")
                if b"refresh-token   stored" not in found.stdout:
                    faults.append(f"{call} {number}: {found.stdout}{found.stderr}")
        if kills < 10:
            faults.append(f"only {kills} kills")
        self.checks.check(f"killed at {kills} system calls of storing: a whole one stands", faults)
        self.set(self.stand.rig.identity.new_refresh_token("mailer@example.org"))

    def migrated(self):
        outcome = self.session.call("mailbearer", "keyring", "migrate", "secret-service", "file")
        self.checks.check("moved to files", expect(outcome, 0, "work: keyring = file, 1 secret moved"))
        self.forget_access_token()
        self.checks.check("moved to files: sent", self.delivered(self.send()))
        found = self.session.call("mailbearer", "secret", "status", configuration=self.session.write(
            "old.conf", account(self.stand, keyring="secret-service", keyring_dir=self.session.home / "keyring")))
        self.checks.check("moved to files: nothing is left behind", expect(found, 0, "refresh-token   none"))
        outcome = self.session.call("mailbearer", "keyring", "migrate", "file", "secret-service")
        self.checks.check("moved back", expect(outcome, 0, "work: keyring = secret-service, 1 secret moved"))
        self.forget_access_token()
        self.checks.check("moved back: sent", self.delivered(self.send()))

    def locked(self):
        self.session.lock()
        self.forget_access_token()
        said = "not sent (work): keyring is locked; unlock it, or run: mailbearer keyring migrate"
        self.checks.check("locked: not sent", expect(self.send(), 69, said, 5))
        self.checks.check("locked: not stored", expect(self.set("x"), 69, "keyring is locked", 5))
        cleared = self.session.call("mailbearer", "secret", "clear", "work", "refresh-token")
        self.checks.check("locked: not erased", expect(cleared, 69, "keyring is locked", 5))
        status = self.session.call("mailbearer", "keyring", "status", "work")
        self.checks.check("locked: status says so", expect(status, 69, "refresh-token: cannot be read now", 5))

    def restarted(self):
        self.session.keyring("first password")
        self.forget_access_token()
        self.checks.check("unlocked again: nothing was lost", self.delivered(self.send()))

    def hanging(self):
        self.session.hanging_bus()
        self.forget_access_token()
        said = "not sent (work): the keyring does not answer (within 5 s)"
        self.checks.check("a bus that hangs: 5 s", expect(self.send(), 69, said, 9))
        self.checks.check("a bus that hangs: not stored", expect(self.set("x"), 69, "does not answer", 9))

    def bare(self):
        self.session.bare_bus()
        self.forget_access_token()
        said = "not sent (work): no keyring on this session's D-Bus"
        self.checks.check("a bus without a keyring", expect(self.send(), 69, said, 5))
        self.session.keyring("first password")
        self.forget_access_token()
        self.checks.check("the keyring is back: nothing was lost", self.delivered(self.send()))


def with_pass(stand, checks):
    """pass as secret_command, with a key and a store of its own."""
    folder = stand.folder / "pass"
    home, store = folder / "gnupg", folder / "store"
    home.mkdir(parents=True, mode=0o700)
    folder.chmod(0o700)
    environment = {"PATH": "/usr/bin:/bin", "GNUPGHOME": str(home), "PASSWORD_STORE_DIR": str(store), "HOME": str(folder)}

    def command(*argv, data=b""):
        subprocess.run(argv, env=environment, input=data, check=True, timeout=120,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    try:
        command("gpg", "--batch", "--passphrase", "", "--quick-generate-key", "Mail Test <mail@example.org>",
                "default", "default", "1d")
        command("pass", "init", "mail@example.org")
        token = stand.rig.identity.new_refresh_token("mailer@example.org")
        command("pass", "insert", "--multiline", "mail/work", data=f"{token}\nuser: mailer\n".encode())
        runs_pass(stand, checks, f"/usr/bin/env GNUPGHOME={home} PASSWORD_STORE_DIR={store} /usr/bin/pass show mail/work", store)
    finally:
        subprocess.run(["gpgconf", "--kill", "all"], env=environment, timeout=30, check=False)


def runs_pass(stand, checks, command, store):
    configuration = stand.folder / "pass.conf"
    configuration.touch(mode=0o600)
    configuration.write_text(account(stand, keyring="command", secret_command=command,
                                     keyring_dir=stand.keyring_folder("pass")))
    before = stand.rig.identity.refused_requests
    for turn in range(2):
        faults = sent(stand, configuration)
        checks.check(f"pass: sent, what was rotated is kept beside it ({turn + 1})", faults)
        for folder in (stand.keyring_folder("pass"), pathlib.Path("/run/user/0/mailbearer")):
            for path in folder.glob("access-token-*"):
                path.unlink()
    if stand.rig.identity.refused_requests != before:
        checks.check("pass: no refresh token was used twice", ["refused"])
    set_there = subprocess.run([stand.programs / "mailbearer", "secret", "set", "work", "refresh-token"], input=b"x",
                               env=stand.environment(configuration), capture_output=True, timeout=60)
    checks.check("pass: storing is told as what to do there",
                 [] if set_there.returncode == 78 and b"can only be read" in set_there.stderr else [set_there.stderr.decode()])
    kept = store / "mail/work.gpg"
    os.rename(kept, kept.with_suffix(".away"))
    outcome = stand.send(configuration, ["-i", "bob@example.org"], MESSAGE)
    checks.check("pass without the entry", bench.refusal_faults(outcome, (69,), r"secret_command failed \(exit code 1\)"))
    os.rename(kept.with_suffix(".away"), kept)
    checks.check("pass: nothing was lost", sent(stand, configuration))


def sent(stand, configuration):
    outcome = stand.send(configuration, ["-i", "bob@example.org"], MESSAGE)
    if outcome.code:
        return [f"exit code {outcome.code}: {outcome.line()}"]
    return [] if stand.rig.sink.take("starttls.rig", 15) else ["exit code 0, but nothing arrived"]
