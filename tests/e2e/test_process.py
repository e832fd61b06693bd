"""The process around us: descriptors, signals, environment, working directory, name (R1 to R8)."""

import itertools
import os
import pty
import signal
import socket
import subprocess
import tempfile
import threading
import time
import tty

from host import Etc, close_descriptors, with_no_arguments
from rig import BODY, become, run, weight


@weight(3)
def test_R01_closed_descriptors_in_all_combinations(case):
    box = case.box()
    me = case.person(box)
    sent = 0
    for closed in itertools.chain.from_iterable(itertools.combinations((0, 1, 2), n) for n in range(4)):
        result = me.send("-i", "ann@example.org", preexec=close_descriptors(closed))
        if 0 in closed:
            case.same(result.code, 74, f"{closed}: {result!r}")
            if 2 not in closed:
                case.matches(result.err, "^sendmail: not sent: standard input is closed; ", closed)
        else:
            sent += 1
            case.same((result.code, result.out, result.err), (0, "", ""), closed)
        case.same(len(box.mails()), sent, f"{closed} closed")
    for mail in box.mails():
        case.same(mail.body, b"How are you?\r\n")


def test_R01_mailutils_a_second_copy_of_the_pipe_on_3(case):
    box = case.box()
    me = case.person(box)

    def enter():
        os.dup2(0, 3)
        os.set_inheritable(3, True)
        os.close(1)
        os.close(2)

    result = me.send("-oi", "-f", "me@sandbox.example", "-t", text="To: <bob@example.org>\nSubject: s\n\nx\n", preexec=enter,
                     pass_fds=(3,))
    case.same(result.code, 0, repr(result))
    case.same(box.mail().recipients, ["bob@example.org"])


def test_R02_standard_input_is_a_file_at_an_offset_already_unlinked(case):
    box = case.box()
    me = case.person(box)
    with tempfile.TemporaryFile(dir=case.folder) as file:
        file.write(b"Subject: not this\n\nspool head\n" + BODY.encode())
        file.flush()
        os.lseek(file.fileno(), len(b"Subject: not this\n\nspool head\n"), os.SEEK_SET)
        me.send("-i", "ann@example.org", stdin=file).succeeded()
    case.same(box.mail().field("Subject"), "hello")
    case.same(box.mail().body, b"How are you?\r\n")


def test_R02_standard_input_is_a_socketpair(case):
    box = case.box()
    me = case.person(box)
    ours, theirs = socket.socketpair()

    def feed():
        for piece in (BODY[:5], BODY[5:12], BODY[12:]):
            ours.sendall(piece.encode())
        ours.shutdown(socket.SHUT_WR)

    # Node leaves such a descriptor non-blocking.
    theirs.setblocking(False)
    feeder = threading.Thread(target=feed)
    feeder.start()
    me.send("-i", "ann@example.org", stdin=theirs).succeeded()
    feeder.join()
    case.same(box.mail().body, b"How are you?\r\n")


def test_R02_standard_input_is_empty(case):
    box = case.box()
    me = case.person(box)
    me.send("-i", "ann@example.org", stdin=subprocess.DEVNULL).succeeded()
    case.same(box.mail().body, b"")


def test_R02_standard_input_is_a_terminal(case):
    box = case.box()
    me = case.person(box)
    master, slave = pty.openpty()
    attributes = tty.tcgetattr(slave)
    attributes[3] &= ~tty.ECHO
    tty.tcsetattr(slave, tty.TCSANOW, attributes)
    os.write(master, b"Subject: typed\n\nby hand\n\x04")
    me.send("-i", "ann@example.org", stdin=slave).succeeded()
    os.close(master)
    os.close(slave)
    case.same(box.mail().body, b"by hand\r\n")


def test_R03_inherited_descriptors_are_not_passed_on(case):
    box = case.box()
    me = case.person(box)
    box.fault("end", delay_ms=1500)
    reader, writer = os.pipe()
    process = me.start("-i", "ann@example.org", pass_fds=(writer,))
    os.close(writer)
    process.stdin.write(BODY.encode())
    process.stdin.close()
    case.wait_for(lambda: box.count("smtp.rcpt") > 0, "the delivery")
    process.kill()
    process.wait()
    # The agent is still delivering; our pipe ends with the front end all the same.
    os.set_blocking(reader, False)

    def ended():
        try:
            return os.read(reader, 1) == b""
        except BlockingIOError:
            return False

    case.wait_for(ended, "the end of the inherited pipe", 1)
    os.close(reader)
    case.same(len(box.mails()), 0, "still delivering")
    case.wait_for(lambda: len(box.mails()) == 1, "the delivery")


def test_R04_signals_blocked_and_ignored(case):
    box = case.box()
    me = case.person(box)

    def enter():
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        for number in (signal.SIGPIPE, signal.SIGCHLD, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGALRM):
            signal.signal(number, signal.SIG_IGN)

    me.send("-i", "ann@example.org", preexec=enter).succeeded()
    # The same when a helper is not needed any more.
    me.send("-i", "ann@example.org", preexec=enter).succeeded()
    case.same(len(box.mails()), 2)


def test_R05_no_environment_a_person_of_the_user_database(case):
    box = case.box()
    home = case.folder / "alice"
    etc = Etc(case, [("alice", 4321, "Alice O. Example,Room 1,,", home)])
    settings = home / ".config" / "mailbearer"
    settings.mkdir(parents=True)
    me = case.person(box, name="alice/own", uid=4321)
    (home / "own" / "mailbearer.conf").rename(settings / "mailbearer.conf")
    for path in (home, home / ".config", settings):
        os.chown(path, 4321, 4321)
    run([case.program("sendmail"), "-i", "ann@example.org"], BODY.encode(), {}, preexec=etc.preexec(4321)).succeeded()
    case.same(box.mail().sender, "me@sandbox.example")
    case.matches(box.mail().field("From"), "^.?Alice O. Example.? <me@sandbox.example>$")
    # HOME of somebody else changes nothing.
    run([case.program("sendmail"), "-i", "ann@example.org"], BODY.encode(), {"HOME": "/root", "USER": "root"},
        preexec=etc.preexec(4321)).succeeded()
    case.same(len(box.mails()), 2)


def test_R05_no_environment_and_no_passwd_entry(case):
    box = case.box()
    os.chown(case.folder, 4321, 4321)
    me = case.person(box, uid=4321)
    me.send("-i", "ann@example.org").succeeded()
    case.same(box.mail().sender, "me@sandbox.example")


def test_R06_unreadable_working_directory_and_a_foreign_group(case):
    box = case.box()
    locked = case.folder / "locked"
    locked.mkdir(mode=0o700)
    me = case.person(box, uid=4321)

    def enter():
        os.chdir(locked)
        become(4321, 1)

    me.send("-i", "ann@example.org", preexec=enter).succeeded()
    case.same(len(box.mails()), 1)


def test_R07_the_parent_has_gone_and_the_terminal_hangs_up(case):
    box = case.box()
    me = case.person(box)
    message = case.folder / "message"
    message.write_text(BODY)
    box.fault("end", delay_ms=600)
    program = case.program("sendmail")
    # The shell ends at once; what it started is told of the hang-up while it delivers.
    result = run(["/bin/sh", "-c", f'"$0" -i ann@example.org <"$1" & echo $!', program, str(message)], b"", me.environment)
    pid = int(result.out)
    case.wait_for(lambda: box.count("smtp.rcpt") > 0, "the delivery")
    os.kill(pid, signal.SIGHUP)
    case.wait_for(lambda: len(box.mails()) == 1, "the delivery")


def test_R07_nobody_reads_standard_error(case):
    me = case.person(config="[mailbearer]\nunknown = 1\n")
    reader, writer = os.pipe()
    os.close(reader)
    result = me.send("-i", "ann@example.org", stderr=writer)
    os.close(writer)
    case.same(result.code, 78, repr(result))


def test_R08_the_name_we_are_called_by(case):
    box = case.box()
    me = case.person(box)
    links = case.folder / "links"
    links.mkdir()
    for name in ("mailq", "newaliases", "sendmail", "ssmtp"):
        (links / name).symlink_to(case.program("sendmail"))
    listed = run([str(links / "mailq")], b"", me.environment)
    case.same((listed.code, listed.out, listed.err), (0, "Mail queue is empty\n", ""))
    run([str(links / "newaliases")], b"", me.environment).succeeded()
    run([str(links / "sendmail"), "-bi"], b"", me.environment).succeeded()
    listed = run([str(links / "sendmail"), "-bp"], b"", me.environment)
    case.same((listed.code, listed.out), (0, "Mail queue is empty\n"))
    sent = 0
    for name in ("sendmail", "/usr/lib/sendmail", "s-nail mta-argv0", "", "-sendmail"):
        result = run([name, "-i", "ann@example.org"], BODY.encode(), me.environment, executable=case.program("sendmail"))
        case.same((result.code, result.out, result.err), (0, "", ""), name)
        sent += 1
        case.same(len(box.mails()), sent, name)
    run([str(links / "ssmtp"), "-i", "ann@example.org"], BODY.encode(), me.environment).succeeded()


def test_R08_no_arguments_at_all(case):
    me = case.person(config="")
    result = run(["ignored"], BODY.encode(), me.environment, preexec=with_no_arguments(case.program("sendmail"), me.environment))
    result.argv = ["(none)"]
    result.failed(64, "not sent: no recipient given; .*")


def test_R04_a_signal_that_the_caller_ignores_stays_ignored(case):
    """nohup, mutt, a shell's background jobs: SIGHUP, SIGINT and SIGQUIT come ignored."""
    box = case.box()
    me = case.person(box)

    def ignore():
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
            signal.signal(number, signal.SIG_IGN)

    process = me.start("-i", "ann@example.org", preexec_fn=ignore)
    process.stdin.write(b"Subject: s\n\n")
    process.stdin.flush()
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
        time.sleep(0.05)
        process.send_signal(number)
    time.sleep(0.05)
    process.stdin.write(b"still here\n")
    process.stdin.close()
    case.same(process.wait(20), 0)
    case.same(len(box.mails()), 1)


def test_a_terminal_that_goes_away_does_not_cut_a_refresh_in_two(case):
    """Ctrl-C while the token endpoint is at work: the rotated refresh token is stored, the next call needs no person."""
    box = case.box("--strict-rotation")
    me = case.person(box)
    box.token_fault(delay_ms=700)
    process = me.start("-i", "ann@example.org", start_new_session=True)
    process.stdin.write(BODY.encode())
    process.stdin.close()
    case.wait_for(lambda: box.count("token.request") >= 1, "a token request")
    os.killpg(process.pid, signal.SIGINT)
    process.wait(20)
    time.sleep(1.5)
    me.forget_access_tokens()
    me.send("-i", "bob@example.org").succeeded()
