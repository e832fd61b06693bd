"""What a delivery may cost and load, and what it opens: memory, instructions, libraries, files (not for sanitized builds)."""

import hashlib
import os
import re
import subprocess

from rig import BODY, plain_build_only, weight
from watch import PeakMemory, opened_files

MEBIBYTE = 1024


@plain_build_only
@weight(20)
def test_100_megabytes_cost_no_more_memory(case):
    box = case.box()
    me = case.person(box)
    line = b"A line of a very large message, seventy-six octets long, as MIME has them..\n"
    message = case.folder / "message"
    digest = hashlib.sha256()
    with open(message, "wb") as file:
        file.write(b"Subject: large\nTo: ann@example.org\n\n")
        block = line * 8192
        for _ in range(100 * 1024 * 1024 // len(block) + 1):
            file.write(block)
            digest.update(block.replace(b"\n", b"\r\n"))
    with open(message, "rb") as text:
        process = subprocess.Popen([case.program("sendmail"), "-i", "ann@example.org"], env=me.environment, stdin=text,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        watch = PeakMemory(process.pid)
        code = process.wait(60)
    peaks = watch.stop()
    case.same((code, process.stdout.read(), process.stderr.read()), (0, b"", b""))
    message.unlink()
    for program in ("sendmail", "mailbearer-agent"):
        case.holds(0 < peaks.get(program, 0) <= 16 * MEBIBYTE, f"{program}: {peaks} KiB, limit {16 * MEBIBYTE}")
    case.holds(watch.temporary, "no unlinked temporary file was seen: the message lay in memory")
    case.holds(all("#" in path or "/mailbearer-" in path or "memfd" in path for path in watch.temporary), repr(watch.temporary))
    case.holds(not [name for folder in ("/tmp", "/var/tmp") for name in os.listdir(folder)
                    if re.fullmatch(r"mailbearer-[0-9a-f]{32}", name)], "a temporary file was left")
    (path,) = (box.folder / "Maildir" / "new").iterdir()
    got = hashlib.sha256()
    with open(path, "rb") as file:
        while file.readline() not in (b"\r\n", b""):
            pass
        while piece := file.read(1 << 20):
            got.update(piece)
    case.same(got.hexdigest(), digest.hexdigest(), "the body as it arrived")


def needed(path):
    text = subprocess.run(["readelf", "-d", path], check=True, capture_output=True, text=True).stdout
    return set(re.findall(r"\(NEEDED\).*\[(.*?)\]", text))


def loaded(path):
    text = subprocess.run(["ldd", path], check=True, capture_output=True, text=True).stdout
    return set(re.findall(r"^\s*(\S+?\.so\S*)", text, re.M))


@plain_build_only
def test_what_the_programs_link(case):
    heavy = ("libssl", "libcrypto", "libcurl", "libsecret", "libglib", "libgmime", "libgio", "libinih", "libidn2")
    for library in loaded(case.program("sendmail")):
        case.holds(not library.startswith(heavy), f"sendmail loads {library}")
    case.holds(needed(case.program("sendmail")) <= {"libc.so.6", "libm.so.6", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"},
               repr(needed(case.program("sendmail"))))
    for library in loaded(case.program("mailbearer-agent")):
        late = ("libcurl", "libsecret", "libglib", "libgmime", "libgio", "libidn2", "libunistring")
        case.holds(not library.startswith(late), f"the agent loads {library}")
    for program in ("sendmail", "mailbearer-agent", "mailbearer-helper", "mailbearer", "mailbearer-sandbox"):
        mode = os.stat(case.program(program)).st_mode
        case.same(mode & 0o6000, 0, f"{program} has a setuid or setgid bit")


def instructions(*argv):
    said = subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *argv], check=True, env={},
                          executable="/usr/bin/valgrind", capture_output=True, text=True).stderr
    return int(re.search(r"Collected\s*:\s*(\d+)", said).group(1))


@plain_build_only
@weight(6)
def test_what_starting_costs(case):
    source = case.folder / "empty.cpp"
    source.write_text("int main() {}\n")
    for name, flags in (("plain", []), ("with_runtime", ["-Wl,--no-as-needed", "-lstdc++"])):
        subprocess.run(["g++", "-O2", "-o", case.folder / name, source, *flags], check=True, env={"PATH": "/usr/bin:/bin"})
    empty = instructions(case.folder / "plain")
    runtime = instructions(case.folder / "with_runtime")
    front = instructions(case.program("sendmail"), "--version")
    agent = instructions(case.program("mailbearer-agent"), "--version")
    text = f"sendmail {front} ({front / empty:.2f} x {empty}), agent {agent} ({agent / runtime:.2f} x {runtime}, {agent / empty:.2f} x empty)"
    case.holds(front <= 2 * empty, text)
    case.holds(agent <= 5 * runtime, text)


# What one delivery may open, beside what the test itself names.
READ = re.compile(
    r"/(lib|usr/lib)(64)?/.*\.so[.0-9]*|/etc/ld\.so\.(cache|preload)|/etc/(passwd|group|nsswitch\.conf|resolv\.conf|hosts|host\.conf|gai\.conf|"
    r"localtime|mailname|services|protocols|ssl/openssl\.cnf|ssl/certs(/.*)?)|/usr/lib/ssl/.*|/usr/share/zoneinfo/.*|"
    r"/proc/(self|\d+|sys)(/.*)?|/proc/(filesystems|mounts)|/etc/selinux/config|/dev/(null|urandom|random)|/sys/devices/system/cpu/.*|/usr/lib/locale/.*|/run/systemd/.*|/var/run/nscd/.*|"
    r"/run/user/\d+/mailbearer(/.*)?|/(usr/)?share/(locale|idn).*|/usr/lib/x86_64-linux-gnu/gconv/.*|/sys/fs/cgroup/.*|/sys/kernel/mm/.*")


@plain_build_only
@weight(6)
def test_strace_of_a_whole_delivery(case):
    box = case.box()
    me = case.person(box)
    for name, text in (("small", BODY), ("large", BODY + "A line of a longer message.\n" * 5000)):
        me.forget_access_tokens()
        trace_file = case.folder / f"{name}.strace"
        process = subprocess.run(
            ["strace", "-f", "-v", "-s", "8192", "-o", trace_file, "-e", "trace=%file,%process,connect,socket,write,sendto", case.program("sendmail"),
             "-i", "ann@example.org"], env=me.environment, input=text.encode(), capture_output=True, timeout=60, check=False)
        case.same((process.returncode, process.stdout, process.stderr), (0, b"", b""), name)
        check_trace(case, box, me, trace_file.read_text("utf-8", "replace"))
    case.same(len(box.mails()), 2)


def check_trace(case, box, me, trace):
    execs = [line for line in trace.splitlines() if "execve(" in line]
    programs = [re.search(r'execve\("([^"]*)"', line).group(1) for line in execs]
    case.same([os.path.basename(path) for path in programs], ["sendmail", "mailbearer-agent", "mailbearer-helper"])
    for line in execs:
        for secret in box.secrets():
            case.holds(secret not in line, "a secret in an argument or a variable")
        case.holds("eyJ" not in line, "something like a token in an argument or a variable")
    own = re.compile("|".join(re.escape(str(path)) for path in (me.config, box.ca_file, me.folder / "aliases", case.programs))
                     + r"(/.*)?|.*/etc/providers\.conf|/usr/(local/)?share/mailbearer/providers\.conf")
    keyring = re.compile(re.escape(str(me.keyring)) + r"(/.*|\.key|\.seen(\.[0-9a-f]+\.tmp)?)?")
    temporary = re.compile(r"/var/tmp|/tmp")
    seen = opened_files(trace)
    case.holds(len(seen) > 20, "the trace was not understood")
    for path, flags, descriptor in seen:
        path = os.path.normpath(path)
        if re.search("O_WRONLY|O_RDWR|O_CREAT", flags):
            scratch = temporary.fullmatch(path) and "O_TMPFILE" in flags
            case.holds(keyring.fullmatch(path) or scratch or path == "/dev/null", f"opened for writing: {path} {flags}")
        elif descriptor >= 0:
            allowed = READ.fullmatch(path) or own.fullmatch(path) or keyring.fullmatch(path) or path in ("/", ".")
            case.holds(allowed, f"opened: {path} {flags}")
    for line in trace.splitlines():
        found = re.search(r'connect\(\d+, \{sa_family=AF_INET6?, .*?sin6?_port=htons\((\d+)\).*?"([^"]*)"', line)
        if found:
            port = int(found.group(1))
            case.holds(port in (box.smtp_port, box.facts["http"]["port"]), f"connected elsewhere: {line}")
        # Beyond the sealed socket pair and TLS nothing carries a secret: no plain write to a file or terminal.
        if re.search(r" write\((1|2), ", line):
            case.holds("eyJ" not in line, line)
