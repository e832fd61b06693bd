"""The golden invocations of the interface facts, section 7: a row of GOLDEN each, run as the caller runs it.

Rows of section 7 that a whole file of tests holds are named in ELSEWHERE; a test sees that they are there.
"""

import importlib
import os
import socket
import subprocess
import threading

from rig import BODY, run, weight

ME = "me@sandbox.example"
PHP = (f"To: ann@example.org\r\nSubject: php\r\nFrom: {ME}\r\nBcc: hidden@example.org\r\n\r\none\ntwo\n").encode()
CRON = "From: root (Cron Daemon)\nTo: a@example.org,b@example.org\nSubject: Cron <root@vm> job\nContent-Type: text/plain; charset=UTF-8\n\nx\n"
RESENT = (f"Resent-From: {ME}\nResent-To: new@example.org\nResent-Date: Fri, 20 Nov 2026 20:00:00 +0000\n"
          f"Resent-Message-ID: <r@sandbox.example>\nResent-Bcc: quiet@example.org\nFrom: {ME}\nTo: old@example.org\nSubject: s\n\nx\n")


def row(name, argv, text, recipients, sender=ME, body=None, header=(), argv0=None, exit=0, says=None, stdin="pipe", environment=None,
        absent=(), account=""):
    return {"name": name, "argv": argv, "text": text if isinstance(text, bytes) else text.encode(), "recipients": recipients,
            "sender": sender, "body": body, "header": dict(header), "argv0": argv0, "exit": exit, "says": says, "stdin": stdin,
            "environment": environment or {}, "absent": absent, "account": account}


AUTO = "rewrite_from = auto"
GOLDEN = (
    row("1 P1 PHP mail()", ["-t", "-i"], PHP, ["ann@example.org", "hidden@example.org"], body=b"one\r\ntwo\r\n", absent=("Bcc",)),
    row("2 P8 PHPMailer isSendmail", ["-t", "-i", "-oi", f"-f{ME}", "-t"], PHP, ["ann@example.org", "hidden@example.org"], absent=("Bcc",)),
    row("3 P12 Symfony -t mode", [f"-f{ME}", "--", "ann@example.org"], "Subject: s\n\nl1\n..\n...x\n", ["ann@example.org"],
        body=b"l1\r\n.\r\n..x\r\n"),
    row("4 M2 mutt with all its settings", ["-oem", "-oi", "-B8BITMIME", "-f", ME, "-N", "failure,delay", "-R", "hdrs", "--", "ann@example.org"],
        BODY, ["ann@example.org"]),
    row("5 M4 git send-email", ["-f", ME, "-i", "ann@example.org", "bob@example.org"], BODY, ["ann@example.org", "bob@example.org"]),
    row("5 M4 git sendmailCmd with a word that is no address", ["-i", "-v", "x y", "-i", "ann@example.org"], BODY, None, exit=64,
        says="option -i after a recipient"),
    row("5 M4 the same without the late -i", ["-i", "-v", "x y", "ann@example.org"], BODY, None, exit=65, says='bad address "x y"'),
    row("7 M6 Emacs message-resend", ["-oi", "-f", ME, "new@example.org"], RESENT, ["new@example.org"], header={"To": "old@example.org"},
        absent=("Resent-Bcc",)),
    row("8 M8 s-nail with mta-argv0", ["-t", "cy@example.org"], f"From: {ME}\nTo: ann@example.org\nSubject: s\n\nx\n",
        ["ann@example.org", "cy@example.org"], argv0="foo"),
    row("9 M9 mail -- -oQ/tmp x@y", ["-i", "-t"], "To: -oQ/tmp, bob@example.org\nSubject: s\n\nx\n", None, exit=65, says="-oQ/tmp"),
    row("10 S1 Debian cron", ["-FCronDaemon", "-i", "-B8BITMIME", "-oem", "a@example.org,b@example.org"], CRON,
        ["a@example.org", "b@example.org"], account=AUTO, environment={"PATH": "/usr/bin:/bin"}),
    row("11 S2 cronie", ["-FCronDaemon", "-i", "-odi", "-oem", "-oi", "-t", "-f", "root"],
        'From: "(Cron Daemon)" <root>\nTo: ann@example.org\nSubject: s\n\nx\n', ["ann@example.org"], account=AUTO),
    row("12 S3 anacron, a lone dot in the output", ["-FAnacron", "-odi", "ann@example.org"],
        "From: Anacron <root>\nTo: ann@example.org\nSubject: s\n\nbefore\n.\nafter\n", ["ann@example.org"], body=b"before\r\n",
        stdin="file", account=AUTO),
    row("13 S4 at", ["-i", "root"], "Subject: Output from your job\nTo: root\n\nGr\u00fc\u00dfe", ["ops@example.net"], argv0="sendmail",
        stdin="file", account=AUTO),
    row("14 S5 busybox crond", ["-ti"], "To: root\nSubject: cron\n\nx\n.\ny\n", ["ops@example.net"], body=b"x\r\n.\r\ny\r\n", account=AUTO),
    row("15 S7 sudo", ["-t"], "To: root\nFrom: alice\nAuto-Submitted: auto-generated\nSubject: *** SECURITY\n\nx\n", ["ops@example.net"],
        environment={"HOME": "/"}, account=AUTO),
    row("16 S9 CUPS ends with a dot", ["-t"], "To: ann@example.org\nSubject: s\n\nx\n.\n", ["ann@example.org"], body=b"x\r\n"),
    row("17 S13 fail2ban", ["-f", ME, "ann@example.org"], "Subject: [Fail2Ban]\nFrom: Fail2Ban <me@sandbox.example>\nTo: ann@example.org\n\nHi",
        ["ann@example.org"], body=b"Hi\r\n"),
    row("18 F3 maildrop", ["-oi", "-f", "", "ann@example.org"], f"From: {ME}\nSubject: s\n\nx\n", ["ann@example.org"], sender=""),
    row("19 F6 Dovecot", ["-i", "-f", "<>", "--", "ann@example.org"], f"From: {ME}\nSubject: s\n\nx\n", ["ann@example.org"], sender=""),
    row("20 -f<>", ["-f<>", "ann@example.org"], f"From: {ME}\nSubject: s\n\nx\n", ["ann@example.org"], sender=""),
    row("20 -f MAILER-DAEMON is a login name, not the null sender", ["-f", "MAILER-DAEMON", "ann@example.org"], BODY, ["ann@example.org"],
        account=AUTO),
    row("21 F8 RT with VERP", ["-oi", "-ODeliveryMode=b", "-OErrorMode=m", "-t", "-f", "a@elsewhere.example", "-f", ME],
        "To: ann@example.org\nSubject: s\n\nx\n", ["ann@example.org"]),
    row("22 L3 Email::Sender", ["-i", "-f", ME, "--", "ann@example.org"], PHP, ["ann@example.org"], absent=("Bcc",)),
    row("23 L4 Ruby mail with -t", ["-i", "-t", "-f", ME, "--", "ann@example.org", "cy@example.org"], PHP,
        ["ann@example.org", "cy@example.org", "hidden@example.org"], absent=("Bcc",)),
    row("24 L5 nodemailer", ["-i", "-f", ME, "ann@example.org"], PHP, ["ann@example.org"], body=b"one\r\ntwo\r\n", absent=("Bcc",), stdin="socket"),
    row("25 B06 no recipient and no -t", ["-i"], BODY, None, exit=64, says="no recipient given"),
    row("25 B05 -t finds none", ["-t"], BODY, None, exit=65, says="no recipient found"),
    row("25 B13 empty group and Bcc", ["-t"], "To: undisclosed-recipients:;\nBcc: ann@example.org\nSubject: s\n\nx\n", ["ann@example.org"]),
    row("25 B14 group with members", ["-t"], "To: Team: a@example.org, B <b@example.org>;\nSubject: s\n\nx\n", ["a@example.org", "b@example.org"]),
    row("25 B15 Bcc alone", ["-t"], "Bcc: ann@example.org\nSubject: s\n\nx\n", ["ann@example.org"], header={"To": "undisclosed-recipients:;"},
        absent=("Bcc",)),
    row("25 B16 Resent- with -t", ["-t"], RESENT, ["new@example.org", "quiet@example.org"], absent=("Resent-Bcc",)),
    row("25 B17 Resent- without -t", ["x@example.org"], RESENT, ["x@example.org"], absent=("Resent-Bcc",)),
    row("25 B18 folded To", ["-t"], "To: bob@example.org,\n  ann@example.org\nSubject: s\n\nx\n", ["ann@example.org", "bob@example.org"]),
    row("25 B19 Apparently-To says nothing", ["-t"], "Apparently-To: evil@example.org\nTo: ann@example.org\n\nx\n", ["ann@example.org"]),
    row("25 B32 a blank before the colon", ["-t"], "To : ann@example.org\nSubject : s\n\nx\n", ["ann@example.org"], header={"Subject": "s"}),
    row("25 B34 several To lines", ["-t"], "To: ann@example.org\nTo: bob@example.org\nSubject: s\n\nx\n", ["ann@example.org", "bob@example.org"]),
    row("31 success says nothing", ["ann@example.org"], BODY, ["ann@example.org"]),
    row("34 -bm -odq -oeq: delivered all the same", ["-bm", "-odq", "-oeq", "ann@example.org"], BODY, ["ann@example.org"]),
)

ELSEWHERE = {
    "6 the -bs dialogues": ("test_bs", "test_26_symfony_two_messages_a_refusal_between_them_and_noop", "test_26_alpine_with_its_options"),
    "10 M10 descriptors 1 and 2 closed": ("test_process", "test_R01_mailutils_a_second_copy_of_the_pipe_on_3"),
    "26 C01-C11 dots, line ends, NUL": ("test_message", "test_R32_the_dot_rule", "test_R30_line_ends_freely_mixed_become_crlf", "test_nul_bytes"),
    "27 D01-D24 senders": ("test_arguments", "test_R21_the_null_sender_in_all_its_forms", "test_R22_repeated_options_the_last_sender_counts",
                           "test_R24_an_option_behind_a_recipient_is_refused"),
    "28 every row of 3.2": ("test_arguments", "test_R20_every_accepted_option_in_its_forms", "test_R20_refused_options_are_named_and_touch_nothing"),
    "29 and 30 attacks": ("test_attacks", *(f"test_A{number}" for number in (1, 2, 5, 6, 7, 8))),
    "33 header and envelope differ, by Graph": ("test_graph", "test_header_recipients_outside_the_envelope"),
    "34 mailq and newaliases": ("test_process", "test_R08_the_name_we_are_called_by"),
}


def standard_input(kind, text, folder):
    """What the caller gives as standard input, and what closes it."""
    if kind == "file":
        path = folder / "input"
        path.write_bytes(b"not this\n" + text)
        file = open(path, "rb")
        path.unlink()
        os.lseek(file.fileno(), len(b"not this\n"), os.SEEK_SET)
        return file
    ours, theirs = socket.socketpair()

    def feed():
        ours.sendall(text)
        ours.close()

    threading.Thread(target=feed, daemon=True).start()
    return theirs


@weight(6)
def test_the_golden_invocations(case):
    box = case.box("--null-sender")
    people = {}
    wrong = []
    for one in GOLDEN:
        key = one["account"]
        if key not in people:
            people[key] = case.person(box, name=f"p{len(people)}", account=key)
        me, before = people[key], len(box.mails())
        given = None if one["stdin"] == "pipe" else standard_input(one["stdin"], one["text"], case.folder)
        result = run([one["argv0"] or "/usr/sbin/sendmail", *one["argv"]], one["text"], {**me.environment, **one["environment"]},
                     stdin=given, executable=case.program("sendmail"))
        if given is not None:
            given.close()
        wrong += [f"{one['name']}: {fault}" for fault in faults_of(one, result, box.mails()[before:])]
    case.holds(not wrong, "\n".join(wrong))


def faults_of(one, result, mails):
    if result.code != one["exit"] or result.out:
        yield f"{result!r}"
    if one["exit"]:
        if mails:
            yield f"{len(mails)} messages were sent"
        if one["says"] not in result.err or result.err.count("\n") != 1:
            yield f"standard error: {result.err!r}"
        return
    if result.err or len(mails) != 1:
        yield f"{len(mails)} messages, standard error {result.err!r}"
        return
    mail = mails[0]
    if (mail.sender, sorted(mail.recipients)) != (one["sender"], one["recipients"]):
        yield f"envelope {mail.sender!r} to {mail.recipients}"
    if one["body"] is not None and mail.body != one["body"]:
        yield f"body {mail.body!r}"
    for name in ("From", "Date", "Message-ID", "To"):
        if len(mail.fields(name)) < 1:
            yield f"no {name}"
    for name, value in one["header"].items():
        if mail.fields(name) != [value]:
            yield f"{name}: {mail.fields(name)}"
    for name in one["absent"]:
        if mail.fields(name):
            yield f"{name} was left in"
    if b"\r\r" in mail.raw or b"hidden@example.org" in mail.raw:
        yield "bytes that must not be there"


def test_rows_that_other_files_hold_are_there(case):
    for name, (module, *tests) in ELSEWHERE.items():
        there = dir(importlib.import_module(module))
        for test in tests:
            case.holds(any(one == test or one.startswith(test + "_") for one in there), f"{name}: {module}.{test} is missing")


@weight(2)
def test_32_no_failure_breaks_the_writer_s_pipe(case):
    """200 KB on a pipe: the writer gets no EPIPE, the exit code is one of sysexits.h."""
    box = case.box()
    me = case.person(box)
    big = b"To: ann@example.org\nSubject: s\n\n" + b"0123456789abcdef0123456789abcde\n" * 6400
    broken = case.person(config="[mailbearer]\nunknown = 1\n", name="broken")
    for person, words in ((me, ("-y", "a@b.example")), (me, ()), (me, ("-i", "a@@b")), (me, ("-t", "-i", "x y")), (me, ("-bp", "x@y.example")),
                          (me, ("-f", "a@@b", "x@y.example")), (me, ("-X", "f", "x@y.example")), (me, ("-i", "alice")), (me, ("-bd",)),
                          (me, ("-a", "nobody", "x@y.example")), (broken, ("-i", "ann@example.org")), (me, ("-t", "-bv"))):
        result = person.send(*words, text=big)
        case.holds(64 <= result.code <= 78 and result.wrote_all, f"{words}: {result.code}, wrote all: {result.wrote_all}")
        case.same((result.out, result.err.count("\n")), ("", 1), words)
    case.same(box.mails(), [])


def test_34_what_sends_nothing(case):
    me = case.person(config="")
    for words, out in ((("-bi",), ""), (("-I",), ""), (("-bp",), "Mail queue is empty\n"), (("-q",), ""), (("-q30m",), ""), (("-qff",), "")):
        result = me.send(*words, stdin=subprocess.DEVNULL)
        case.same((result.code, result.out, result.err), (0, out, ""), words)
