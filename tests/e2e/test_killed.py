"""The front end dies: everything was sent, or nothing, never a part."""

import signal
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
    case.holds(died >= 3, f"only {died} of 40 were killed before they ended: the sweep misses the point")
    case.holds(whole <= 40, "more mails than calls")


def test_killed_in_the_middle_of_the_handover(case):
    """The agent has taken a part of the message from a front end that is gone: it must not send it."""
    box = case.box()
    me = case.person(box)
    me.send("-i", "warm@example.org").succeeded()
    # Its only descriptor limit: a file size that the message does not fit into would end in 73 or 74, not in half a mail.
    import resource

    def small_files():
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    result = me.send("-i", "ann@example.org", text=b"Subject: s\n\n" + PIECE * 40, preexec=small_files)
    case.holds(result.code in (73, 74), repr(result))
    case.same(len(box.mails()), 1)
    case.same(box.count("smtp.connect"), 1)


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
