"""A host of its own for real callers: a mount namespace in which /usr/sbin/sendmail is the program under test.

What the callers read and write (/etc, /var/spool, /run, homes, /dev/log) is a copy of ours in the rig's folder; the
machine's own files stay as they are. Installed as in a container: the host's configuration with `agent = none`, and
one of the person `alice`. Needs root. Owns: one process that holds the namespace, the folder, a syslog socket.
"""

import dataclasses
import os
import pathlib
import shutil
import socket
import subprocess
import threading

import bench

ALICE = 4400
PATIENCE_S = 60
SENDER = "mailer@example.org"

# The shell that makes the namespace; $1 is the folder. Prints a line and waits for the end of its input.
MOUNTS = r"""
set -e
mount --make-rprivate / 2>/dev/null || true
for name in null zero full random urandom tty; do : >"$1/dev/$name"; mount --bind "/dev/$name" "$1/dev/$name"; done
mkdir -p "$1/dev/pts" "$1/dev/shm"
mount --rbind /dev/pts "$1/dev/pts"
ln -sf pts/ptmx "$1/dev/ptmx"; ln -sf /proc/self/fd "$1/dev/fd"
for pair in dev:/dev etc:/etc local:/usr/local run:/run root:/root home:/home spool:/var/spool cache:/var/cache mail:/var/mail \
            log:/var/log; do
  mount --rbind "$1/${pair%%:*}" "${pair#*:}"
done
mount --bind "$1/sendmail" /usr/sbin/sendmail
echo ready
read -r end || true
"""


@dataclasses.dataclass
class Ended:
    code: int
    text: str  # standard output and error, in this order

    def __repr__(self):
        return f"exit {self.code}, {self.text[-500:]!r}"


class Host:
    def __init__(self, stand):
        self.stand, self.folder = stand, stand.rig.folder / "host"
        self.syslog, self._ends = [], []
        self.folder.mkdir(mode=0o755)

    def __enter__(self):
        try:
            self._write_files()
            self._listen_to_syslog()
            self._enter_namespace()
            self._write_accounts()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        for end in reversed(self._ends):
            end()
        self._ends.clear()

    def at_end(self, end):
        self._ends.append(end)

    def path(self, name):
        return self.folder / name

    def _write_files(self):
        # With its owners: at and cron judge their files by them.
        subprocess.run(["cp", "-a", "/etc", self.path("etc")], check=True)
        shutil.rmtree(self.path("etc/mailbearer"), ignore_errors=True)
        for name in ("dev", "run", "home", "spool", "cache", "mail", "log", "local"):
            self.path(name).mkdir(mode=0o755)
        self.path("mail").chmod(0o1777)
        self.path("root").mkdir(mode=0o700)
        subprocess.run(["cp", "-a", "/var/spool/cron", "/var/spool/anacron", self.path("spool")], check=True)
        if pathlib.Path("/var/cache/logwatch").is_dir():
            subprocess.run(["cp", "-a", "/var/cache/logwatch", self.path("cache")], check=True)
        for program in ("mailbearer-agent", "mailbearer-helper"):
            self._install(program, "local/libexec/mailbearer/" + program)
        self._install("sendmail", "sendmail")
        data = self.path("local/share/mailbearer")
        data.mkdir(parents=True)
        shutil.copy(self.stand.programs.parent.parent / "etc/providers.conf", data)
        with open(self.path("etc/passwd"), "a", encoding="utf-8") as file:
            file.write(f"alice:x:{ALICE}:{ALICE}:Alice O. Example,Room 1,,:/home/alice:/bin/sh\n")
        with open(self.path("etc/group"), "a", encoding="utf-8") as file:
            file.write(f"alice:x:{ALICE}:\n")
        with open(self.path("etc/shadow"), "a", encoding="utf-8") as file:
            file.write("alice:*:20000:0:99999:7:::\n")
        self.write("etc/mailname", "example.org\n")
        home = self.path("home/alice")
        home.mkdir(mode=0o755)
        os.chown(home, ALICE, ALICE)

    def _install(self, program, to):
        target = self.path(to)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(self.stand.programs / program, target)
        target.chmod(0o755)

    def write(self, name, text, mode=0o644, owner=None):
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        path.chmod(mode)
        if owner is not None:
            os.chown(path, *owner)
        return path

    def _listen_to_syslog(self):
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        listener.bind(str(self.path("dev/log")))
        self.path("dev/log").chmod(0o666)
        self.at_end(listener.close)

        def listen():
            while True:
                try:
                    self.syslog.append(listener.recv(65536).decode("utf-8", "replace"))
                except OSError:
                    return

        threading.Thread(target=listen, daemon=True).start()

    def _enter_namespace(self):
        holder = subprocess.Popen(["unshare", "--mount", "--propagation", "unchanged", "sh", "-c", MOUNTS, "sh", str(self.folder)],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

        def leave():
            holder.stdin.close()
            holder.wait(10)
            holder.stdout.close()
            holder.stderr.close()

        self.at_end(leave)
        if holder.stdout.readline() != b"ready\n":
            raise RuntimeError("no mount namespace: " + holder.stderr.read().decode())
        self.namespace = f"/proc/{holder.pid}/ns/mnt"

    def _write_accounts(self):
        """The host's account, for root, and alice's own: the same mailbox behind both."""
        text = self.stand.configuration(
            keyring="callers-root", rewrite_from="auto", **{"from": f"{SENDER} *@example.org"}).read_text()
        text = text.replace("[mailbearer]\n", "[mailbearer]\nagent = none\n").replace(str(self.stand.folder / "aliases"), "/etc/aliases")
        self.write("etc/mailbearer/mailbearer.conf", text)
        keyring = self.path("home/alice/keyring")
        keyring.mkdir(mode=0o700)
        old = self.stand.keyring_folder("callers-root")
        own = text.replace(str(old), "/home/alice/keyring").replace("agent = none\n", "")
        own_file = self.write("home/alice/.config/mailbearer/mailbearer.conf", own, 0o600)
        for path in (keyring, own_file, own_file.parent, own_file.parent.parent):
            os.chown(path, ALICE, ALICE)
        shutil.copy(self.stand.programs / "mailbearer", self.path("local/bin") if self.path("local/bin").is_dir() else
                    self._folder("local/bin"))
        done = self.run(["/usr/local/bin/mailbearer", "secret", "set", bench.ACCOUNT, "refresh-token"], user="alice",
                        data=self.stand.rig.identity.new_refresh_token(SENDER).encode())
        if done.code:
            raise RuntimeError(f"alice's secret: {done!r}")

    def _folder(self, name):
        self.path(name).mkdir(parents=True)
        return self.path(name)

    def aliases(self, target):
        """Where root and alice of this host lead."""
        self.write("etc/aliases", f"root: {target}\nalice: {target}\n")

    def argv(self, argv, user="root"):
        home = "/root" if user == "root" else f"/home/{user}"
        enter = ["nsenter", f"--mount={self.namespace}"]
        if user != "root":
            enter += ["setpriv", f"--reuid={ALICE}", f"--regid={ALICE}", "--clear-groups"]
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": home, "USER": user, "LOGNAME": user, "LANG": "C.UTF-8",
                       "TERM": "vt100"}
        return enter + ["env", "-i", "-C", home, *(f"{name}={value}" for name, value in environment.items()), *map(str, argv)]

    def start(self, argv, user="root", **how):
        process = subprocess.Popen(self.argv(argv, user), **{"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL,
                                                               "stderr": subprocess.DEVNULL, **how})
        return process

    def run(self, argv, data=b"", user="root", environment=None):
        words = [*(f"{name}={value}" for name, value in (environment or {}).items()), *argv]
        try:
            done = subprocess.run(self.argv(words, user), input=data if isinstance(data, bytes) else data.encode(),
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=PATIENCE_S)
        except subprocess.TimeoutExpired as late:
            return Ended(-1, f"did not end within {PATIENCE_S} s: {late.output!r}")
        return Ended(done.returncode, done.stdout.decode("utf-8", "replace"))
