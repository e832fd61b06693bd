#!/usr/bin/env python3
"""Runs the end-to-end tests: the built programs against mailbearer-sandbox.

    python3 tests/e2e/run.py --bin build/bin [-k PATTERN] [-j 2] [--sanitized] [--list]

Every function test_* of every test_*.py gets a fresh Case. Prints the failures, and at the end "N passed, N failed".
Needs root: several tests need mount namespaces and other user ids.
"""

import argparse
import importlib
import multiprocessing
import os
import pathlib
import re
import sys
import time
import traceback

here = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(here))
sys.dont_write_bytecode = True

from rig import Case  # noqa: E402


def collect(pattern, sanitized):
    found = []
    for path in sorted(here.glob("test_*.py")):
        module = importlib.import_module(path.stem)
        for name in sorted(vars(module)):
            function = getattr(module, name)
            if not name.startswith("test_") or not callable(function):
                continue
            if sanitized and getattr(function, "plain_build_only", False):
                continue
            full = f"{path.stem}.{name}"
            if pattern is None or re.search(pattern, full):
                found.append((getattr(function, "weight", 1), path.stem, name))
    # Long ones first, so that no worker is left alone with one at the end.
    found.sort(key=lambda test: -test[0])
    return [(module, name) for _, module, name in found]


def run_one(job):
    module, name, programs, sanitized = job
    started = time.monotonic()
    problem = None
    try:
        with Case(programs, sanitized) as case:
            getattr(importlib.import_module(module), name)(case)
    except BaseException as error:  # an interrupt too must name the test it struck
        lines = traceback.format_exception(type(error), error, error.__traceback__)
        problem = "".join(lines[-4:])
    return f"{module}.{name}", problem, time.monotonic() - started


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", required=True, help="the folder of the programs")
    parser.add_argument("-k", help="only tests whose name matches this regular expression")
    parser.add_argument("-j", type=int, default=2, help="tests at the same time")
    parser.add_argument("--sanitized", action="store_true", help="leave out what sanitizers change: memory, time, links")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--durations", action="store_true", help="name the ten slowest")
    options = parser.parse_args()
    tests = collect(options.k, options.sanitized)
    if options.list:
        print("\n".join(f"{module}.{name}" for module, name in tests))
        return 0
    if os.geteuid() != 0:
        print("the end-to-end tests need root (mount namespaces, other user ids)")
        return 1
    jobs = [(module, name, os.path.abspath(options.bin), options.sanitized) for module, name in tests]
    failed, times = 0, []
    with multiprocessing.Pool(max(1, options.j), maxtasksperchild=25) as pool:
        for name, problem, seconds in pool.imap_unordered(run_one, jobs, chunksize=1):
            times.append((seconds, name))
            if problem is not None:
                failed += 1
                print(f"FAILED {name} ({seconds:.1f} s)\n{problem}", flush=True)
    if options.durations:
        for seconds, name in sorted(times, reverse=True)[:10]:
            print(f"{seconds:6.1f} s  {name}")
    print(f"{len(jobs) - failed} passed, {failed} failed")
    return 1 if failed or not jobs else 0


if __name__ == "__main__":
    sys.exit(main())
