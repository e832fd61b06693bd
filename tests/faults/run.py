#!/usr/bin/env python3
"""make check-faults: the real sendmail and agent against a server that does one thing wrong, at every stage.

    run.py --bin build/bin [--short] [--sanitized] [-k PATTERN] [-j 2] [--list] [--durations]

Each worker has a network and an /etc of its own. Cases that only wait run beside the others. --short: a choice of them,
for CI. Last line: "N passed, N failed"; exit 1 when anything failed. Needs root, openssl.
"""

import argparse
import multiprocessing
import os
import pathlib
import queue
import re
import shutil
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import certificates  # noqa: E402
import network  # noqa: E402
import stand  # noqa: E402
import table  # noqa: E402

WAITING_SLOTS = 12
SHORT_EVERY = 3  # of the cases that are not pinned
PROGRAMS = ("sendmail", "mailbearer-agent", "mailbearer-helper", "mailbearer")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", default="build/bin", help="folder of the programs")
    parser.add_argument("--short", action="store_true", help="a choice of the cases")
    parser.add_argument("--sanitized", action="store_true", help="leave out what sanitizers change: memory, and twice the time")
    parser.add_argument("-k", default="", help="only cases whose name matches this regular expression")
    parser.add_argument("-j", type=int, default=2, help="workers")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--durations", action="store_true", help="name the twenty slowest")
    return parser.parse_args()


def chosen(cases, wanted):
    cases = [case for case in cases if re.search(wanted.k, case.name)]
    if wanted.short:
        # Not those that wait for a long deadline; the rest evenly.
        cases = [case for number, case in enumerate(cases)
                 if case.pinned or number % SHORT_EVERY == 0 and (not case.waits or case.limit < 6)]
    return cases


def work(number, wanted, folder, made, results):
    """A worker: one slot for what takes time of the processor, more for what waits."""
    folder = pathlib.Path(folder) / f"worker{number}"
    folder.mkdir(mode=0o700)
    net = network.Network(folder)
    cases = chosen(table.everything(made), wanted)[number::wanted.j]
    place = stand.Stand(folder, wanted.bin, made, WAITING_SLOTS + 1, wanted.sanitized)
    busy, waiting = queue.SimpleQueue(), queue.SimpleQueue()
    for case in sorted(cases, key=lambda one: -one.limit):
        (waiting if case.waits else busy).put(case)
    threads = []
    for at, slot in enumerate(place.slots):
        threads.append(threading.Thread(target=work_off, args=(slot, waiting if at else busy, net, results)))
        threads[-1].start()
    for thread in threads:
        thread.join()
    results.put(max((slot.highest_peak, slot.highest_case) for slot in place.slots))
    place.close()


def work_off(slot, todo, net, results):
    while True:
        try:
            case = todo.get_nowait()
        except queue.Empty:
            return
        if net.black_hole is None and "black hole" in case.name:
            results.put((case.name, None, 0))
            continue
        started = time.monotonic()
        try:
            wrong = slot.run(case)
        except Exception as fault:  # pylint: disable=broad-except
            wrong = [f"the test itself failed: {fault!r}"]
        results.put((case.name, wrong, time.monotonic() - started))


def main():
    wanted = arguments()
    wanted.bin = os.path.abspath(wanted.bin)
    if os.geteuid() != 0:
        print("the fault tests need root (network and mount namespaces)")
        return 1
    missing = [name for name in PROGRAMS if not os.access(pathlib.Path(wanted.bin) / name, os.X_OK)]
    if missing:
        raise SystemExit(f"not in {wanted.bin}: {', '.join(missing)}; run: make")
    folder = tempfile.mkdtemp(prefix="mailbearer-faults-")
    try:
        made = certificates.Certificates(pathlib.Path(folder) / "certificates")
        cases = chosen(table.everything(made), wanted)
        if wanted.list:
            print("\n".join(case.name for case in cases))
            return 0
        return run(wanted, folder, made, len(cases))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def run(wanted, folder, made, count):
    results = multiprocessing.Queue()
    workers = [multiprocessing.Process(target=work, args=(number, wanted, folder, made, results)) for number in range(wanted.j)]
    for worker in workers:
        worker.start()
    passed = failed = 0
    points, times, peaks = {}, [], []
    while passed + failed < count or len(peaks) < len(workers):
        try:
            told = results.get(timeout=1)
        except queue.Empty:
            if not any(worker.is_alive() for worker in workers) and results.empty():
                print(f"FAILED: the workers ended with {count - passed - failed} cases to go")
                failed = count - passed
                break
            continue
        if len(told) == 2:
            peaks.append(told)
            continue
        name, wrong, seconds = told
        times.append((seconds, name))
        point = points.setdefault(name.split()[0], [0, 0])
        if wrong is None:
            print(f"not run, there is no TUN device: {name}")
        failed += bool(wrong)
        passed += not wrong
        point[bool(wrong)] += 1
        if wrong:
            print(f"FAILED {name}")
            for one in wrong[:4]:
                print(f"       {one[:700]}", flush=True)
    for worker in workers:
        worker.join()
    if wanted.durations:
        for seconds, name in sorted(times, reverse=True)[:20]:
            print(f"{seconds:6.1f} s  {name}")
    if peaks:
        print("most memory of a process: %d KiB (%s)" % max(peaks))
    for point in sorted(points, key=lambda name: int(name[1:])):
        print(f"{point}: {points[point][0]} passed, {points[point][1]} failed")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
