"""The agent of a host, under a user of its own: mail before any account, sign-in by root, whose secret is whose."""

import os
import signal
import socket
import subprocess
import time

from agent import Agent
from desk import Desk
from rig import BODY, end_process, matches, run, same, holds

AGENT_UID = 4101
CALLER_UID = 4102


class HostAgent(Agent):
    """As the unit starts it: the host's configuration, sockets for everybody, a keyring of its own."""

    def __init__(self, case, desk):
        self.case, self.desk = case, desk
        self.folder = case.folder / "agent"
        self.folder.mkdir(mode=0o711)
        self.spool, self.data = self.folder / "queue", self.folder / "data"
        self.data.mkdir(mode=0o700)
        for owned in (self.folder, self.data):
            os.chown(owned, AGENT_UID, AGENT_UID)
        with open(desk.etc.folder / "passwd", "a", encoding="utf-8") as passwd:
            passwd.write(f"mailbearer:x:{AGENT_UID}:{AGENT_UID}::/nonexistent:/usr/sbin/nologin\n")
        self.socket, self.control = self.folder / "submit.sock", self.folder / "control.sock"
        self.log = open(self.folder / "log", "ab")
        self.process = None
        self.start()

    def start(self):
        # Sockets of root, passed as systemd passes them.
        listeners = []
        for path in (self.socket, self.control):
            path.unlink(missing_ok=True)
            one = socket.socket(socket.AF_UNIX)
            one.bind(str(path))
            path.chmod(0o666)
            one.listen(100)
            listeners.append(one)
        enter = self.desk.etc.preexec(AGENT_UID)

        def pass_on():
            enter()
            for number, one in enumerate(listeners):
                os.dup2(one.fileno(), 3 + number, inheritable=True)

        self.process = subprocess.Popen(
            ["/bin/sh", "-c", 'LISTEN_PID=$$ LISTEN_FDS=2 exec "$0" --foreground --system --spool "$1"',
             self.case.program("mailbearer-agent"), str(self.spool)],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, env={"XDG_DATA_HOME": str(self.data)},
            preexec_fn=pass_on, close_fds=False)
        for one in listeners:
            one.close()
        process = self.process
        self.case.at_end(lambda: end_process(process))
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            holds(self.process.poll() is None, "the agent does not start: " + self.said())
            try:
                with socket.socket(socket.AF_UNIX) as probe:
                    probe.connect(str(self.control))
                    return
            except OSError:
                time.sleep(0.01)
        raise AssertionError("the agent does not listen: " + self.said())

    def call(self, uid, program, *words, data=b"", environment=None):
        return run([self.case.program(program), *words], data, {**self.environment, **(environment or {})},
                   preexec=self.desk.etc.preexec(uid))


def test_mail_before_any_account_is_held_and_login_delivers_it(case):
    box = case.box()
    desk = Desk(case, box)
    agent = HostAgent(case, desk)
    # cron, on a host that nobody has set up.
    sent = agent.call(CALLER_UID, "sendmail", "-FCronDaemon", "-i", "-oem", "ops@example.org", data=BODY.encode())
    same((sent.code, sent.err), (0, ""))
    same(agent.status()["no_accounts"], True)
    listed = agent.call(CALLER_UID, "sendmail", "-bp")
    matches(listed.out, r"ops@example\.org(.|\n)*in 1 Request\.")
    own = case.folder / "root"
    own.mkdir(mode=0o700)
    app = box.app(public=False)
    login = agent.call(0, "mailbearer", "login", "--system", "noreply@sandbox.example", "--app", "--client-id", app["client_id"],
                       "--name", "site", "--secret-stdin", "--default", data=app["secret"].encode(),
                       environment={"XDG_DATA_HOME": str(own), "PATH": "/usr/bin:/bin"})
    same(login.code, 0, repr(login) + agent.said())
    matches(login.out + login.err, "1 messages that waited")
    agent.empty()
    same(sorted(mail.recipients[0] for mail in box.mails()), ["noreply@sandbox.example", "ops@example.org"])
    # The secret is the agent's now, and nobody else's.
    kept = [path for path in own.rglob("*") if path.is_file() and "client-secret" in path.name]
    same(kept, [], "root's own keyring still holds it")
    holds([path for path in self_files(agent.data) if "client-secret" in path.name], "the agent's keyring does not hold it")
    asked = agent.call(CALLER_UID, "mailbearer", "--system", "status")
    same(asked.code, 77, repr(asked))


def self_files(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


def test_others_rows_are_not_shown_and_not_touched(case):
    box = case.box()
    desk = Desk(case, box)
    agent = HostAgent(case, desk)
    for uid in (CALLER_UID, CALLER_UID + 1):
        sent = agent.call(uid, "sendmail", "-i", f"to{uid}@example.org", data=BODY.encode())
        same(sent.code, 0, repr(sent))
    rows = {row["uid"]: row["id"] for row in agent.rows()}
    same(sorted(rows), [CALLER_UID, CALLER_UID + 1])
    listed = agent.call(CALLER_UID, "mailbearer", "--system", "queue", "list")
    same(listed.code, 0, repr(listed))
    holds(rows[CALLER_UID] in listed.out and rows[CALLER_UID + 1] not in listed.out, repr(listed))
    for verb in ("show", "hold", "release", "remove", "retry"):
        other = agent.call(CALLER_UID, "mailbearer", "--system", "queue", verb, rows[CALLER_UID + 1])
        same(other.code, 64, repr(other))
    same(len(agent.rows()), 2)
    removed = agent.call(CALLER_UID, "mailbearer", "--system", "queue", "remove", rows[CALLER_UID])
    same(removed.code, 0, repr(removed))
    same([row["uid"] for row in agent.rows()], [CALLER_UID + 1])
    # The files are nobody's business.
    looked = run(["/bin/ls", str(agent.spool)], preexec=desk.etc.preexec(CALLER_UID))
    holds(looked.code != 0, repr(looked))


def test_nobody_is_told_why_it_may_not_send(case):
    """Finding 4: behind 65534 may stand anybody of another user namespace."""
    box = case.box()
    agent = HostAgent(case, Desk(case, box))
    sent = agent.call(65534, "sendmail", "-i", "ann@example.org", data=BODY.encode())
    same((sent.code, sent.err), (77, "sendmail: not sent: user 65534 (nobody) may be anybody; run the program as a user of its own\n"))
    same(agent.rows(), [])
