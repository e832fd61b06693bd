"""Pairs of an envelope and a header, made up: by Graph each goes to the envelope, or to nobody.

MAILBEARER_PAIRS says how many (default 100); MAILBEARER_SEED another beginning.
"""

import email.utils
import os
import random

from rig import weight

LOCALS = ("ann", "Bob", "c.d", "e+tag", "o'hara", '"a b"', '"x,y"', "zoe")
DOMAINS = ("example.org", "Example.ORG", "lists.example.net", "a.example")
NAMES = ("", "Ann Lee", '"Lee, Ann"', "Zoë", "=?utf-8?Q?Gr=C3=BC=C3=9Fe?=", '"a@b.example"', "J. Q.")


def key(address):
    """One mailbox as another spelling of it: the domain without its case, the local part without needless quotes."""
    local, _, domain = address.rpartition("@")
    if local.startswith('"') and local.endswith('"'):
        local = local[1:-1]
    return local, domain.lower()


def address(dice):
    return dice.choice(LOCALS) + "@" + dice.choice(DOMAINS)


def written(dice, one):
    name = dice.choice(NAMES)
    text = f"{name} <{one}>" if name else dice.choice((one, f"<{one}>"))
    return text + dice.choice(("", "", " (comment, with a comma)", " (a@b.example)"))


def field(dice, name, addresses):
    if not addresses:
        return f"{name}: undisclosed-recipients:;\n"
    items = [written(dice, one) for one in addresses]
    if dice.random() < 0.2:
        return f"{name}: Friends: " + ", ".join(items) + ";\n"
    return f"{name}: " + dice.choice((", ", ",\n  ")).join(items) + "\n"


def header(dice, envelope):
    """A header that names some of the envelope, and at times others."""
    pool = list(envelope) + ([address(dice)] if dice.random() < 0.4 else [])
    some = lambda: dice.sample(pool, dice.randint(0, len(pool)))
    text = field(dice, "To", some()) if dice.random() < 0.9 else ""
    if dice.random() < 0.5:
        text += field(dice, "Cc", some())
    if dice.random() < 0.3:
        text += field(dice, "Bcc", some())
    if dice.random() < 0.2:
        text += "Resent-From: me@sandbox.example\n" + field(dice, "Resent-To", list(envelope))
    return text


@weight(6)
def test_made_up_pairs_go_to_the_envelope_or_to_nobody(case):
    count, seed = int(os.environ.get("MAILBEARER_PAIRS", "100")), os.environ.get("MAILBEARER_SEED", "1")
    dice = random.Random(seed)
    box = case.box()
    people = {word: case.person(box, name=word, account=box.graph(extra=f"envelope = {word}")) for word in ("strict", "rewrite")}
    for number in range(count):
        envelope = list({key(one): one for one in (address(dice) for _ in range(dice.randint(1, 5)))}.values())
        text = header(dice, envelope) + f"Subject: {number}\nMIME-Version: 1.0\n\nx\n"
        word = dice.choice(("strict", "rewrite"))
        before = len(box.mails())
        result = people[word].send("-i", *envelope, text=text)
        what = f"seed {seed}, pair {number}, {word}: {envelope}\n{text}{result!r}"
        after = box.mails()
        if result.code != 0:
            case.holds(result.code in (65, 77), what)
            case.same(len(after), before, what)
            continue
        case.same(len(after), before + 1, what)
        mail = after[-1]
        case.same(sorted(key(one) for one in mail.recipients), sorted(key(one) for one in envelope), what)
        # By another reader of addresses than ours.
        shown = email.utils.getaddresses(mail.fields("To") + mail.fields("Cc"))
        strays = {key(one) for _, one in shown if "@" in one} - {key(one) for one in envelope}
        case.same(strays, set(), what)
        case.same(mail.fields("Bcc"), [], what)
    case.holds(len(box.mails()) > count // 3, "most were refused")
