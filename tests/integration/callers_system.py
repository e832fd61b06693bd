"""The callers of a system: daemons, filters, reports. See callers_rows.py."""

import os
import pty
import re
import select
import shutil
import signal
import time

import bench
from callers_host import ALICE, SENDER, Ended
from callers_rows import caller, nobody_reads, says_why

INCOMING = f"From guest@example.org Fri Nov 20 20:00:00 2026\nReturn-Path: <guest@example.org>\nFrom: {SENDER}\nTo: alice@example.org\nMessage-ID: <x@example.org>\nSubject: s\n\nl1\n.\n..x\n"


def says_why_or_nothing(done, code):
    """mdadm does not look at the result; our line stands in what it shows."""
    return "not sent (work)" in done.text


def stop(process):
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(15)
    except Exception:  # pylint: disable=broad-except
        process.kill()
        process.wait()


def pid_in(host, name):
    try:
        return int(host.path("run/" + name).read_text())
    except (OSError, ValueError):
        return 0


@caller("cron, the daemon", sender="root@example.org", subject="Cron <alice@", body="l1\n.\n\u00fc\u00df", failed=lambda e, c: f"got status 0x{c:04x}" in e.text)
def cron(host, to):
    host.path("run/crond.reboot").unlink(missing_ok=True)
    tab = host.write("spool/cron/crontabs/alice", f"MAILTO={to}\nCONTENT_TYPE=\"text/plain; charset=UTF-8\"\n@reboot printf 'l1\\n.\\n\u00fc\u00df\\n'\n", 0o600)
    os.chown(tab, ALICE, os.stat(host.path("spool/cron/crontabs")).st_gid)
    host.syslog.clear()
    daemon = host.start(["cron", "-f"])
    try:
        bench.wait_until(lambda: any("CMD (" in line for line in host.syslog), 20)
        host.wait_for_try(to)
        bench.wait_until(lambda: any("got status" in line for line in host.syslog), 2)
    finally:
        stop(daemon)
        tab.unlink()
        host.path("run/crond.pid").unlink(missing_ok=True)
    return Ended(0, "\n".join(host.syslog))


@caller("at, with atd", sender="alice@example.org", subject="Output from your job", body="l1\n.\n\u00fc\u00df", failed=nobody_reads)
def at(host, to):
    host.aliases(to)
    daemon = host.start(["atd", "-f"])
    try:
        bench.wait_until(lambda: pid_in(host, "atd.pid"), 10)
        done = host.run(["at", "now"], "printf 'l1\\n.\\n\u00fc\u00df\\n'\n", user="alice")
        host.wait_for_try(to)
    finally:
        stop(daemon)
        host.path("run/atd.pid").unlink(missing_ok=True)
    return done


@caller("anacron", sender="root@example.org", subject="Anacron job 'job'", body="l1", failed=lambda e, c: f"status {c}" in e.text)
def anacron(host, to):
    host.write("etc/anacrontab-test", f"SHELL=/bin/sh\nMAILTO={to}\n1 0 job printf 'l1\\n'\n")
    host.syslog.clear()
    done = host.run(["anacron", "-d", "-f", "-n", "-t", "/etc/anacrontab-test", "-S", "/var/spool/anacron"])
    return Ended(done.code, done.text + "\n".join(host.syslog))


@caller("procmail, forward", body="l1\n.\n..x", subject="s", failed=nobody_reads)
def procmail(host, to):
    host.write("etc/procmailrc-test", f":0\n! {to}\n", 0o644)
    return host.run(["procmail", "-m", "/etc/procmailrc-test"], INCOMING)


@caller("maildrop, forward with the null sender", sender="", body="l1\n.\n..x", subject="s", failed=lambda e, c: e.code in (75, c))
def maildrop(host, to):
    host.write("home/alice/.mailfilter", f'to "!{to}"\n', 0o600, (ALICE, ALICE))
    return host.run(["maildrop", "-V", "3", "/home/alice/.mailfilter"], INCOMING.partition("\n")[2], user="alice")


@caller("vacation", sender="alice@example.org", subject="away", body="I am away", failed=nobody_reads)
def vacation(host, to):
    host.write("home/alice/.vacation.msg", "Subject: away\nFrom: alice\n\nI am away\n", 0o644, (ALICE, ALICE))
    for path in host.path("home/alice").glob(".vacation.*db*"):
        path.unlink()
    host.run(["vacation", "-i"], user="alice")
    incoming = INCOMING.replace("guest@example.org", to)
    done = host.run(["vacation", "alice"], incoming.replace("alice@example.org", "alice"), user="alice")
    host.wait_for_try(to)
    return done


@caller("logwatch", sender="root@example.org", subject="Logwatch for", body="Logwatch End", failed=nobody_reads)
def logwatch(host, to):
    return host.run(["logwatch", "--output", "mail", "--mailto", to, "--range", "today", "--service", "zz-disk_space", "--detail", "high"])


@caller("fail2ban, action sendmail", count=3, sender="f2b@example.org", subject="[Fail2Ban] trap: ", body="Regards,",
        failed=lambda e, c: f"-- returned {c}" in e.text and says_why(Ended(1, e.text), c))
def fail2ban(host, to):
    """A real server with a jail of its own, which mails that it starts, bans (the client asks for it) and ends."""
    shutil.rmtree(host.path("etc/f2b"), ignore_errors=True)
    shutil.copytree(host.path("etc/fail2ban"), host.path("etc/f2b"), symlinks=True)
    for name in list(host.path("etc/f2b/jail.d").iterdir()):
        name.unlink()
    host.write("etc/f2b/jail.local", f"[DEFAULT]\nallowipv6 = no\nbackend = polling\n[sshd]\nenabled = false\n[trap]\nenabled = true\nfilter = sshd\nlogpath = /root/trap.log\n"
               f"action = sendmail[name=trap, dest={to}, sender=f2b@example.org, sendername=Fail2Ban]\n")
    host.write("etc/f2b/fail2ban.local", "[Definition]\ndbfile = None\n")
    host.write("root/trap.log", "")
    log = host.write("root/f2b.log", "")
    ends = ["-c", "/etc/f2b", "-s", "/run/f2b.sock", "-p", "/run/f2b.pid"]
    daemon = host.start(["fail2ban-server", *ends, "-f", "--logtarget", "/root/f2b.log"])
    try:
        bench.wait_until(lambda: host.path("run/f2b.sock").exists() or daemon.poll() is not None, 20)
        bench.wait_until(lambda: host.run(["fail2ban-client", *ends, "status", "trap"]).code == 0 or daemon.poll() is not None, 10)
        done = host.run(["fail2ban-client", *ends, "set", "trap", "banip", "192.0.2.1"])
        host.wait_for_try(to, 5)
    finally:
        stop(daemon)
    return Ended(done.code, done.text + log.read_text())


UU = """import importlib.machinery, importlib.util, io, logging, sys
logging.basicConfig(stream=sys.stderr)
loader = importlib.machinery.SourceFileLoader("uu", "/usr/bin/unattended-upgrade")
module = importlib.util.module_from_spec(importlib.util.spec_from_loader("uu", loader)); loader.exec_module(module)
import apt_pkg
apt_pkg.init(); apt_pkg.config.set("Unattended-Upgrade::Mail", sys.argv[1]); apt_pkg.config.set("Unattended-Upgrade::MailReport", "always")
class Kept(dict): pass
module.send_summary_mail(["pkg"], True, "All upgrades installed", Kept(), [], [], io.StringIO("l1\\n.\\n\u00e9\\n"), "dpkg says")
"""


@caller("unattended-upgrades", subject="unattended-upgrades result for", body="All upgrades installed", sender=None, failed=nobody_reads)
def unattended_upgrades(host, to):
    return host.run(["python3", "-c", UU, to])


@caller("mdadm --monitor --test", subject="TestMessage event on /dev/md0", body="This is an automatically generated mail message",
        failed=says_why_or_nothing)
def mdadm(host, to):
    """A test message needs no array to be there."""
    return host.run(["mdadm", "--monitor", "--test", "--oneshot", "--mail", to, "/dev/md0"])


@caller("smartd's script", subject="SMART error", body="l1\n\u00fc\u00df", sender=None, failed=says_why)
def smartd(host, to):
    return host.run(["/usr/share/smartmontools/smartd-runner", "-s", "SMART error", to], "l1\n\u00fc\u00df\n", environment={"SMARTD_ADDRESS": to})


# --- alpine wants a terminal

@caller("alpine", subject="Subj", body="l1", recipients=("c@example.org",), ok=lambda e: e.code == 0,
        failed=lambda e, c: "not sent (work)" in e.text or "not sent" in re.sub(r"\s+", " ", e.text))
def alpine(host, to):
    host.write("home/alice/alp.rc", "personal-name=Alice\nuser-domain=example.org\ncustomized-hdrs=From: mailer@example.org\nfeature-list=quit-without-confirm,"
               "allow-changing-from,disable-busy-alarm,enable-alternate-editor-cmd\nlast-version-used=6.26\nsmtp-server=\ninbox-path=/home/alice/inbox\ndefault-fcc=\"\"\n",
               0o600, (ALICE, ALICE))
    host.write("home/alice/inbox", "", 0o600, (ALICE, ALICE))
    child, terminal = pty.fork()
    if child == 0:
        words = host.argv(["alpine", "-p", "/home/alice/alp.rc", "-url", f"mailto:{to}?cc=c@example.org&subject=Subj&body=l1"], "alice")
        os.execvp(words[0], words)
    screen = Screen(terminal)
    screen.wait(r"Compose|To AddrBk|Send", 20)
    time.sleep(0.3)
    screen.type(b"\x18", r"Send message\?", 15)
    screen.type(b"y", r"sent|Sent|rror|not sent|Mail not", 25)
    host.wait_for_try(to)
    screen.rest(1.5)
    for key in (b"\x03", b"y", b"q", b"y"):
        screen.type(key, None, 0.4)
    try:
        os.kill(child, signal.SIGHUP)
    except ProcessLookupError:
        pass
    os.waitpid(child, 0)
    os.close(terminal)
    return Ended(0, screen.seen)


class Screen:
    def __init__(self, terminal):
        self.terminal, self.seen = terminal, ""

    def rest(self, seconds):
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if select.select([self.terminal], [], [], left)[0]:
                try:
                    self.seen += re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", " ", os.read(self.terminal, 65536).decode("utf-8", "replace"))
                except OSError:
                    return

    def wait(self, pattern, seconds):
        begin, end = len(self.seen), time.monotonic() + seconds
        while time.monotonic() < end and not re.search(pattern, self.seen[begin:]):
            self.rest(0.1)

    def type(self, keys, pattern, seconds):
        try:
            os.write(self.terminal, keys)
        except OSError:
            return
        self.wait(pattern, seconds) if pattern else self.rest(seconds)
