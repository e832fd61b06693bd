"""Processes as /proc shows them: who descends from whom, how much memory they had, and a clean end."""

import os
import pathlib
import signal
import subprocess
import time


def children(pid):
    """Process ids of all living descendants of pid."""
    parents = {}
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            stat = (entry / "stat").read_text()
        except OSError:
            continue
        parents.setdefault(int(stat.rpartition(")")[2].split()[1]), []).append(int(entry.name))
    found, todo = [], [pid]
    while todo:
        for child in parents.get(todo.pop(), []):
            found.append(child)
            todo.append(child)
    return found


def stop_tree(process, patience_s=10):
    """Ends a process that we started, and what it started; by process id only."""
    descendants = children(process.pid)
    process.terminate()
    try:
        process.wait(patience_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    deadline = time.monotonic() + patience_s
    while (descendants := [pid for pid in descendants if is_alive(pid)]) and time.monotonic() < deadline:
        time.sleep(0.05)
    for pid in descendants:
        try:
            os.kill(pid, signal.SIGKILL)
        except OSError:
            pass


def is_alive(pid):
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def status_value(pid, key):
    """A number of /proc/PID/status, for instance VmHWM in KiB; None when the process has gone."""
    try:
        for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith(key + ":"):
                return int(line.split()[1])
    except OSError:
        pass
    return None


def program(pid):
    try:
        return os.path.basename(os.readlink(f"/proc/{pid}/exe"))
    except OSError:
        return None


def open_files(pid):
    """What the descriptors of a process point to."""
    found = []
    try:
        for entry in os.scandir(f"/proc/{pid}/fd"):
            try:
                found.append(os.readlink(entry.path))
            except OSError:
                pass
    except OSError:
        pass
    return found
