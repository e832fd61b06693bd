"""The 16 attack rows of the interface facts, section 4: a test each, named after its row.

In all of them: no file read or written for the attacker, no recipient and no header field more than the caller meant.
"""

import os
import pathlib
import re
import resource
import signal
import stat
import subprocess
import time

from host import close_descriptors
from rig import BODY, plain_build_only, run, weight

WITH_TO = "To: ann@example.org\nSubject: hello\n\nHow are you?\n"
EVIL = "evil@example.org"


def untouched(case, folder):
    case.same(sorted(path.name for path in folder.iterdir()), [], "a file was made")


def opened(log):
    """The paths that a traced program opened or asked for with success."""
    found = set()
    for line in log.read_text("utf-8", "replace").splitlines():
        hit = re.search(r'open(?:at)?\((?:AT_FDCWD, )?"([^"]*)"[^)]*\)\s*= (\d+)', line)
        if hit:
            found.add(hit.group(1))
    return found


@weight(3)
def test_A1_argument_injection_through_the_sender(case):
    """PHPMailer before 5.2.18 and 5.2.20, SwiftMailer, zend-mail, Roundcube: the fifth parameter becomes options."""
    box = case.box()
    me = case.person(box)
    inside = case.folder / "inside"
    inside.mkdir()
    shell = inside / "shell.php"
    payloads = (
        # CVE-2016-10033 and CVE-2016-10045, as PHP hands them on.
        ("-t", "-i", "-fattacker", f"-oQ{inside}", f"-X{shell}", "some@email.com"),
        ("-t", "-i", '-fa\\', f'-oQ{inside}"', f"-X{shell}"),
        ("-t", "-i", "-f", "a@b.example", f"-X{shell}"), ("-t", "-i", f"-OQueueDirectory={inside}", f"-X{shell}"),
        ("-t", "-i", "-be", "${run{/bin/touch " + str(shell) + "}}"), ("-t", "-be", "${readfile{/etc/passwd}}"),
        ("-t", "-bf", "/etc/passwd"), ("-t", f"-D{shell}"), ("-t", "-D", str(shell)), ("-t", f"-C{shell}"),
        ("-t", "-M", "rm"), ("-t", f"-X{shell}", "-bv"), ("-t", "-bs", f"-X{shell}"), ("-t", "-bd"), ("-t", "-bt"),
    )
    for words in payloads:
        result = me.send(*words, text=WITH_TO, cwd=inside)
        case.same(result.code, 65 if "-fa\\" in words else 64, repr(result))
        untouched(case, inside)
    case.same(box.count("smtp.connect"), 0)
    # Options that name a file and are borne for their age are not acted on.
    for words in ((f"-oQ{inside}",), (f"-oA{shell}",), (f"-oX{shell}",), (f"-OQueueDirectory={inside}",), ("-O", f"LogFile={shell}"),
                  (f"-oT{shell}",), (f"-L{shell}",), (f"-d{shell}",)):
        me.send("-t", "-i", *words, text=WITH_TO, cwd=inside).succeeded()
        untouched(case, inside)
    for mail in box.mails():
        case.same(mail.recipients, ["ann@example.org"])


@plain_build_only  # the leak checker does not run under strace
def test_A2_a_configuration_of_the_attacker_s_choice(case):
    box = case.box()
    me = case.person(box)
    log = case.folder / "trace"
    for words in (("-C/etc/shadow",), ("-C", "/etc/shadow"), ("-iC/etc/shadow",), ("-ti", "-C", "/etc/shadow")):
        result = run(["strace", "-f", "-o", str(log), "-e", "trace=open,openat", case.program("sendmail"), *words, "ann@example.org"],
                     BODY.encode(), me.environment)
        case.same(result.code, 64, repr(result))
        case.holds("root:" not in result.err and "$" not in result.err, result.err)
        case.holds("/etc/shadow" not in opened(log), "the file was opened")
    # What $MAILBEARER_CONFIG names is not quoted where it is no configuration.
    secret = case.folder / "secret"
    secret.write_text("hunter2 = correct horse\n")
    secret.chmod(0o600)
    result = me.send("-i", "ann@example.org", environment={"MAILBEARER_CONFIG": str(secret)})
    case.same(result.code, 78, repr(result))
    case.holds("horse" not in result.err, result.err)
    case.same(box.count("smtp.connect"), 0)


def test_A3_a_recipient_that_begins_with_a_hyphen(case):
    """CVE-2020-7769 (nodemailer): git, nodemailer, Trac, Gitea and fail2ban say no --."""
    box = case.box()
    me = case.person(box)
    inside = case.folder / "inside"
    inside.mkdir()
    for words in (("-i", "-bob@example.org"), ("-i", f"-X{inside}/x"), ("-i", "-f", "me@sandbox.example", f"-X{inside}/x"),
                  ("-i", "ann@example.org", f"-X{inside}/x"), ("-i", "ann@example.org", "-oQ/tmp"), ("-i", "-be")):
        result = me.send(*words, cwd=inside)
        case.same(result.code, 64, repr(result))
    untouched(case, inside)
    # An option that is borne leaves no recipient, and is none.
    me.send("-i", "-oQ/tmp").failed(64, "not sent: no recipient given; .*")
    case.same(box.count("smtp.connect"), 0)


def test_A4_a_leading_hyphen_inside_the_header(case):
    box = case.box()
    me = case.person(box, main="local_mail_to = ops@example.net")
    inside = case.folder / "inside"
    inside.mkdir()
    me.send("-i", "-t", text="To: -oQ/tmp@example.org, -X/x, bob@example.org\nSubject: s\n\nx\n", cwd=inside)
    for mail in box.mails():
        case.same(set(mail.recipients) <= {"-oQ/tmp@example.org", "ops@example.net", "bob@example.org"}, True, mail.recipients)
    untouched(case, inside)
    # No word of an address is an argument of a program of ours.
    log = case.folder / "trace"
    run(["strace", "-f", "-s", "4000", "-o", str(log), "-e", "trace=execve", case.program("sendmail"), "-t"],
        b"To: -oQfile@example.org\nSubject: s\n\nx\n", me.environment)
    calls = [line for line in log.read_text().splitlines() if "execve(" in line][1:]
    case.holds(calls, "no agent was started")
    case.holds(not any("-oQfile" in line for line in calls), calls)


@weight(2)
def test_A5_commands_of_SMTP_in_an_address(case):
    box = case.box()
    me = case.person(box)
    for inserted in ("\r\nRCPT TO:<evil@example.org>", "\nRCPT TO:<evil@example.org>", "\r\nDATA\r\nx\r\n.\r\n", "\x00", "\x7f", "\x1b[2J",
                     "> SIZE=1\r\nRCPT TO:<evil@example.org"):
        if "\x00" in inserted:
            continue  # no argument can hold it; the header below can
        address = "bob@example.org" + inserted
        for words in (("-i", address), ("-i", f"-f{address}", "ann@example.org"), ("-i", "-r", address, "ann@example.org")):
            result = me.send(*words)
            case.same(result.code, 65, repr(result))
            case.holds(result.err.isprintable() or result.err[:-1].isprintable(), repr(result))
        for words in (("-i", "-V", "id" + inserted), ("-i", "-N", "never" + inserted), ("-i", "-R", "hdrs" + inserted),
                      ("-i", "-a", "work" + inserted)):
            if all(c >= " " and c != "\x7f" for c in inserted):
                continue
            result = me.send(*words, "ann@example.org")
            case.same(result.code, 64, repr(result))
    result = me.send("-t", text=b"To: bob@example.org\x00evil@example.org\nSubject: s\n\nx\n")
    case.same(result.code, 65, repr(result))
    case.same(box.count("smtp.connect"), 0)
    # Through -bs: CR inside a line, and what follows LF, is never a second command of the upstream.
    result = me.send("-bs", text="HELO x\r\nMAIL FROM:<me@sandbox.example>\r\nRCPT TO:<ann@example.org\rRCPT TO:<evil@example.org>\r\nQUIT\r\n")
    case.matches(result.out, r"\r\n553 ")
    case.same(box.count("smtp.connect"), 0)


def test_A6_header_injection_through_names(case):
    box = case.box()
    me = case.person(box)
    for name in ("a\nX-Inj: y", "a\r\nBcc: evil@example.org", "a\rX-Inj: y", '"\r\n\r\nbody', "a\x00b"[:1] + "\x0bX-Inj: y", "=?utf-8?q?a=0AX-Inj:_y?="):
        me.send("-i", "-F", name, "ann@example.org").succeeded()
        mail = box.mails()[-1]
        case.same(mail.recipients, ["ann@example.org"])
        case.same((mail.fields("X-Inj"), mail.fields("Bcc"), len(mail.fields("From"))), ([], [], 1), repr(name))
        case.same(mail.body, b"How are you?\r\n", repr(name))
    # NAME of the environment and a GECOS of the user database are no way in either.
    me.send("-i", "ann@example.org", environment={"NAME": "a\nX-Inj: y"}).succeeded()
    case.same(box.mails()[-1].fields("X-Inj"), [])


def test_A7_header_injection_by_a_bare_CR(case):
    box = case.box()
    me = case.person(box)
    for text in (b"To: ann@example.org\rBcc: evil@example.org\nSubject: s\n\nx\n", b"To: ann@example.org\r\rBcc: evil@example.org\n\nx\n"):
        result = me.send("-t", "-i", text=text)
        case.same(result.code, 65, repr(result))
    me.send("-i", "ann@example.org", text=b"To: ann@example.org\nSubject: s\rBcc: evil@example.org\rX-Inj: y\n\nx\n").succeeded()
    mail = box.mail()
    case.same((mail.recipients, mail.fields("Bcc"), mail.fields("X-Inj")), (["ann@example.org"], [], []))
    case.holds(not re.search(rb"\r(?!\n)", mail.raw), "a bare CR left")


@weight(2)
def test_A8_smuggling_of_a_second_message(case):
    """CVE-2023-51764 to -51766: over SMTP by DATA, by BDAT and by -bs, one message leaves."""
    evil = b"MAIL FROM:<me@sandbox.example>\r\nRCPT TO:<evil@example.org>\r\nDATA\r\nSubject: smuggled\r\n\r\nx\r\n"
    ends = (b"\n.\n", b"\n.\r\n", b"\r.\r", b"\r\n.\r", b"\r.\r\n", b"\r\n.\n", b"\r\r\n.\r\r\n", b"\r\n\x00.\r\n", b"\r\n.\x00\r\n")
    body = b"Subject: s\r\n\r\nbegin" + b"".join(end + evil for end in ends)
    for chunking in ("no", "yes"):
        box = case.box(*(["--chunking"] if chunking == "yes" else []))
        me = case.person(box, name="by-" + chunking, account=f"chunking = {chunking}")
        me.send("-i", "ann@example.org", text=body).succeeded()
        case.same((len(box.mails()), box.count("smtp.mail"), box.mail().recipients), (1, 1, ["ann@example.org"]))
        case.holds(not re.search(rb"(?<!\r)\n|\r(?!\n)", box.mail().raw), "a bare CR or LF left")
    box = case.box()
    me = case.person(box, name="by-bs")
    talk = b"HELO x\r\nMAIL FROM:<me@sandbox.example>\r\nRCPT TO:<ann@example.org>\r\nDATA\r\n"
    result = me.send("-bs", text=talk + body + b"\r\n.\r\nQUIT\r\n")
    case.same((result.code, result.err), (0, ""), repr(result))
    case.same((len(box.mails()), box.mail().recipients), (1, ["ann@example.org"]))


def test_A9_the_null_sender_stays_null_or_is_marked(case):
    box = case.box("--null-sender")
    me = case.person(box)
    text = "From: me@sandbox.example\nSubject: away\n\nx\n"
    for words in (("-f", ""), ("-f<>",), ("-f", "<>")):
        me.send("-i", *words, "ann@example.org", text=text).succeeded()
        case.same(box.mails()[-1].sender, "", words)
    for words in (("-f", "<<>>"), ("-f", "<>@host"), ("-f", "<@host>")):
        case.same(me.send("-i", *words, "ann@example.org", text=text).code, 65, words)
    other = case.box()
    him = case.person(other, name="other", account="null_sender = user")
    him.send("-i", "-f", "<>", "ann@example.org", text=text).succeeded()
    mail = other.mail()
    case.same((mail.sender, mail.field("Auto-Submitted")), ("me@sandbox.example", "auto-replied"))


def test_A10_special_addresses_run_and_read_nothing(case):
    """CVE-2019-10149 (Exim), CVE-2020-7247 (OpenSMTPD)."""
    box = case.box()
    me = case.person(box, main="local_mail_to = ops@example.net")
    inside = case.folder / "inside"
    inside.mkdir()
    mark = inside / "mark"
    for special in (f"|touch {mark}", f"|/bin/touch {mark}", f'"|touch {mark}"', "/etc/passwd", str(mark), ":include:/etc/passwd",
                    f":include:{mark}"):
        for how in (lambda: me.send("-i", special, cwd=inside), lambda: me.send("-t", text=f"To: {special}\nSubject: s\n\nx\n", cwd=inside)):
            result = how()
            case.holds(result.code in (65, 67), repr(result))
            untouched(case, inside)
    case.same(box.mails(), [])
    # These are addresses to us: not a shell, not a template engine sees them.
    for local in ("${run{touch$IFS" + "x}}", "`touch`", "$(touch)", "a;touch"):
        result = me.send("-i", f"{local}@example.org", cwd=inside)
        case.holds(result.code in (0, 65), repr(result))
        untouched(case, inside)
    me.send("-i", "-f", ";touch$IFS'x'@example.org", "ann@example.org", cwd=inside)
    untouched(case, inside)


def test_A11_the_environment_is_not_believed(case):
    """CVE-2016-1531 (Exim): what the caller passes through names no library, key log, proxy or home."""
    box = case.box()
    me = case.person(box)
    keys = case.folder / "keys.log"
    evil = case.folder / "evil"
    (evil / ".config" / "mailbearer").mkdir(parents=True)
    (evil / ".config" / "mailbearer" / "mailbearer.conf").write_text("[mailbearer]\nunknown = 1\n")
    me.send("-i", "ann@example.org", environment={
        "SSLKEYLOGFILE": str(keys), "OPENSSL_CONF": str(evil / "none"), "HOME": str(evil), "XDG_CONFIG_HOME": str(evil / ".config"),
        "https_proxy": "http://127.0.0.1:1", "ALL_PROXY": "http://127.0.0.1:1", "SSL_CERT_FILE": "/dev/null", "PATH": str(evil),
        "CURL_CA_BUNDLE": "/dev/null", "SSL_CERT_DIR": "/nowhere", "IFS": "/", "ENV": str(evil), "NAME": "x"}).succeeded()
    case.holds(not keys.exists(), "TLS keys were written down")
    case.same(len(box.mails()), 1)


def test_A12_closed_descriptors_many_descriptors_limits_and_umask(case):
    box = case.box()
    me = case.person(box)
    result = me.send("-i", "ann@example.org", preexec=close_descriptors((1, 2)))
    case.same(result.code, 0, repr(result))

    def enter():
        os.umask(0)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
        for number in range(3, 60):
            os.dup2(1, number)

    before = time.time() - 5
    me.forget_access_tokens()
    me.send("-i", "ann@example.org", preexec=enter).succeeded()
    case.same(len(box.mails()), 2)
    for path in [me.keyring, *me.keyring.rglob("*")]:
        if path.stat().st_mtime >= before:
            case.same(stat.S_IMODE(path.stat().st_mode) & 0o077, 0, f"{path} is open to others")


@weight(3)
def test_A13_parsers_are_bounded(case):
    """CVE-2002-1337, CVE-2003-0161 (Sendmail): comments, quotes, lengths and numbers without end."""
    box = case.box()
    me = case.person(box)
    for evil in ("(" * 60_000, "(" * 30_000 + ")" * 30_000 + "a@b.example", '"' * 60_001, "<" * 60_000, "a" * 100_000 + "@b.example",
                 "a@" + "b." * 40_000 + "c", "\\" * 60_000, "@a," * 20_000 + ":b@c", "a:" * 30_000, ";" * 60_000, "\x80\xff" * 20_000,
                 "=?" * 30_000):
        started = time.monotonic()
        for result in (me.send("-i", evil), me.send("-t", text=f"To: {evil}\nSubject: s\n\nx\n"),
                       me.send("-i", "-f", evil, "ann@example.org")):
            case.holds(result.code in (0, 64, 65, 67, 69, 77), f"exit {result.code}: {result.err[:200]!r}")
            case.holds(len(result.err) < 2000, "a message that cannot be read")
        case.holds(time.monotonic() - started < 20, f"{evil[:10]!r}: {time.monotonic() - started:.1f} s")
    many = ", ".join(f"r{number}@example.org" for number in range(100_001))
    result = me.send("-t", text=f"To: {many}\nSubject: s\n\nx\n")
    case.holds(result.code in (65, 69), f"exit {result.code}: {result.err[:200]!r}")


def test_A14_spoofing_is_held_to_what_the_account_may_use(case):
    box = case.box()
    me = case.person(box)
    me.send("-i", "-f", "boss@elsewhere.example", "ann@example.org").failed(77, "not sent.*boss@elsewhere.example.*")
    me.send("-i", "ann@example.org", text="From: Boss <boss@elsewhere.example>\nSubject: s\n\nx\n").failed(77, "not sent.*")
    case.same(box.mails(), [])
    site = case.person(box, name="site", account="rewrite_from = auto")
    site.send("-i", "-f", "boss@elsewhere.example", "ann@example.org",
              text='From: "boss@elsewhere.example" <boss@elsewhere.example>\nSubject: s\n\nx\n').succeeded()
    mail = box.mail()
    case.same(mail.sender, "me@sandbox.example")
    case.holds("boss" not in mail.field("From"), mail.field("From"))


def test_A15_what_is_shown_holds_no_secret(case):
    box = case.box()
    me = case.person(box)
    secrets = box.secrets()
    text = "To: ann@example.org\nBcc: secret@example.org\nSubject: s\n\nx\n"
    result = me.send("-v", "-d", "-t", "-i", text=text)
    case.same(result.code, 0, repr(result))
    case.matches(result.out, r"(?m)AUTH XOAUTH2")
    tokens = [path.read_bytes() for path in me.keyring.rglob("*") if path.is_file()]
    case.holds(tokens, "nothing in the keyring")
    for secret in secrets:
        case.holds(secret not in result.out + result.err, "a secret is shown")
    case.holds(not re.search(r"[A-Za-z0-9+/=_-]{200}", result.out), "something like a token is shown")
    case.holds(b"secret@example.org" not in box.mail().raw, "Bcc leaked")
    # The endpoint's own words are cleaned and cut.
    me.forget_access_tokens()
    box.token_fault(status=400, body='{"error":"invalid_grant","error_description":"\\u001b[2Jx\\r\\ny ' + secrets[0] + '"}')
    result = me.send("-i", "ann@example.org")
    case.holds(result.code in (69, 78), repr(result))
    case.holds(result.err[:-1].isprintable() and len(result.err) < 2000, repr(result))


@weight(2)
def test_A16_a_writer_that_keeps_the_pipe_open_and_a_huge_input(case):
    box = case.box()
    me = case.person(box)
    process = me.start("-i", "ann@example.org")
    process.stdin.write(b"Subject: slow\n\n")
    process.stdin.flush()
    time.sleep(1)
    case.same(process.poll(), None, "it waits")
    case.same(box.count("smtp.connect"), 0, "nothing of the provider is held meanwhile")
    process.stdin.write(b"end\n")
    process.stdin.close()
    case.same(process.wait(20), 0)
    # Over the limit: refused, drained, no spool left.
    big = case.person(box, name="small", account="max_size = 1000000")
    result = big.send("-i", "ann@example.org", text=BODY + "x" * 70 + "\n" + "0123456789abcdef" * 200_000)
    case.same((result.code, result.wrote_all), (65, True), repr(result)[:300])
    case.same(len(box.mails()), 1)
