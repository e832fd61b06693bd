"""Runs one client once or often, by measure.cpp, and says what it cost. Every run is settled: delivered once,
unchanged. Instructions by valgrind, system calls by strace, each over all processes of a client."""

import dataclasses
import json
import os
import pathlib
import re
import subprocess

import flights
import wire

PATIENCE_S = 180
VALGRIND = ["valgrind", "--tool=callgrind", "--trace-children=yes", "--callgrind-out-file=/dev/null"]


class Failed(Exception):
    pass


@dataclasses.dataclass
class Run:
    wall_ms: float
    all_ms: float
    cpu_ms: float
    processes: list  # of measure.cpp

    def peaks(self):
        """Largest peak by program, in KiB."""
        found = {}
        for process in self.processes:
            found[process["name"]] = max(process["peak_kib"], found.get(process["name"], 0))
        return found


class Meter:
    def __init__(self, tools, folder, link, post):
        self.tools = pathlib.Path(tools).resolve()
        self.folder = pathlib.Path(folder)
        self.link = link
        self.post = post
        self.port = 0

    def run(self, client, host=wire.NEAR, count=1, at_once=False, lines=None, prefix=()):
        first = self.post.write(count, crlf=client.crlf, **({"lines": lines} if lines else {}))
        said = self.folder / "said"
        said.unlink(missing_ok=True)
        command = [self.tools / "measure", "--count", count, "--first", first, "--input", self.post.pattern()]
        command += ["--output", said]
        if at_once:
            command += ["--at-once"]
        if host == wire.FAR:
            command += ["--namespace", self.link.space]
        command += ["--", *prefix, *client.command(host)]
        done = subprocess.run(
            [str(word) for word in command], stdin=subprocess.DEVNULL, capture_output=True, text=True,
            env=client.environment(host), timeout=PATIENCE_S, cwd="/",
        )
        if done.returncode:
            self.post.forget()
            raise Failed(f"{client.name}: {done.stderr.strip()}")
        told = json.loads(done.stdout)
        if told["failed"]:
            self.post.forget()
            raise Failed(f"{client.name}: status {told['status']}: {said.read_text(errors='replace')[-400:].strip()}")
        faults = self.post.settle()
        if faults:
            raise Failed(f"{client.name}: {'; '.join(faults[:3])}")
        cpu = sum(process["cpu_us"] for process in told["processes"])
        return Run(told["wall_us"] / 1000, told["all_us"] / 1000, cpu / 1000, told["processes"])

    def flights(self, client, one_way_us):
        """The connections of one message over the link."""
        self.link.delay(one_way_us)
        self.link.clear()
        run = self.run(client, wire.FAR)
        found = flights.connections(self.link.capture(), one_way_us * 1000, self.port)
        if not found:
            raise Failed(f"{client.name}: nothing on the link")
        return run, found

    def instructions(self, client):
        """Instructions of all processes of one message, in millions: {program: sum}."""
        log = self.folder / "valgrind"
        for path in self.folder.glob("valgrind.*"):
            path.unlink()
        self.run(client, prefix=[*VALGRIND, f"--log-file={log}.%p"])
        found = {}
        for path in sorted(self.folder.glob("valgrind.*")):
            text = path.read_text(errors="replace")
            counted = re.findall(r"Collected : (\d+)", text)
            named = re.findall(r"Command: (\S+)", text)
            if counted and named:
                name = os.path.basename(named[-1])[:15]  # as long as the kernel's name of a process
                found[name] = found.get(name, 0) + int(counted[-1]) / 1e6
        return found

    def system_calls(self, client):
        """How many, and how many of them failed."""
        table = self.folder / "strace"
        self.run(client, prefix=["strace", "-f", "-c", "-o", table])
        total = table.read_text().strip().splitlines()[-1].split()
        return int(total[3]), int(total[4]) if len(total) == 6 else 0
