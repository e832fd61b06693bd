"""What the kernel says about processes: who descends from whom, how much memory they had, what they opened."""

import os
import pathlib
import re
import threading
import time


def children_of(parent):
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue
            if int(stat.rpartition(")")[2].split()[1]) == parent:
                found.append(int(entry.name))
    return found


def descendants_of(parent):
    found, todo = [], [parent]
    while todo:
        for child in children_of(todo.pop()):
            found.append(child)
            todo.append(child)
    return found


def program_of(pid):
    try:
        return os.path.basename(os.readlink(f"/proc/{pid}/exe"))
    except OSError:
        return None


class PeakMemory:
    """VmHWM in KiB of a process and its descendants, by program, while it is watched."""

    def __init__(self, pid):
        self.pid, self.peaks, self.temporary = pid, {}, set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self):
        while not self._stop.is_set():
            for pid in [self.pid, *descendants_of(self.pid)]:
                name = program_of(pid)
                try:
                    status = pathlib.Path(f"/proc/{pid}/status").read_text()
                    peak = re.search(r"^VmHWM:\s+(\d+) kB", status, re.M)
                    for entry in os.scandir(f"/proc/{pid}/fd"):
                        target = os.readlink(entry.path)
                        if "(deleted)" in target and "mailbearer" not in target.split("/")[1:2]:
                            self.temporary.add(target)
                except OSError:
                    continue
                # Between fork and exec a child still bears the parent's name and memory.
                if name and peak:
                    self.peaks[name] = max(self.peaks.get(name, 0), int(peak.group(1)))
            time.sleep(0.02)

    def stop(self):
        self._stop.set()
        self._thread.join()
        return self.peaks


OPENED = re.compile(r'^(\d+)\s.*?\b(?:open|openat|openat2|creat)\((?:[A-Z_0-9]+, )?"((?:[^"\\]|\\.)*)", ?([^)]*)\)\s+= (-?\d+)')


def whole_calls(trace):
    """The lines of a strace of several processes, each call that another one interrupted put together again."""
    begun = {}
    for line in trace.splitlines():
        pid = line.split(" ", 1)[0]
        if line.endswith("<unfinished ...>"):
            begun[pid] = line[: -len("<unfinished ...>")]
        elif " resumed>" in line:
            yield begun.pop(pid, pid + " ") + line.split(" resumed>", 1)[1]
        else:
            yield line


def opened_files(trace):
    """(path, flags, descriptor) of every open of a strace."""
    found = [OPENED.match(line) for line in whole_calls(trace)]
    return [(call.group(2), call.group(3), int(call.group(4))) for call in found if call]


class ArgvAndEnvironment:
    """What every process of these programs was started with, while it is watched: by name, all bytes seen."""

    def __init__(self, programs):
        self.folder, self.seen = str(pathlib.Path(programs).resolve()) + "/", {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self):
        while not self._stop.wait(0.005):
            for entry in pathlib.Path("/proc").iterdir():
                try:
                    if entry.name.isdigit() and (program := os.readlink(entry / "exe")).startswith(self.folder):
                        words = (entry / "cmdline").read_bytes() + b"\0" + (entry / "environ").read_bytes()
                        self.seen.setdefault(os.path.basename(program), set()).add(words)
                except OSError:
                    continue

    def stop(self):
        self._stop.set()
        self._thread.join()
        return self.seen
