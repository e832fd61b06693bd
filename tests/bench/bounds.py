"""What Mailbearer must reach, each bound with what was reached. A bound is judged only when all that it is made
of was measured in this run.
"""

import dataclasses

import rounds
from peers_at_hand import BY_DATA, CURL_ONE, MSMTP_ONE, OURS, WITHOUT

PEERS = ("msmtp", "curl", "s-nail", "nodemailer", "smtplib")
MEMORY_MIB = 8
# What msmtp needed when the bound was set, without the shell that fetches its token here.
MSMTP_MILLIONS = 16.0
TENTH = 1.10


@dataclasses.dataclass
class Bound:
    what: str
    reached: str
    held: bool

    def word(self):
        return "pass" if self.held else "FAIL"


class Note(Bound):
    """Said, not judged: what is reached where no TLS session may be kept."""

    def word(self):
        return "pass" if self.held else "above"


def judge(table):
    return [one for one in (*flights(table), *speed(table), *cost(table), *large(table), *many(table)) if one]


def at_most(what, value, limit, form="{:.0f}", kind=Bound):
    if value is None or limit is None:
        return None
    return kind(what, f"{form.format(value)} of at most {form.format(limit)}", value <= limit)


def flights(table):
    for name, limit in ((OURS, 8), (WITHOUT, 8), (BY_DATA, 9)):
        kind = "DATA" if name == BY_DATA else "CHUNKING"
        yield at_most(f"flights, new connection, {kind}: {name}", table.worst(name, "flights"), limit)


def best_peer(table, figure):
    found = [(table.median(name, figure), name) for name in PEERS if table.median(name, figure)]
    return min(found)[1] if found else None


def speed(table):
    best = best_peer(table, "far wall")
    for name, kind in ((OURS, Bound), (WITHOUT, Note)):
        if best:
            ratio = table.ratio(name, best, "far wall")
            yield at_most(f"50 ms round trip, share of the best peer ({best}): {name}", ratio, 0.62, "{:.3f}", kind)
        ratio = table.ratio(name, "msmtp", "far wall")
        yield at_most(f"50 ms round trip, share of msmtp: {name}", ratio, 0.45, "{:.3f}", kind)


def leanest(table, *names):
    """Of the variants of a peer the one that was measured and needs less CPU."""
    found = [(table.median(name, "cpu"), name) for name in names if table.median(name, "cpu")]
    return min(found)[1] if found else names[0]


def cost(table):
    msmtp = leanest(table, MSMTP_ONE, "msmtp")
    for name in (OURS, WITHOUT):
        yield at_most(f"CPU, share of {msmtp}: {name}", table.ratio(name, msmtp, "cpu"), 1.0, "{:.3f}")
        total = table.median(name, "instructions")
        yield at_most(f"instructions in all, millions: {name}", total, MSMTP_MILLIONS, "{:.2f}")
        front = table.median(name, "instructions sendmail")
        yield at_most(f"instructions of sendmail alone, millions: {name}", front, 3.5, "{:.2f}")
        for program in ("sendmail", "mailbearer-agent"):
            peak = table.worst(name, f"peak {program[:15]}")  # as long as the kernel's name of a process
            yield at_most(f"peak memory of {program}, MiB: {name}", peak, MEMORY_MIB, "{:.2f}")


def large(table):
    for name in (OURS, WITHOUT):
        for peer in ("curl", CURL_ONE):
            for figure, said in (("large cpu", "CPU"), ("large wall", "wall time")):
                ratio = table.ratio(name, peer, figure)
                yield at_most(f"20 MB, {said}, share of {peer}: {name}", ratio, TENTH, "{:.3f}")
        yield at_most(f"20 MB, peak memory, MiB: {name}", table.worst(name, "large peak"), MEMORY_MIB, "{:.2f}")


def many(table):
    for name in (OURS, WITHOUT):
        for peer in ("curl", CURL_ONE):
            ratio = table.ratio(name, peer, "row wall")
            yield at_most(f"{rounds.IN_A_ROW} one after another, share of {peer}: {name}", ratio, TENTH, "{:.3f}")
        ratio = table.ratio(name, "s-nail", "crowd wall")
        yield at_most(f"{rounds.CROWD} at once, share of s-nail: {name}", ratio, TENTH, "{:.3f}")
