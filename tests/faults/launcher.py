"""Starts one program after another for a test, and tells how each ended: a small process, since what a
program's memory once was counts from the fork on, and a test's own would drown it.

Reads one JSON object a line (argv, environment, input, output, errors: paths; limit: seconds), answers with one:
code, seconds, peak (KiB, of the program and of everything it left behind), left (processes still there later).
Run by: python3 -I -S launcher.py
"""

import ctypes
import json
import os
import select
import signal
import sys
import time

PR_SET_CHILD_SUBREAPER = 36
FAREWELL_S = 3


def wait_for(pid, deadline):
    descriptor = os.pidfd_open(pid)
    try:
        return bool(select.select([descriptor], [], [], max(0, deadline - time.monotonic()))[0])
    finally:
        os.close(descriptor)


def start(order):
    pid = os.fork()
    if pid:
        return pid
    try:
        for number, (path, flags) in enumerate((
                (order["input"], os.O_RDONLY), (order["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
                (order["errors"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC))):
            descriptor = os.open(path, flags, 0o600)
            os.dup2(descriptor, number)
        os.closerange(3, 64)
        os.execve(order["argv"][0], order["argv"], order["environment"])
    finally:
        os._exit(126)


def gather():
    """The peaks of those that the program left behind, and how many of them are still there."""
    peak, deadline = 0, time.monotonic() + FAREWELL_S
    while True:
        try:
            pid, _, usage = os.wait4(-1, os.WNOHANG)
        except ChildProcessError:
            return peak, 0
        if pid:
            peak = max(peak, usage.ru_maxrss)
        elif time.monotonic() > deadline:
            return peak, 1
        else:
            time.sleep(0.002)


def run(order):
    started = time.monotonic()
    pid = start(order)
    if not wait_for(pid, started + order["limit"]):
        os.kill(pid, signal.SIGKILL)
    _, status, usage = os.wait4(pid, 0)
    seconds = time.monotonic() - started
    peak, left = gather()
    return {"code": os.waitstatus_to_exitcode(status), "seconds": seconds, "peak": max(peak, usage.ru_maxrss), "left": left}


def main():
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    for line in sys.stdin:
        print(json.dumps(run(json.loads(line))), flush=True)


main()
