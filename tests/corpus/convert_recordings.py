#!/usr/bin/env python3
"""Made recorded/*.case out of the project's recordings of real callers. Kept for the record; not needed to test.

    python3 convert_recordings.py FOLDER-OF-LOGS

A recording tells argv, environment and descriptors of one real program that called a stub, and the bytes of
its standard input, escaped. A case is one line of JSON (argv0, argv, mode) and then these bytes as they were.
"""

import json
import pathlib
import re
import sys

ESCAPE = re.compile(rb"\\(?:x([0-9a-f]{2})|(.))", re.DOTALL)
SIMPLE = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"\\": b"\\", b"0": b"\0"}


def unescape(text):
    def one(match):
        if match.group(1):
            return bytes([int(match.group(1), 16)])
        return SIMPLE[match.group(2)]

    return ESCAPE.sub(one, text)


def convert(log):
    arguments = [
        unescape(text).decode("utf-8", "surrogateescape")
        for text in re.findall(rb"^ARGV\[\d+\] <(.*)>$", log, re.M)
    ]
    case = {"argv0": arguments[0], "argv": arguments[1:]}
    stdin = re.search(rb"^STDIN-BEGIN\n(.*?)^STDIN-END bytes=(\d+)", log, re.M | re.DOTALL)
    dialogue = re.search(rb"^SMTP-BEGIN\n(.*?)^SMTP-END", log, re.M | re.DOTALL)
    if stdin:
        data = unescape(stdin.group(1).replace(b"\n", b""))
        if len(data) != int(stdin.group(2)):
            raise SystemExit(f"{arguments}: {len(data)} bytes, the recording says {stdin.group(2).decode()}")
    else:
        # -bs: the client's side of the dialogue.
        lines = re.findall(rb"^C: (.*)$", dialogue.group(1), re.M)
        data = b"".join(unescape(line) for line in lines)
        case["mode"] = "smtp"
    return case, data


def main(folder):
    target = pathlib.Path(__file__).parent / "recorded"
    target.mkdir(exist_ok=True)
    for path in sorted(pathlib.Path(folder).glob("*.log")):
        case, data = convert(path.read_bytes())
        (target / (path.stem + ".case")).write_bytes(json.dumps(case).encode() + b"\n" + data)


if __name__ == "__main__":
    main(sys.argv[1])
