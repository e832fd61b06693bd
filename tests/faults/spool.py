#!/usr/bin/env python3
"""The queue, killed at every system call and refused every one: nothing acknowledged is lost, nothing incomplete is sent.

    spool.py --driver build/faults/spool_driver [--short] [-k PATTERN]

spool_driver.cpp is a small agent: it accepts a message, says so, and delivers it into a file. strace kills it at, or makes
fail, the n-th call of one kind; counted for each kind, since strace counts so. Then a second agent opens the spool, a day
later by the queue's clock, and delivers what is left. Q numbers are those of the reliability facts. Ends with a table and
"N passed, N failed". Needs strace; the rows on full file systems need root.
"""

import argparse
import collections
import concurrent.futures
import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile

ID = "0123456789abcdef0123456789abcdef"
OTHER = "fedcba9876543210fedcba9876543210"
SHORT_EVERY = 5
LIMIT = 20
# The calls by which state is written, and the errors they may answer.
WRITING = ("openat", "pwrite64", "fsync", "fdatasync", "linkat", "unlinkat", "rename", "fallocate", "write", "close",
           "mkdirat", "flock", "fchmod", "pread64")
ERRORS = ("ENOSPC", "EDQUOT", "EIO", "EINTR", "EROFS")


class Outcome:
    """What one point did to the mail."""

    def __init__(self):
        self.acknowledged = self.lost = self.incomplete = self.twice = self.maybe_twice = 0
        self.wrong = []


class Place:
    def __init__(self, driver, folder):
        self.driver = driver
        self.folder = pathlib.Path(folder)
        self.spool = self.folder / "spool"
        self.sent = self.folder / "sent"

    def command(self, verb, *more):
        return [self.driver, verb, str(self.spool), str(self.sent), *more]

    def run(self, command, strace=(), **how):
        if strace:
            command = ["strace", "-f", "-qq", "-o", "/dev/null", *strace, *command]
        return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=LIMIT, check=False, **how)

    def rest(self, outcome):
        done = self.run(self.command("rest", "2"))
        if done.returncode != 0:
            outcome.wrong.append(f"the next agent ended with {done.returncode}: {done.stderr.decode()[:200]}")
        elif done.stdout != b"remain 0\n":
            outcome.wrong.append(f"left in the queue: {done.stdout.decode()!r}")
        damaged = self.spool / "damaged"
        if damaged.is_dir() and list(damaged.iterdir()):
            outcome.wrong.append(f"damaged: {list(damaged.iterdir())}")
        for name in ("messages", "new"):
            left = [one.name for one in (self.spool / name).iterdir()] if (self.spool / name).is_dir() else []
            if left and name == "messages":
                outcome.wrong.append(f"debris in {name}: {left}")
        stray = [one.name for one in self.spool.glob("*.tmp")]
        if stray:
            outcome.wrong.append(f"debris: {stray}")

    def judge(self, outcome, said, whole):
        """`whole`: size and checksum of each id's body, from a run without a fault."""
        acknowledged = re.findall(r"accepted ([0-9a-f]{32})", said)
        lines = self.sent.read_text().splitlines() if self.sent.exists() else []
        copies = collections.defaultdict(list)
        for line in lines:
            words = line.split()
            if len(words) == 4 and words[3] in ("once", "maybe"):
                copies[words[0]].append(words)
            if len(words) != 4 or (whole and " ".join(words[1:3]) != whole):
                outcome.incomplete += 1
        outcome.acknowledged += len(acknowledged)
        outcome.lost += sum(1 for one in acknowledged if one not in copies)
        for sent in copies.values():
            later = sent[1:]
            outcome.maybe_twice += sum(1 for words in later if words[3] == "maybe")
            outcome.twice += sum(1 for words in later if words[3] == "once")


def template(driver, folder, *, accept_only):
    """A spool to begin with: empty, or with one accepted message."""
    place = Place(driver, folder)
    if accept_only:
        # Killed when it would begin to deliver: at its first fdatasync, the mark.
        done = place.run(place.command("run", ID), ["-e", "inject=fdatasync:signal=KILL:when=1"])
        assert f"accepted {ID}".encode() in done.stdout, done
    return place


def count_calls(place, command):
    trace = place.folder / "counts"
    place.run(["strace", "-f", "-c", "-o", str(trace), *command])
    counts = {}
    for line in trace.read_text().splitlines():
        words = line.split()
        if len(words) >= 5 and words[3].isdigit() and words[-1].isidentifier() and words[-1] != "total":
            counts[words[-1]] = int(words[3])
    return counts


def whole_message(driver):
    with tempfile.TemporaryDirectory() as folder:
        place = Place(driver, folder)
        done = place.run(place.command("run", ID))
        assert done.returncode == 0, done
        words = place.sent.read_text().split()
        return " ".join(words[1:3])


def cases(driver, short):
    """Rows: name, strace's words, which agent is struck, a message in the spool before."""
    every = SHORT_EVERY if short else 1
    number = 0
    for number_of, verb in (("Q2 Q4", "run"), ("Q4", "rest")):
        with tempfile.TemporaryDirectory() as folder:
            place = template(driver, folder, accept_only=verb == "rest")
            command = place.command("run", ID) if verb == "run" else place.command("rest", "1")
            counts = count_calls(place, command)
        for kind, count in sorted(counts.items()):
            if kind in ("execve", "exit_group"):
                continue
            for nth in range(1, count + 1):
                number += 1
                if number % every == 0:
                    yield f"{number_of} kill {verb} {kind} {nth}", f"inject={kind}:signal=KILL:when={nth}", verb
            if kind not in WRITING:
                continue
            for error in ERRORS:
                for nth in range(1, count + 1):
                    number += 1
                    if number % every == 0:
                        name = "Q7" if kind in ("fsync", "fdatasync") and error == "EIO" else "Q5"
                        yield f"{name} {error} {verb} {kind} {nth}", f"inject={kind}:error={error}:when={nth}", verb


def strike(driver, case, whole):
    _, inject, verb = case
    outcome = Outcome()
    with tempfile.TemporaryDirectory(prefix="mailbearer-spool-") as folder:
        place = template(driver, folder, accept_only=verb == "rest")
        said = f"accepted {ID}\n" if verb == "rest" else ""
        command = place.command("run", ID) if verb == "run" else place.command("rest", "1")
        try:
            said += place.run(command, ["-e", inject]).stdout.decode()
        except subprocess.TimeoutExpired:
            outcome.wrong.append(f"hung for {LIMIT} s")
        place.rest(outcome)
        place.judge(outcome, said, whole)
    return outcome


def full(driver, kilobytes, whole):
    """Q5: a file system of this size, and what does not fit into it."""
    outcome = Outcome()
    with tempfile.TemporaryDirectory(prefix="mailbearer-spool-") as folder:
        place = Place(driver, folder)
        place.spool = pathlib.Path(folder) / "small" / "spool"
        script = (f"mkdir -m 700 small; mount -t tmpfs -o size={kilobytes}k,mode=700 none small || exit 99; "
                  f"'{driver}' run small/spool sent {ID} {OTHER}; mount -o remount,size=4m small; "
                  f"'{driver}' rest small/spool sent 2; ls small/spool/messages small/spool/damaged small/spool/new | grep -v :")
        done = subprocess.run(["unshare", "-m", "sh", "-c", script], cwd=folder, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=LIMIT, check=False)
        said = done.stdout.decode()
        if done.returncode == 99:
            outcome.wrong.append("a tmpfs could not be mounted")
        if "remain 0" not in said or re.search(r"^[0-9a-f]{8,}", said, re.MULTILINE):
            outcome.wrong.append(said + done.stderr.decode())
        place.judge(outcome, said, whole)
    return outcome


def limited(driver, size, whole):
    """Short writes: RLIMIT_FSIZE ends a write in its middle."""
    outcome = Outcome()
    with tempfile.TemporaryDirectory(prefix="mailbearer-spool-") as folder:
        place = Place(driver, folder)

        def small_files():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))

        said = place.run(place.command("run", ID), preexec_fn=small_files).stdout.decode()
        place.rest(outcome)
        place.judge(outcome, said, whole)
    return outcome


def unwritable(driver, _, whole):
    """Q6: a read-only file system. A clear text, at once, and nothing changed."""
    outcome = Outcome()
    with tempfile.TemporaryDirectory(prefix="mailbearer-spool-") as folder:
        script = (f"mkdir -m 700 small; mount -t tmpfs -o mode=700 none small || exit 99; '{driver}' run small/spool sent {ID}; "
                  f"mount -o remount,ro small; '{driver}' run small/spool sent {OTHER}")
        done = subprocess.run(["unshare", "-m", "sh", "-c", script], cwd=folder, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=LIMIT, check=False)
        place = Place(driver, folder)
        said = done.stdout.decode()
        if b"Read-only" not in done.stderr and "Read-only" not in said:
            outcome.wrong.append(f"no clear text: {said} {done.stderr.decode()}")
        place.judge(outcome, said, whole)
    return outcome


def crowd(driver, nth, whole):
    """Many callers at once, the agent killed at the n-th sync; whole is of another message."""
    outcome = Outcome()
    with tempfile.TemporaryDirectory(prefix="mailbearer-spool-") as folder:
        place = Place(driver, folder)
        said = place.run(place.command("crowd", "160"), ["-e", f"inject=fsync:signal=KILL:when={nth}"]).stdout.decode()
        place.rest(outcome)
        place.judge(outcome, said, None)
    return outcome


def order(driver, _, whole):
    """Q8: created, written, synced, linked, the folder synced, and only then acknowledged."""
    outcome = Outcome()
    with tempfile.TemporaryDirectory(prefix="mailbearer-spool-") as folder:
        place = Place(driver, folder)
        trace = place.folder / "trace"
        said = place.run(["strace", "-f", "-y", "-s", "100", "-o", str(trace), "-e",
                          "trace=openat,pwrite64,fsync,linkat,write", *place.command("run", ID)]).stdout.decode()
        text = trace.read_text()
        steps = (r"openat\([^\n]*O_TMPFILE", r"pwrite64\([^\n]*messages/[^\n]*deleted", r"fsync\([^\n]*deleted[^\n]*\) = 0",
                 rf"linkat\([^\n]*{ID}[^\n]*\) = 0", r"fsync\([^\n]*/messages>\) = 0", rf'write\(1[^\n]*"accepted {ID}')
        at = 0
        for step in steps:
            found = re.compile(step).search(text, at)
            if not found:
                outcome.wrong.append(f"not in its order: {step}")
                break
            at = found.end()
        place.judge(outcome, said, whole)
    return outcome


def everything(driver, short, whole):
    for case in cases(driver, short):
        yield case[0], strike, (driver, case, whole)
    if os.geteuid() == 0:
        for kilobytes in range(16, 800, 160 if short else 32):
            yield f"Q5 full file system of {kilobytes} KiB", full, (driver, kilobytes, whole)
        yield "Q6 read-only", unwritable, (driver, 0, whole)
    for size in (1, 100, 4096, 65_536, 131_072, 262_144, 300_100, 300_300, 300_500, 300_700):
        yield f"Q5 short writes at {size}", limited, (driver, size, whole)
    for nth in range(1, 100, 25 if short else 5):
        yield f"C1 kill with 16 callers at sync {nth}", crowd, (driver, nth, whole)
    yield "Q8 the order of the syncs", order, (driver, 0, whole)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--driver", default="build/faults/spool_driver")
    parser.add_argument("--short", action="store_true", help="a choice of the points")
    parser.add_argument("-k", default="", help="only points whose name matches this regular expression")
    parser.add_argument("-j", type=int, default=2)
    wanted = parser.parse_args()
    driver = os.path.abspath(wanted.driver)
    if not os.access(driver, os.X_OK) or shutil.which("strace") is None:
        sys.exit(f"needed: {driver} (run: make {wanted.driver}) and strace")
    whole = whole_message(driver)
    table = collections.OrderedDict()
    passed = failed = 0
    with concurrent.futures.ThreadPoolExecutor(wanted.j) as pool:
        started = [(name, pool.submit(what, *how)) for name, what, how in everything(driver, wanted.short, whole)
                   if re.search(wanted.k, name)]
        for name, future in started:
            try:
                outcome = future.result()
            except Exception as fault:  # pylint: disable=broad-except
                outcome = Outcome()
                outcome.wrong.append(f"the test itself failed: {fault!r}")
            bad = outcome.wrong or outcome.lost or outcome.incomplete or outcome.twice
            passed, failed = passed + (not bad), failed + bool(bad)
            row = table.setdefault(" ".join(re.match(r"((?:[QC]\d+ )+\S+)", name).groups()), [0] * 6)
            for i, value in enumerate((1, outcome.acknowledged, outcome.lost, outcome.incomplete, outcome.twice,
                                       outcome.maybe_twice)):
                row[i] += value
            if bad:
                print(f"FAILED {name}: lost {outcome.lost}, incomplete {outcome.incomplete}, twice {outcome.twice}")
                for one in outcome.wrong[:3]:
                    print(f"       {one[:500]}", flush=True)
    head = ("points", "acknowledged", "lost", "incomplete", "sent twice", "twice, and said so")
    print(f"{'':22}" + "".join(f"{one:>20}" for one in head))
    for name, row in table.items():
        print(f"{name:22}" + "".join(f"{value:>20}" for value in row))
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
