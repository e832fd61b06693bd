"""The front end dies: everything was sent, or nothing, never a part."""

import resource
import signal
import socket
import subprocess
import time

from rig import BODY, end_process, weight

PIECES = 24
PIECE = b"A line of a message that its writer may not live to finish.\n" * 200
END = b"the very last line\n"


def everything_settled(case, box):
    """Agents whose front end died may still be at work."""

    def idle():
        before = (box.count("smtp.connect"), box.count("smtp.closed"))
        time.sleep(0.15)
        return before[0] == before[1] and box.count("smtp.connect") == before[0]

    case.wait_for(idle, "the agents", 20)


@weight(4)
def test_killed_while_it_reads(case):
    box = case.box()
    me = case.person(box)
    me.send("-i", "ann@example.org").succeeded()
    for moment in range(0, PIECES + 1):
        process = me.start("-i", "ann@example.org")
        process.stdin.write(b"Subject: cut off\n\n")
        for _ in range(moment):
            process.stdin.write(PIECE)
        process.stdin.flush()
        if moment % 3 == 0:
            time.sleep(0.01)
        process.kill()
        end_process(process)
    everything_settled(case, box)
    case.same(len(box.mails()), 1, "a message without its end was sent")


@weight(5)
def test_killed_after_its_input_ended_at_many_moments(case):
    box = case.box()
    me = case.person(box)
    me.send("-i", "warm@example.org").succeeded()
    text = b"Subject: whole or not at all\n\n" + PIECE * 40 + END
    wanted = text.partition(b"\n\n")[2].replace(b"\n", b"\r\n")
    whole = died = 0
    served = set()
    for moment in range(40):
        process = me.start("-i", f"r{moment}@example.org")
        process.stdin.write(text)
        process.stdin.close()
        time.sleep(moment * 0.0015)
        if process.poll() is None:
            died += 1
        process.kill()
        end_process(process)
    everything_settled(case, box)
    for mail in box.mails():
        if mail.recipients != ["warm@example.org"]:
            whole += 1
            case.same(len(mail.body), len(wanted), mail.recipients)
            case.same(mail.body, wanted, mail.recipients)
            case.holds(mail.recipients[0] not in served, f"{mail.recipients} twice")
            served.add(mail.recipients[0])
    case.holds(died >= 3, f"only {died} of 40 were killed before they ended: the sweep misses the point")


def test_killed_in_the_middle_of_the_handover(case):
    """An agent that has a part of the message, and then the end of the stream, must not send it."""
    box = case.box()
    me = case.person(box)
    me.send("-i", "warm@example.org").succeeded()
    connections = box.count("smtp.connect")
    start = b"EHLO localhost\r\nMAIL FROM:<me@sandbox.example>\r\nRCPT TO:<ann@example.org>\r\nBDAT 120000 LAST\r\n"
    body = b"Subject: s\r\n\r\n" + b"x" * 70 + b"\r\n" * 100
    for part in (0, 1, 100, 60_000, 119_999):
        ours, theirs = socket.socketpair()
        agent = subprocess.Popen([case.program("mailbearer-agent"), "--once", "--user", "--config", str(me.config)],
                                 stdin=theirs, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={})
        theirs.close()
        ours.sendall(start + (body * 1000)[:part])
        ours.close()
        case.same(agent.wait(20), 74, f"{part} octets of 120000")
    case.same(len(box.mails()), 1)
    case.same(box.count("smtp.connect"), connections)


def test_a_file_size_limit_is_no_death_by_signal(case):
    """R13: SIGXFSZ."""
    box = case.box()
    me = case.person(box)

    def small_files():
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    result = me.send("-i", "ann@example.org", text=b"Subject: s\n\n" + PIECE * 40, preexec=small_files)
    case.holds(result.code in (73, 74), repr(result))
    case.same(box.mails(), [])


def test_a_terminated_front_end(case):
    box = case.box()
    me = case.person(box)
    process = me.start("-i", "ann@example.org")
    process.stdin.write(BODY.encode() + PIECE)
    process.stdin.flush()
    time.sleep(0.05)
    process.terminate()
    case.same(process.wait(10), -signal.SIGTERM)
    end_process(process)
    everything_settled(case, box)
    case.same(box.mails(), [])
    me.send("-i", "ann@example.org").succeeded()
    case.same(len(box.mails()), 1)
