"""The parts of the benchmark. Within each, the clients take turns, round after round, so that whatever else
the machine does falls on all of them alike; figures are medians over the rounds, ratios are medians of the
pairs of one round.
"""

import statistics
import subprocess
import sys

import wire
from meter import Failed

PARTS = ("flights", "near", "cost", "large", "row", "crowd")
ROUND_TRIP_MS = 50
FAR_ROUNDS = 7
NEAR_ROUNDS = 15
LARGE_LINES = 20_000_000 // 74
LARGE_ROUNDS = 7
IN_A_ROW = 200
ROW_BLOCKS = 4
SLOW_MS = 110  # a client that takes longer for a message sends one block, and that is multiplied
CROWD = 20
CROWD_ROUNDS = 3
# Their start alone takes a tenth of a second and more: 200 of them would say nothing new and take a minute each.
NOT_IN_A_ROW = ("nodemailer", "smtplib")


class Table:
    """samples[(client, figure)] = one value a round, None where a round failed; notes[(client, figure)] for people."""

    def __init__(self, running):
        self.clients = running
        self.samples = {}
        self.notes = {}
        self.faults = []

    def add(self, client, figure, value):
        self.samples.setdefault((client.name, figure), []).append(value)

    def values(self, name, figure):
        return [value for value in self.samples.get((name, figure), []) if value is not None]

    def median(self, name, figure):
        values = self.values(name, figure)
        return statistics.median(values) if values else None

    def worst(self, name, figure):
        values = self.values(name, figure)
        return max(values) if values else None

    def ratio(self, ours, theirs, figure):
        """Median of the pairs of one round."""
        pairs = zip(self.samples.get((ours, figure), []), self.samples.get((theirs, figure), []))
        found = [mine / other for mine, other in pairs if mine is not None and other]
        return statistics.median(found) if found else None

    def fail(self, client, part, fault):
        text = f"{part}: {fault}"
        self.faults.append(text)
        print(f"  FAILED {text}", flush=True)


def tell(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def warm_up(meter, table):
    """Once each: files in memory, Mailbearer's token in its cache; a client that cannot send at all leaves."""
    meter.link.delay(0)
    for client in list(table.clients):
        try:
            for host in (wire.NEAR, wire.FAR):
                meter.run(client, host)
        except (Failed, OSError, subprocess.TimeoutExpired) as fault:
            table.fail(client, "warm-up", str(fault))
            table.clients.remove(client)


def measure(part, meter, table):
    tell(part)
    {"flights": far, "near": near, "cost": cost, "large": large, "row": row, "crowd": crowd}[part](meter, table)


def each(table, rounds, part, one, skip=()):
    """Every client once a round; who fails gets None for that round, so that pairs stay pairs."""
    for _ in range(rounds):
        for client in table.clients:
            if client.name in skip or (client.parts and part not in client.parts):
                continue
            try:
                one(client)
            except (Failed, OSError, subprocess.TimeoutExpired) as fault:
                table.fail(client, part, str(fault))


def far(meter, table):
    one_way_us = ROUND_TRIP_MS * 500

    def one(client):
        run, found = meter.flights(client, one_way_us)
        table.add(client, "flights", found[0].flights)
        table.add(client, "waited", found[0].waited)
        table.add(client, "far wall", run.wall_ms)
        table.notes[(client.name, "shape")] = " | ".join(found[0].shape)
        if len(found) > 1:
            table.notes[(client.name, "connections")] = len(found)

    each(table, FAR_ROUNDS, "flights", one)
    meter.link.delay(0)


def near(meter, table):
    def one(client):
        run = meter.run(client)
        table.add(client, "near wall", run.wall_ms)
        table.add(client, "cpu", run.cpu_ms)
        for program, peak in run.peaks().items():
            table.add(client, f"peak {program}", peak / 1024)
        table.add(client, "peak", max(run.peaks().values()) / 1024)

    each(table, NEAR_ROUNDS, "near", one)


def cost(meter, table):
    def calls(client):
        count, failed = meter.system_calls(client)
        table.add(client, "calls", count)
        table.add(client, "calls failed", failed)

    def instructions(client):
        found = meter.instructions(client)
        if not found:
            return
        table.add(client, "instructions", sum(found.values()))
        for program, count in found.items():
            table.add(client, f"instructions {program}", count)

    each(table, 1, "cost", calls)
    each(table, 1, "cost", instructions, skip=("nodemailer",))


def large(meter, table):
    def one(client):
        run = meter.run(client, lines=LARGE_LINES)
        table.add(client, "large wall", run.wall_ms)
        table.add(client, "large cpu", run.cpu_ms)
        table.add(client, "large peak", max(run.peaks().values()) / 1024)

    each(table, LARGE_ROUNDS, "large", one)


def row(meter, table):
    block = IN_A_ROW // ROW_BLOCKS

    def one(client):
        if (table.median(client.name, "row wall") or 0) > SLOW_MS * IN_A_ROW:
            return
        run = meter.run(client, count=block)
        table.add(client, "row wall", run.wall_ms * ROW_BLOCKS)
        table.add(client, "row cpu", run.cpu_ms * ROW_BLOCKS)

    each(table, ROW_BLOCKS, "row", one, skip=NOT_IN_A_ROW)


def crowd(meter, table):
    def one(client):
        run = meter.run(client, count=CROWD, at_once=True)
        table.add(client, "crowd wall", run.wall_ms)

    each(table, CROWD_ROUNDS, "crowd", one)
