"""Combinations: where a rule meets every other, a table is better than a person's patience."""

import itertools
import random

from corpus import Case

HEAD = b"From: Ann <ann@example.org>\nTo: bob@example.org\nSubject: s\n"
ENDS = {"LF": b"\n", "CRLF": b"\r\n"}
DOTS = {
    "dot": b".", "two": b"..", "three": b"...", "dot x": b".x", "two x": b"..x", "dot blank": b". ", "blank dot": b" .",
}


def cases():
    yield from dots()
    yield from ends()
    yield from random_bodies()
    yield from random_headers()


def dots():
    """Facts 3.7: every dot line, first, in the middle and last, with and without -i, in both line ends."""
    for (name, line), (end_name, end), option in itertools.product(DOTS.items(), ENDS.items(), ([], ["-i"], ["-oi"])):
        body = end.join([line, b"l1", line, b"l2", line])
        yield Case(
            f"dots/{name} {end_name} {' '.join(option) or 'no -i'}", [*option, "bob@example.org"],
            HEAD.replace(b"\n", end) + end + body + end,
        )
        yield Case(
            f"dots/{name} last without its end {end_name} {' '.join(option) or 'no -i'}", [*option, "bob@example.org"],
            HEAD.replace(b"\n", end) + end + b"l1" + end + line,
        )


def ends():
    """Dots and line ends at the borders of the blocks in which standard input is read."""
    for size in (4096, 8192, 65536, 131072):
        for shift in (-2, -1, 0, 1):
            head = HEAD + b"\n"
            filler = (b"0123456789abcde\n" * (size // 16 + 1))[: size + shift - len(head) - 2]
            yield Case(f"borders/{size}{shift:+}", ["-i", "bob@example.org"], head + filler + b"\r\n.\r\n..\r\nend\r\n")


def random_bodies(seed=20261120, count=40):
    """Bytes that a strict reader must see as one message and no more (A8); seeded, so that a failure comes again."""
    dice = random.Random(seed)
    pieces = [b"a", b"From ", b".", b"..", b"\n", b"\r\n", b"\n.\n", b"\r\n.\r\n", b" ", b"\t", b"=", b"\xc3\xa9", b"\xff", b"--b", b"\r"]
    for number in range(count):
        body = b"".join(dice.choice(pieces) for _ in range(dice.randrange(1, 400)))
        option = ["-i"] if number % 2 else []
        yield Case(f"random/body {number:02}", [*option, "bob@example.org"], HEAD + b"MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n" + body)


def random_headers(seed=20261121, count=30):
    dice = random.Random(seed)
    words = [b"alpha", b"(comment)", b"beta,", b"\"quoted\"", b"<x@example.org>", b"=?utf-8?q?w=C3=B6rd?=", "wörd".encode(), b"1234567890" * 9, b";", b"a=b"]
    names = [b"X-One", b"Keywords", b"Comments", b"X-Two", b"In-Reply-To", b"User-Agent", b"List-Id"]
    for number in range(count):
        text = b""
        for _ in range(dice.randrange(1, 9)):
            value = b"".join(dice.choice(words) + dice.choice([b" ", b"  ", b"\n ", b"\n\t"]) for _ in range(dice.randrange(1, 12)))
            text += dice.choice(names) + b":" + dice.choice([b" ", b"", b"\t", b"\n "]) + value.rstrip() + b"\n"
        yield Case(f"random/header {number:02}", ["-i", "bob@example.org"], HEAD + text + b"\nbody\n")
