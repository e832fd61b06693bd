"""`mailbearer explain` as a person calls it."""

import json
import os
import subprocess

SEND_AS = "550 5.7.60 SMTP; Client does not have permissions to send as this sender"


def someone(case):
    """Whose configuration is faulty: explain reads none."""
    return case.person(name="someone", config="[mailbearer]\nno such key = 1\n")


def test_the_words_may_stand_apart_or_together_or_come_on_standard_input(case):
    me = someone(case)
    calls = [me.call("mailbearer", "explain", SEND_AS), me.call("mailbearer", "explain", *SEND_AS.split()),
             me.call("mailbearer", "explain", "-", data=SEND_AS.encode() + b"\r\n")]
    for result in calls:
        case.same((result.code, result.err), (0, ""), repr(result))
        case.same(result.out, calls[0].out)
    for part in ("USER may not send as SENDER", "waits for a person", "exit      77", "grant Send As", "row       5xx 5.7.60"):
        case.holds(part in calls[0].out, f"no {part} in {calls[0].out}")


def test_json_is_json(case):
    me = someone(case)
    told = json.loads(me.call("mailbearer", "explain", "--json", "599 odd").out)
    case.same((told["known"], told["exit"], told["stages"][0]), (False, 67, "rcpt"))
    case.holds(len(told["elsewhere"]) > 3, repr(told))
    told = json.loads(me.call("mailbearer", "explain", "--json", "--stage", "end", "599 odd").out)
    case.same((told["known"], told["exit"], told["elsewhere"]), (False, 65, []))


def test_a_reply_of_several_lines_and_a_line_of_ours(case):
    me = someone(case)
    lines = b"<<< 550-5.1.1 first\r\n<<< 550 5.1.1 last\r\n"
    case.matches(me.call("mailbearer", "explain", "-", data=lines).out, r"^550 5\.1\.1 first last\n.*exit      67\n")
    line = f'sendmail: not sent (work): x may not send as y; grant Send As [server: "{SEND_AS}"]'
    case.matches(me.call("mailbearer", "explain", line).out, r"^550 5\.7\.60 SMTP; .*exit      77\n")
    line = "sendmail: not sent (work): sign-in expired (AADSTS700082, unused for 90 days); run: mailbearer login work"
    case.matches(me.call("mailbearer", "explain", line).out, r"cure      run: mailbearer login work\n")


def test_what_cannot_be_explained(case):
    me = someone(case)
    for arguments, data, code, words in (
            (("nothing of the kind",), b"", 65, "no reply of a server in this; "),
            (("-",), b"", 65, "no reply of a server in this; "),
            (("-",), b"550 5.1.1 x" + b"x" * 70000, 65, "standard input is longer than 64 KiB; "),
            ((), b"", 64, "explain: words are missing; usage: mailbearer explain REPLY"),
            (("--stage", "rctp", "550 x"), b"", 64, "unknown stage `rctp`; did you mean rcpt?")):
        result = me.call("mailbearer", "explain", *arguments, data=data)
        case.same((result.code, result.out), (code, ""), repr(result))
        case.holds(result.err.startswith("mailbearer: " + words) and result.err.count("\n") == 1, repr(result))
    closed = me.call("mailbearer", "explain", "-", stdin=subprocess.DEVNULL, preexec=lambda: os.close(0))
    case.same((closed.code, closed.out), (74, ""), repr(closed))


def test_A7_nothing_of_a_hostile_reply_reaches_the_terminal(case):
    me = someone(case)
    hostile = b"550 5.1.1 \x1b[31mred\x07\xff \xc2\x9b \xe2\x80\xae{account}$(id)`id`" + b"x" * 50000
    for arguments in (("-",), ("--json", "-")):
        result = me.call("mailbearer", "explain", *arguments, data=hostile)
        case.same((result.code, result.err), (0, ""))
        case.holds(len(result.out) < 3000, f"{len(result.out)} bytes")
        case.holds(not any(ord(c) < 32 and c != "\n" for c in result.out), repr(result.out))
        case.holds("\u202e" not in result.out and "\x9b" not in result.out, repr(result.out))
        case.holds("{account}$(id)`id`" in result.out, repr(result.out))
