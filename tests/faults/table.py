"""The table: which fault, at which stage, and what must come of it. Read from facts/reliability-security.md 3.3 (P1 to
P14) and the results of the design (section 2), not from what the program happens to do.

    69  not sent, nothing kept, try again        65 67 77 78  for a person       76  no SMTP
    69  "outcome unknown, may have been delivered" once the end of the message has left and no verdict came
"""

import table_dialogue as dialogue
import table_trust as trust


def everything(make):
    """Every Case of the table; `make` are the Certificates."""
    cases = [*dialogue.p1(), *dialogue.p2(), *dialogue.p3(), *dialogue.p4(), *dialogue.p5(), *dialogue.p6(), *dialogue.p7(),
             *dialogue.p8(), *trust.p9(make), *trust.p10(), *trust.p11(), *trust.p12(), *trust.p13(), *trust.p14()]
    names = [case.name for case in cases]
    twice = {name for name in names if names.count(name) > 1} if len(set(names)) != len(names) else set()
    if twice:
        raise ValueError(f"twice in the table: {sorted(twice)[:5]}")
    return cases
