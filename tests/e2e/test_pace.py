"""The limits of a mailbox at Graph, kept together by all processes of one user before the provider has to say no."""

import time

from rig import BODY, weight
from test_graph import person, sends


def paced(case, box, extra="", name="person"):
    runtime = case.folder / f"run-{name}"
    runtime.mkdir(mode=0o700)
    return person(case, box, extra, name=name, main=f"runtime_dir = {runtime}")


def together(case, me, count):
    """So many at once; their exit codes and lines."""
    processes = [me.start("-i", "ann@example.org") for _ in range(count)]
    for process in processes:
        process.stdin.write(BODY.encode())
        process.stdin.close()
    return [(process.wait(60), process.stderr.read().decode()) for process in processes]


@weight(3)
def test_G1_four_at_once_and_the_others_wait(case):
    """The sandbox answers the fifth request at a time with 429, as Graph does."""
    box = case.box()
    me = paced(case, box)
    me.send("-i", "ann@example.org").succeeded()
    box.fault("graph.send", delay_ms=300, times=16)
    ended = together(case, me, 12)
    case.same([code for code, _ in ended], [0] * 12, repr(ended))
    case.same((len(box.mails()), box.count("graph.send", outcome="429")), (13, 0))


def test_G1_who_waits_too_long_is_told_the_limit(case):
    box = case.box()
    me = paced(case, box, "pace_wait = 1s")
    me.send("-i", "ann@example.org").succeeded()
    box.fault("graph.send", delay_ms=4000, times=4)
    busy = [me.start("-i", "ann@example.org") for _ in range(4)]
    for process in busy:
        process.stdin.write(BODY.encode())
        process.stdin.close()
    case.wait_for(lambda: sends(box) >= 5 or box.count("graph.request") >= 5 or locked(me) >= 4, "four requests")
    me.send("-i", "ann@example.org").failed(69, r"not sent \(work\): provider limit, 4 requests at once, all in use for 1 s; try again")
    case.same([process.wait(30) for process in busy], [0] * 4)
    me.send("-i", "ann@example.org").succeeded()
    case.same(len(box.mails()), 6)


def locked(me):
    """Turns that are taken, as the kernel tells."""
    runtime = me.case.folder / "run-person"
    inodes = {str(path.stat().st_ino) for path in runtime.glob("pace-*.lock")}
    with open("/proc/locks", encoding="ascii") as table:
        return sum(1 for line in table if "FLOCK" in line and line.split()[5].rpartition(":")[2] in inodes)


def test_G1_retry_after_holds_for_every_process(case):
    box = case.box()
    me = paced(case, box, "pace_wait = 10s")
    box.fault("graph.send", status=429, retry_after=600)
    me.send("-i", "ann@example.org").failed(69, r"not sent \(work\): provider limit, .*try again after 600 s.*")
    # Nobody calls again: the provider has said when.
    me.send("-i", "ann@example.org").failed(69, r"not sent \(work\): provider limit, .*; try again after (600|59\d) s")
    case.same((sends(box), len(box.mails())), (1, 0))
    # Another mailbox is not concerned, and neither is a user without a place to meet.
    person(case, box, name="alone").send("-i", "ann@example.org").succeeded()
    case.same(len(box.mails()), 1)


def test_G1_a_short_pause_is_waited_for(case):
    box = case.box()
    me = paced(case, box)
    for status in (429, 503):
        box.fault("graph.send", status=status, retry_after=2, code="ApplicationThrottled")
        told = time.monotonic()
        me.send("-i", "ann@example.org").failed(69, ".*")
        me.send("-i", "ann@example.org").succeeded()
        case.holds(time.monotonic() - told > 1, "did not wait")
    case.same((len(box.mails()), sends(box)), (2, 4))


def test_a_pause_that_nobody_can_have_meant_is_ignored(case):
    box = case.box()
    me = paced(case, box)
    box.fault("graph.send", status=429, retry_after=600)
    me.send("-i", "ann@example.org").failed(69, ".*")
    (pause,) = (case.folder / "run-person").glob("pace-*.pause")
    now = int(time.time())
    for text in ("", "x" * 9000, f"{now} {now + 10**9} for ever\n", f"{now + 999} {now + 1000} tomorrow's\n"):
        pause.write_text(text)
        me.send("-i", "ann@example.org").succeeded()
