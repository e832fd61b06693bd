"""Group load: 64 at once with one token request; 100 MB in little memory, and no file left."""

import hashlib
import os
import subprocess
import threading
import time

import processes

AT_ONCE = 64
LARGE_BYTES = 100 * 1000 * 1000
MEMORY_LIMIT_KIB = 16 * 1024
HEAD = b"From: Ann <ann@example.org>\nTo: bob@example.org\nSubject: load\n\n"


def run(stand, checks):
    checks.group("load")
    at_once(stand, checks)
    large(stand, checks)


def at_once(stand, checks):
    rig = stand.rig
    configuration = stand.configuration(keyring="at-once")
    before, refused = rig.identity.token_requests, rig.identity.refused_requests
    rig.identity.delay_s = 0.5  # long enough for all of them to want it
    try:
        running = []
        for number in range(AT_ONCE):
            process = stand.start(configuration, ["-i", f"user{number}@example.org"], subprocess.PIPE)
            process.stdin.write(HEAD + b"number %d\n" % number)
            process.stdin.close()
            running.append(process)
        faults = []
        for number, process in enumerate(running):
            process.wait(120)
            said = process.stdout.read() + process.stderr.read()
            process.stdout.close()
            process.stderr.close()
            if process.returncode or said:
                faults.append(f"process {number}: exit code {process.returncode}: {said.decode()}")
    finally:
        rig.identity.delay_s = 0.0
    checks.check(f"{AT_ONCE} processes at once: every exit code is 0", faults)
    rig.sink.wait_for(AT_ONCE, 30)
    delivered = sorted(address for one in rig.sink.take_all() for address in one.addresses())
    wanted = sorted(f"user{number}@example.org" for number in range(AT_ONCE))
    checks.check(f"{AT_ONCE} processes at once: {AT_ONCE} delivered", [] if delivered == wanted else [f"{len(delivered)} delivered"])
    requests = rig.identity.token_requests - before, rig.identity.refused_requests - refused
    checks.check("one token request", [] if requests == (1, 0) else [f"{requests[0]} requests, {requests[1]} refused"])


def large(stand, checks):
    line = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/==\n"
    count = LARGE_BYTES // len(line)
    for chunking in ("yes", "no"):
        send_large(stand, checks, line, count, chunking)


def send_large(stand, checks, line, count, chunking):
    process = stand.start(stand.configuration(chunking=chunking), ["-i", "bob@example.org"], subprocess.PIPE)
    writer = threading.Thread(target=write, args=(process, line, count))
    writer.start()
    peaks, files = watch(process)
    writer.join()
    stdout, stderr = process.stdout.read(), process.stderr.read()
    process.stdout.close()
    process.stderr.close()
    name = f"100 MB, chunking = {chunking}"
    checks.check(f"{name}: exit code 0, silent", [] if (process.returncode, stdout, stderr) == (0, b"", b"") else [f"{process.returncode} {stderr!r}"])
    delivery = stand.rig.sink.take("starttls.rig", 60)
    wanted = hashlib.sha256()
    for _ in range(count):
        wanted.update(line[:-1] + b"\r\n")
    body = delivery.message.partition(b"\r\n\r\n")[2] if delivery else b""
    checks.check(f"{name}: byte for byte", hashlib.sha256(body).digest() == wanted.digest())
    told = ", ".join(f"{program} {peak} KiB" for program, peak in sorted(peaks.items()))
    print(f"    {name}: peak memory {told}")
    for program in ("sendmail", "mailbearer-agent"):
        peak = peaks.get(program)
        right = peak is not None and peak <= MEMORY_LIMIT_KIB
        checks.check(f"{name}: {program} needs at most 16 MiB", [] if right else [f"peak {peak} KiB"])
    left = [path for path in files if os.path.exists(path)]
    checks.check(f"{name}: no temporary file left", left)


def write(process, line, count):
    try:
        process.stdin.write(HEAD)
        block = line * 1000
        for _ in range(count // 1000):
            process.stdin.write(block)
        process.stdin.write(line * (count % 1000))
        process.stdin.close()
    except OSError:
        pass


def watch(process):
    """Peak memory by program, and the named files that were open outside the rig's own folders."""
    peaks, files = {}, set()
    while process.poll() is None:
        for pid in [process.pid, *processes.children(process.pid)]:
            name = processes.program(pid)
            peak = processes.status_value(pid, "VmHWM")
            if name and peak:
                peaks[name] = max(peak, peaks.get(name, 0))
            for path in processes.open_files(pid):
                if path.startswith(("/tmp/", "/var/tmp/", "/run/", "/dev/shm/")) and "/mailbearer-rig-" not in path:
                    files.add(path)
        time.sleep(0.02)
    return peaks, {path for path in files if not path.endswith("(deleted)")}
