#!/usr/bin/env python3
"""make check-integration: the programs of the build against real Postfix and Dovecot.

    run.py --bin build/bin [--only GROUP] [--select TEXT] [--workers N]

Groups: corpus, sign-in, servers, refusals, keyrings, flights, load, oauth, callers. --select: only corpus cases, or callers, whose
name holds TEXT.
Last line: "N passed, N failed"; exit 1 when anything failed.
"""

import argparse
import os
import pathlib
import signal
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import bench  # noqa: E402
import callers_group  # noqa: E402
import checks  # noqa: E402
import corpus_group  # noqa: E402
import flights_group  # noqa: E402
import keyring_group  # noqa: E402
import load_group  # noqa: E402
import oauth_group  # noqa: E402
import refusal_group  # noqa: E402
import sign_in_group  # noqa: E402
from processes import children  # noqa: E402
from rig import Rig  # noqa: E402

GROUPS = ("corpus", "sign-in", "servers", "refusals", "keyrings", "flights", "load", "oauth", "callers")
PROGRAMS = ("sendmail", "mailbearer-agent", "mailbearer-helper", "mailbearer")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", default="build/bin", help="folder of the programs")
    parser.add_argument("--only", choices=GROUPS, action="append", help="this group; may be repeated")
    parser.add_argument("--select", default="", help="corpus cases, or callers, whose name holds this text")
    parser.add_argument("--workers", type=int, default=4, help="corpus cases at a time")
    return parser.parse_args()


def main():
    wanted = arguments()
    missing = [name for name in PROGRAMS if not os.access(pathlib.Path(wanted.bin) / name, os.X_OK)]
    if missing:
        raise SystemExit(f"not in {wanted.bin}: {', '.join(missing)}; run: make")
    groups = wanted.only or (("corpus",) if wanted.select else GROUPS)
    results = checks.Checks()
    # An end from outside goes the same way as Ctrl-C: through the rig's clean-up.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with Rig(wanted.workers) as rig:
        stand = bench.Bench(rig, wanted.bin)
        for group in groups:
            run_group(group, stand, results, wanted)
        folder = rig.folder
    results.group("afterwards")
    results.check("no process and no file of the rig is left", left_over(folder))
    return results.finish()


def run_group(group, stand, results, wanted):
    try:
        if group == "corpus":
            corpus_group.run(stand, results, wanted.workers, wanted.select)
        elif group == "sign-in":
            sign_in_group.sign_in(stand, results)
        elif group == "servers":
            sign_in_group.servers(stand, results)
        elif group == "refusals":
            refusal_group.run(stand, results)
        elif group == "keyrings":
            keyring_group.run(stand, results)
        elif group == "flights":
            flights_group.run(stand, results)
        elif group == "oauth":
            oauth_group.run(stand, results)
        elif group == "callers":
            callers_group.run(stand, results, wanted.select)
        else:
            load_group.run(stand, results)
    except Exception as fault:  # pylint: disable=broad-except
        results.check(f"the group {group} ran to its end", [repr(fault)])


def left_over(folder):
    deadline = time.monotonic() + 5
    while (pids := children(os.getpid())) and time.monotonic() < deadline:
        time.sleep(0.1)
    mine = [f"process {pid}" for pid in pids]
    named = []
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                if str(folder).encode() in (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes():
                    named.append(f"process {entry.name}")
            except OSError:
                pass
    return mine + named + ([str(folder)] if folder.exists() else [])


if __name__ == "__main__":
    sys.exit(main())
