"""A desktop session of a user of this host, without a desktop: /run/user/UID, D-Bus, and what runs in it.

    with Session(folder, programs) as session:
        session.keyring("password")               # gnome-keyring-daemon, unlocked
        session.call("mailbearer", "secret", "status")
        session.lock()

Needs root, and a user of the system whose /run/user/UID does not exist. Owns: that folder, one below `folder`.
The bus is dbus-run-session's with a configuration of our own, for Mailbearer believes no D-Bus variable: it
looks at /run/user/UID/bus (docs/decisions/0024).
"""

import os
import pathlib
import pwd
import shutil
import socket
import subprocess
import time

import bench
import processes

USERS = ("games", "news", "irc", "backup", "list", "nobody")
BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:path={bus}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/>
<allow own="*"/></policy></busconfig>
"""
LOGIN = "/org/freedesktop/secrets/collection/login"


def free_user():
    for name in USERS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if not os.path.lexists(f"/run/user/{entry.pw_uid}"):
            return entry
    raise RuntimeError("no user of the system without a /run/user folder")


class Session:
    def __init__(self, folder, programs):
        entry = free_user()
        self.uid, self.gid = entry.pw_uid, entry.pw_gid
        self.runtime = pathlib.Path(f"/run/user/{self.uid}")
        self.bus = self.runtime / "bus"
        self.home = folder / "session"
        # The programs find providers.conf in ../../etc.
        self.programs = folder / "tree/build/bin"
        self._bus_process = None
        self._listener = None
        self._source = pathlib.Path(programs)

    def __enter__(self):
        self.programs.mkdir(parents=True)
        for name in ("sendmail", "mailbearer", "mailbearer-agent", "mailbearer-helper"):
            shutil.copy(self._source / name, self.programs / name)
        (self.programs.parent.parent / "etc").mkdir()
        shutil.copy(pathlib.Path(__file__).parents[2] / "etc/providers.conf", self.programs.parent.parent / "etc")
        self.home.mkdir(mode=0o700)
        self.runtime.parent.mkdir(exist_ok=True)
        self.runtime.mkdir(mode=0o700)
        for path in (self.home, self.runtime):
            path.chmod(0o700)
            os.chown(path, self.uid, self.gid)
        return self

    def __exit__(self, *_):
        self.end_bus()
        shutil.rmtree(self.runtime, ignore_errors=True)

    def become(self):
        os.setgroups([])
        os.setresgid(self.gid, self.gid, self.gid)
        os.setresuid(self.uid, self.uid, self.uid)

    def environment(self):
        """Of the session's own programs."""
        return {"HOME": str(self.home), "XDG_RUNTIME_DIR": str(self.runtime), "PATH": "/usr/bin:/bin",
                "DBUS_SESSION_BUS_ADDRESS": f"unix:path={self.bus}"}

    def write(self, name, text, mode=0o600):
        path = self.home / name
        path.write_text(text)
        path.chmod(mode)
        os.chown(path, self.uid, self.gid)
        return path

    def keyring(self, password):
        """gnome-keyring-daemon on a bus of its own, its login keyring unlocked (made at the first time)."""
        self.end_bus()
        configuration = self.write("bus.conf", BUS.format(bus=self.bus))
        self.write("password", password)
        script = 'gnome-keyring-daemon --unlock --components=secrets <"$HOME/password" >/dev/null; echo up; read wait'
        self._bus_process = subprocess.Popen(
            ["dbus-run-session", f"--config-file={configuration}", "--", "sh", "-c", script],
            env=self.environment(), preexec_fn=self.become, cwd="/",
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        if self._bus_process.stdout.readline() != b"up\n":
            raise RuntimeError("gnome-keyring-daemon did not start")

    def bare_bus(self):
        """A bus with no Secret Service, and none that it could start."""
        self.end_bus()
        configuration = self.write("bus.conf", BUS.format(bus=self.bus))
        self._bus_process = subprocess.Popen(
            ["dbus-run-session", f"--config-file={configuration}", "--", "sh", "-c", "echo up; read wait"],
            env=self.environment(), preexec_fn=self.become, cwd="/",
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self._bus_process.stdout.readline()

    def hanging_bus(self):
        """A socket that takes connections and never says a word."""
        self.end_bus()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self.bus))
        self._listener.listen(16)
        os.chown(self.bus, self.uid, self.gid)

    def end_bus(self):
        if self._listener:
            self._listener.close()
            self._listener = None
        if self._bus_process:
            below = processes.children(self._bus_process.pid)
            self._bus_process.stdin.close()
            try:
                self._bus_process.wait(10)
            except subprocess.TimeoutExpired:
                processes.stop_tree(self._bus_process)
            self._bus_process.stdout.close()
            self._bus_process = None
            # The keyring's daemon leaves the bus's process group, and ends with the bus.
            bench.wait_until(lambda: not any(processes.is_alive(pid) for pid in below), 10)
        self._end_keyring()
        self.bus.unlink(missing_ok=True)

    def _end_keyring(self):
        """The daemon forks away from us: those of this user that have our runtime folder in their environment."""
        mark = f"XDG_RUNTIME_DIR={self.runtime}\0".encode()
        for entry in pathlib.Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                ours = entry.stat().st_uid == self.uid and mark in (entry / "environ").read_bytes()
            except OSError:
                continue
            if ours and processes.program(int(entry.name)) == "gnome-keyring-daemon":
                os.kill(int(entry.name), 15)
                bench.wait_until(lambda pid=int(entry.name): not processes.is_alive(pid), 10)

    def lock(self):
        done = subprocess.run(
            ["gdbus", "call", "--session", "--dest", "org.freedesktop.secrets", "--object-path",
             "/org/freedesktop/secrets", "--method", "org.freedesktop.Secret.Service.Lock", f"['{LOGIN}']"],
            env=self.environment(), preexec_fn=self.become, capture_output=True, timeout=30)
        if done.returncode:
            raise RuntimeError(done.stderr.decode())

    def start(self, program, *arguments, configuration=None, more=None, **how):
        return subprocess.Popen(
            [self.programs / program, *arguments], preexec_fn=self.become, cwd="/", stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={"MAILBEARER_CONFIG": str(configuration or self.home / "mailbearer.conf"), **(more or {})}, **how)

    def call(self, program, *arguments, data=b"", **how):
        started = time.monotonic()
        outcome = bench.finish(self.start(program, *arguments, **how), data)
        outcome.seconds = time.monotonic() - started
        return outcome
