#!/usr/bin/env python3
"""make bench: Mailbearer beside msmtp, curl, s-nail, nodemailer and Python's smtplib, against one real Postfix
and Dovecot, in one run; prints ratios, judges the bounds, writes docs/benchmarks.md.

    run.py --bin build/bin --tools build/bench [--only PART]... [--client NAME]... [--write FILE]

Parts: flights (and wall time at 50 ms), near (wall, CPU, memory without delay), cost (instructions, system
calls), large (20 MB), row (200 one after another), crowd (20 at once). NAME: part of a client's name.
Exit 1 when a bound is missed or a message was not delivered once and unchanged.
"""

import argparse
import os
import pathlib
import signal
import sys
import tempfile
import traceback

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import bounds  # noqa: E402
import peers_at_hand  # noqa: E402
import report  # noqa: E402
import rounds  # noqa: E402
import wire  # noqa: E402
from meter import Meter  # noqa: E402
from post import Post  # noqa: E402
from service import Service  # noqa: E402

PROGRAMS = ("sendmail", "mailbearer-agent", "mailbearer-helper", "mailbearer")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", default="build/bin", help="folder of the programs")
    parser.add_argument("--tools", default="build/bench", help="folder of delay_link and measure")
    parser.add_argument("--only", action="append", choices=rounds.PARTS, help="this part; may be repeated")
    parser.add_argument("--client", action="append", help="these clients; part of a name; may be repeated")
    parser.add_argument("--write", help="where the report goes; else it is only printed")
    parser.add_argument("--modules", help="a folder with node_modules/nodemailer, else npm fetches it")
    return parser.parse_args()


def main():
    wanted = arguments()
    missing = [name for name in PROGRAMS if not os.access(pathlib.Path(wanted.bin) / name, os.X_OK)]
    missing += [name for name in ("delay_link", "measure") if not os.access(pathlib.Path(wanted.tools) / name, os.X_OK)]
    if missing:
        raise SystemExit(f"bench: not built: {', '.join(missing)}; run: make bench")
    wire.require()
    if wire.MARK not in os.environ:
        # While there is still a network: the only peer that is no Debian package.
        os.environ.setdefault(peers_at_hand.MODULES, peers_at_hand.fetch_nodemailer(wanted))
    wire.enter()
    signal.signal(signal.SIGTERM, lambda *_: (undisturbed(), sys.exit(143)))
    try:
        return measure_all(wanted)
    finally:
        peers_at_hand.drop_fetched()


def undisturbed():
    """From here on everything is taken down, which takes seconds and ends by itself."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)


def measure_all(wanted):
    parts = wanted.only or rounds.PARTS
    with tempfile.TemporaryDirectory(prefix="mailbearer-bench-") as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        wire.names_in(folder)
        with Service(1) as service, wire.Wire(pathlib.Path(wanted.tools) / "delay_link", folder) as link:
            wire.trust_with(service.certificates.authority, folder)
            meter = Meter(wanted.tools, folder, link, Post(folder / "messages", service.sink))
            meter.port = service.bench_port
            running = peers_at_hand.clients_of(service, folder, wanted)
            table = rounds.Table(running)
            rounds.warm_up(meter, table)
            for part in parts:
                rounds.measure(part, meter, table)
            versions = peers_at_hand.versions(running)
            undisturbed()
    judged = bounds.judge(table)
    print(report.for_terminal(table, judged))
    if wanted.write:
        pathlib.Path(wanted.write).write_text(report.for_reader(table, judged, versions))
    return 1 if table.faults or any(one.word() == "FAIL" for one in judged) else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Exception:  # pylint: disable=broad-except
        traceback.print_exc()
        sys.exit(70)
