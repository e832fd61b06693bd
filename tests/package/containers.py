"""Containers, as docs/containers.md describes them: no systemd, a read-only root, one tmpfs, a user without a passwd entry,
secrets as files and as links to files. The sandbox stands for Microsoft 365."""

import configparser
import json
import subprocess
import time

uid = 41234

# Kubernetes lays secrets like this: the name is a link to a link to the file of the day.
secret_links = """
mkdir -p /srv/secrets/..2026_11_21
cp /srv/box/site.client-secret /srv/secrets/..2026_11_21/site
chmod 0440 /srv/secrets/..2026_11_21/site
chgrp %(gid)d /srv/secrets/..2026_11_21/site
ln -sfn ..2026_11_21 /srv/secrets/..data
ln -sfn ..data/site /srv/secrets/site
""" % {"gid": uid}

# The root once more, read only, with nothing in /dev and /run; /tmp is the one place that can be written.
container = """
set -e
root=$1
tmp=$2
shift 2
mkdir -p "$root.container"
mount --bind "$root" "$root.container"
cd "$root.container"
mount -o remount,ro,bind .
mount -t proc proc proc
mount -t tmpfs tmpfs dev
for device in null urandom; do : >dev/$device; mount --bind /dev/$device dev/$device; done
mount -o remount,ro dev
mount -t tmpfs -o ro tmpfs run
mount -t tmpfs -o "$tmp" tmpfs tmp
exec chroot . /usr/bin/setpriv --reuid %(uid)d --regid %(uid)d --clear-groups --no-new-privs --inh-caps=-all "$@"
""" % {"uid": uid}


class Container:
    def __init__(self, root):
        self.root = root
        self.sandbox = None

    def start_sandbox(self):
        box = self.root.path / "srv/box"
        if self.sandbox is not None:
            return
        self.sandbox = subprocess.Popen(["chroot", str(self.root.path), "mailbearer-sandbox", "--directory", "/srv/box", "--until-stdin-closes"],
                                        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
        deadline = time.monotonic() + 20
        while not (box / "sandbox.json").exists():
            if time.monotonic() > deadline or self.sandbox.poll() is not None:
                raise AssertionError("the sandbox does not start")
            time.sleep(0.05)
        self.facts = json.loads((box / "sandbox.json").read_text())
        self.root.run("sh", "-c", secret_links)
        self.root.run("cp", "/srv/box/ca.pem", "/srv/ca.pem")

    def stop_sandbox(self):
        if self.sandbox is not None:
            self.sandbox.stdin.close()
            self.sandbox.wait(10)
            self.sandbox = None
        (self.root.path / "etc/mailbearer/mailbearer.conf").unlink(missing_ok=True)

    def configure(self, secret="/srv/secrets/site", main="agent = none\n", **more):
        made = configparser.ConfigParser(interpolation=None, strict=False)
        made.read_string((self.root.path / "srv/box/mailbearer.conf").read_text())
        account = dict(made["account site"]) | {"client_secret_file": secret, "ca_file": "/srv/ca.pem"} | more
        del account["keyring_dir"]
        self.user = account["user"]
        self.root.write("etc/mailbearer/mailbearer.conf",
                        "[mailbearer]\n" + main + "[account site]\n" + "".join(f"{key} = {value}\n" for key, value in account.items()))

    def arrived(self):
        return sorted((self.root.path / "srv/box/Maildir/new").glob("*"))

    def send(self, *command, message, wanted=0, arrives=True, tmp="size=8m,mode=1777"):
        before = set(self.arrived())
        plain = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/nowhere"}
        done = subprocess.run(["unshare", "--mount", "--propagation", "private", "sh", "-c", container, "sh", str(self.root.path), tmp, *command],
                              input=message, env=plain, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
        if done.returncode != wanted:
            raise AssertionError(f"exit {done.returncode}, not {wanted}: {done.stdout}")
        new = [path.read_text() for path in self.arrived() if path not in before]
        if len(new) != int(arrives):
            raise AssertionError(f"{len(new)} messages arrived: {done.stdout}")
        if wanted == 0 and done.stdout:
            raise AssertionError(f"success is silent: {done.stdout}")
        return new[0] if new else done.stdout

    # --- the checks

    def no_process(self):
        self.start_sandbox()
        self.configure()
        mail = self.send("sendmail", "-t", "-i", message="To: ann@example.org\nSubject: from a container\n\nhello\n")
        if "X-Envelope-To: <ann@example.org>" not in mail or f"X-Envelope-From: <{self.user}>" not in mail:
            raise AssertionError(mail)

    def large_message(self):
        self.start_sandbox()
        self.configure()
        body = "0123456789" * 7 + "\n"
        mail = self.send("sendmail", "-i", "ann@example.org", message="Subject: large\n\n" + body * 20000)
        if mail.count("0123456789") != 140000:
            raise AssertionError("not all of it arrived")

    def nothing_writable(self):
        """Small messages need no file at all."""
        self.start_sandbox()
        self.configure()
        self.send("sendmail", "-i", "ann@example.org", message="Subject: s\n\nx\n", tmp="ro")

    def shared_token(self):
        """With a folder for it, the access token of one call serves the next."""
        self.start_sandbox()
        self.configure(main="agent = none\nruntime_dir = /tmp/mailbearer\n")
        journal = self.root.path / "srv/box/journal.jsonl"
        asked = '"event":"token.request"'
        before = journal.read_text().count(asked)
        self.send("sh", "-c", "mkdir -m 700 /tmp/mailbearer; cat >/tmp/m; for i in 1 2; do sendmail -i ann@example.org </tmp/m; done",
                  message="Subject: s\n\nx\n", arrives=2)
        after = journal.read_text().count(asked)
        if after - before != 1:
            raise AssertionError(f"{after - before} tokens were asked for")

    def foreign_secret(self):
        """A secret that others may write is not believed, whatever link leads to it."""
        self.start_sandbox()
        self.root.run("sh", "-c", "install -m 0666 /srv/box/site.client-secret /srv/open-secret; ln -sf /srv/open-secret /srv/secrets/open")
        self.configure(secret="/srv/secrets/open")
        said = self.send("sendmail", "-i", "ann@example.org", message="Subject: s\n\nx\n", wanted=78, arrives=False)
        if "/srv/secrets/open" not in said:
            raise AssertionError(said)

    def missing_secret(self):
        self.start_sandbox()
        self.configure(secret="/srv/secrets/nothing")
        said = self.send("sendmail", "-i", "ann@example.org", message="Subject: s\n\nx\n", wanted=78, arrives=False)
        if "/srv/secrets/nothing" not in said:
            raise AssertionError(said)

    def new_secret(self):
        """A secret that is exchanged takes effect with the next message, without a restart of anything."""
        self.start_sandbox()
        self.configure()
        secret = (self.root.path / "srv/box/site.client-secret").read_text()
        old = self.root.path / "srv/secrets/..2026_11_21/site"
        old.chmod(0o640)
        old.write_text("not the secret\n")
        self.send("sendmail", "-i", "ann@example.org", message="Subject: s\n\nx\n", wanted=78, arrives=False)
        old.write_text(secret)
        self.send("sendmail", "-i", "ann@example.org", message="Subject: s\n\nx\n")


def cases(root):
    box = Container(root)
    return (("container: no process, read-only root, unknown uid, secret behind links", box.no_process),
            ("container: a message of 1.4 MB through the tmpfs", box.large_message),
            ("container: a small message where nothing can be written", box.nothing_writable),
            ("container: two calls, one access token", box.shared_token),
            ("container: a secret that others may write: 78", box.foreign_secret),
            ("container: a secret that is missing: 78, and its name", box.missing_secret),
            ("container: an exchanged secret takes effect at once", box.new_secret),
            ("container: the sandbox ends", box.stop_sandbox))
