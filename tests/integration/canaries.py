"""Looks for credentials where none may be: files, what programs said, and the argv and environment of every process of
ours, which a thread reads while they run (each process for as long as it lives: what is set once stays readable).

    with Canaries(programs) as canaries:
        ... run things; canaries.heard(name, bytes)
    canaries.faults(secrets, folders, apart_from)
"""

import base64
import pathlib
import threading


class Canaries:
    def __init__(self, programs):
        self._programs = str(pathlib.Path(programs).resolve()) + "/"
        self._seen, self._lock = {}, threading.Lock()
        self.processes = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()

    def heard(self, where, data):
        with self._lock:
            self._seen.setdefault(where, set()).add(data)

    def _watch(self):
        while not self._stop.wait(0.01):
            for entry in pathlib.Path("/proc").iterdir():
                if entry.name.isdigit():
                    self._look_at(entry)

    def _look_at(self, entry):
        try:
            program = str((entry / "exe").readlink())
            if not program.startswith(self._programs):
                return
            for part in ("cmdline", "environ"):
                self.heard(f"{part} of {program.removeprefix(self._programs)}", (entry / part).read_bytes())
            self.processes.add(program.removeprefix(self._programs))
        except OSError:
            pass

    def faults(self, secrets, folders, apart_from=()):
        shapes = [(secret, shape) for secret in secrets for shape in shapes_of(secret)]
        found = []
        for where, data in self._everything(folders, [pathlib.Path(path) for path in apart_from]):
            found += [f"{where} holds {secret[:6]}..." for secret, shape in shapes if shape in data]
        return found

    def _everything(self, folders, apart_from):
        for where, pieces in self._seen.items():
            yield where, b"\0".join(pieces)
        for folder in folders:
            for path in pathlib.Path(folder).rglob("*"):
                if path.is_symlink() or not path.is_file() or any(one in (path, *path.parents) for one in apart_from):
                    continue
                try:
                    yield str(path), path.read_bytes()
                except OSError:
                    continue  # gone meanwhile


def shapes_of(secret):
    """The credential itself, and what of it stands in base64 wherever it begins (AUTH XOAUTH2)."""
    yield secret.encode()
    for before in range(3):
        whole = base64.b64encode(b"x" * before + secret.encode())
        yield whole[4 if before else 0:-4]
