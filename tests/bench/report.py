"""The figures as text: for the terminal, and as docs/benchmarks.md."""

import time

from bounds import PEERS
from peers_at_hand import OURS
from rounds import (
    CROWD, CROWD_ROUNDS, FAR_ROUNDS, IN_A_ROW, LARGE_ROUNDS, NEAR_ROUNDS, NOT_IN_A_ROW, ROUND_TRIP_MS, ROW_BLOCKS,
)

# figure, head of the column, form
COLUMNS = (
    ("flights", "flights", "{:.0f}"),
    ("waited", "round trips waited", "{:.1f}"),
    ("far wall", f"wall at {ROUND_TRIP_MS} ms", "{:.0f} ms"),
    ("near wall", "wall at 0 ms", "{:.1f} ms"),
    ("cpu", "CPU", "{:.1f} ms"),
    ("instructions", "instructions", "{:.1f} M"),
    ("calls", "system calls", "{:.0f}"),
    ("peak", "peak memory", "{:.1f} MiB"),
    ("large wall", "20 MB wall", "{:.0f} ms"),
    ("large cpu", "20 MB CPU", "{:.0f} ms"),
    ("large peak", "20 MB peak", "{:.1f} MiB"),
    ("row wall", f"{IN_A_ROW} in a row", "{:.0f} ms"),
    ("crowd wall", f"{CROWD} at once", "{:.0f} ms"),
)
# Less is better in all of them. A peer within a tenth is no better.
AHEAD = 0.95
RATIOS = ("far wall", "near wall", "cpu", "large wall", "large cpu", "row wall", "crowd wall")


def cell(table, name, figure, form):
    value = table.median(name, figure)
    return "–" if value is None else form.format(value)


def columns(table):
    return [one for one in COLUMNS if any(table.values(client.name, one[0]) for client in table.clients)]


def grid(table, chosen):
    rows = [["", *(head for _, head, _ in chosen)]]
    for client in table.clients:
        if any(table.values(client.name, figure) for figure, _, _ in chosen):
            rows.append([client.name, *(cell(table, client.name, figure, form) for figure, _, form in chosen)])
    return rows


def by_process(table):
    """Peak memory and instructions of each program of a client, where there are several."""
    rows = [["", "program", "peak memory", "instructions"]]
    for client in table.clients:
        figures = [figure for name, figure in table.samples if name == client.name and " " in figure]
        programs = []
        for figure in figures:
            kind, _, program = figure.partition(" ")
            if kind in ("peak", "instructions") and program not in programs:
                programs.append(program)
        for program in programs:
            rows.append([client.name, program, cell(table, client.name, f"peak {program}", "{:.1f} MiB"),
                         cell(table, client.name, f"instructions {program}", "{:.2f} M")])
    return rows if len(rows) > 1 else []


def ratios(table):
    """Mailbearer's share of each peer's figure."""
    peers = [client.name for client in table.clients if client.name in PEERS]
    heads = {figure: head for figure, head, _ in COLUMNS}
    rows = [[f"{OURS} ÷", *peers]]
    for figure in RATIOS:
        shares = [table.ratio(OURS, peer, figure) for peer in peers]
        if any(share is not None for share in shares):
            rows.append([heads[figure], *("–" if share is None else f"{share:.2f}" for share in shares)])
    return rows if len(rows) > 1 else []


def plain(rows):
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join("  ".join(word.ljust(width) for word, width in zip(row, widths)).rstrip() for row in rows)


def markdown(rows):
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * len(rows[0]), *lines[1:]])


def ahead(table):
    """Sentences about peers that do better, in a figure that both have."""
    for figure, head, form in columns(table):
        ours = table.median(OURS, figure)
        for name in [client.name for client in table.clients if not client.name.startswith(OURS)]:
            theirs = table.median(name, figure)
            if ours is not None and theirs is not None and theirs < ours * AHEAD:
                yield f"{head}: {name} {form.format(theirs)}, {OURS} {form.format(ours)}"


def for_terminal(table, judged):
    half = len(columns(table)) // 2 + 1
    parts = [plain(grid(table, chosen)) for chosen in (columns(table)[:half], columns(table)[half:]) if chosen]
    if ratios(table):
        parts.append(plain(ratios(table)))
    if by_process(table):
        parts.append(plain(by_process(table)))
    shapes = [f"{client.name}: {table.notes[(client.name, 'shape')]}" for client in table.clients
              if (client.name, "shape") in table.notes]
    if shapes:
        parts.append("Flights (c client, s server; octets):\n" + "\n".join(shapes))
    parts.append("\n".join(f"{one.word():5}  {one.what}: {one.reached}" for one in judged))
    parts += [f"FAILED {fault}" for fault in table.faults]
    return "\n\n".join(part for part in parts if part)


METHOD = f"""\
## How it was measured

One run of `make bench`, in which the clients take turns; a figure is the median over its rounds, a ratio the median
of the pairs of one round. Each sends the same message of about 1 kB by STARTTLS and XOAUTH2 (s-nail of Debian 12 knows
OAUTHBEARER only), with an access token of 2.5 kB at hand, to the same Postfix, which asks the same Dovecot about it. All trust the system's store plus the
test's CA. Every message is looked for behind the server: delivered once, body and subject unchanged.

* **flights**: how often the client had to wait for the server before it could go on, from the first SYN to the final
  250; counted in a capture. **round trips waited**: the time that took, divided by the round-trip time; it holds what
  delayed ACKs and Nagle's rule add, and what both sides compute.
* **{ROUND_TRIP_MS} ms**: the clients in a network namespace of their own, joined to the servers' by two TUN devices; a program
  between them (`tests/bench/delay_link.cpp`) holds each packet for half the round-trip time. TCP is the kernel's own from
  end to end. {FAR_ROUNDS} rounds. **0 ms**: over the loopback, {NEAR_ROUNDS} rounds.
* **CPU**: user and system time of all processes of a client, also of those that live on when the command has ended.
  **wall**: until the command has ended. **peak memory**: of its largest process.
* **instructions**: in user space, all processes, by valgrind's callgrind. nodemailer: not counted (valgrind and V8's
  compiler). **system calls**: all processes, by strace.
* **20 MB**: {LARGE_ROUNDS} rounds over the loopback. **{IN_A_ROW} in a row**: a command each, in {ROW_BLOCKS} blocks; not for {" and ".join(NOT_IN_A_ROW)},
  which are libraries: a program that uses them would keep a connection. **{CROWD} at once**: {CROWD_ROUNDS} rounds.

`mailbearer` is the one-shot agent (no daemon) with a runtime directory that it may write to, as a login session has:
it keeps TLS sessions there and resumes them. `mailbearer, no runtime_dir` has none: a full handshake each time, one more
wait for Postfix, which sends its session tickets first (two of the bounds are not judged there: *above*). No peer
resumes. msmtp and curl parse the system's bundle of authorities for every message; what they need when a file with a
single one is named to them stands beside. `tests/bench/clients.py` says how each client is called.
"""


def for_reader(table, judged, versions):
    parts = [
        "# Benchmarks",
        f"Written by `make bench` on {time.strftime('%Y-%m-%d')}. Do not edit.",
        "## Figures", markdown(grid(table, columns(table))),
    ]
    if ratios(table):
        parts += ["Mailbearer's share of a peer's figure; below 1 is less time:", markdown(ratios(table))]
    if by_process(table):
        parts += ["By process (what a shell or an interpreter starts and waits for itself is in its memory's peak):",
                  markdown(by_process(table))]
    better = list(ahead(table))
    parts.append("## Where a peer is ahead")
    parts.append("\n".join(f"* {one}" for one in better) if better else "In none of these figures, by more than 5 %.")
    parts.append("## Bounds")
    parts.append(markdown([["bound", "reached", ""], *([one.what, one.reached, one.word()] for one in judged)]))
    if table.faults:
        parts += ["## What failed in this run", "\n".join(f"* {fault}" for fault in table.faults)]
    parts += [METHOD.rstrip(), "## Versions", markdown([["what", "version"], *map(list, versions)])]
    return "\n\n".join(parts) + "\n"
