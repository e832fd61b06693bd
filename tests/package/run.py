#!/usr/bin/env python3
"""Makes the Debian packages twice, judges them, and lives through them in a fresh Debian.

    python3 tests/package/run.py [--packages FOLDER] [--keep]

--packages takes packages that are made already (and leaves out the second build). Needs root and apt's mirror.
Prints a line a check, and at the end "N passed, N failed".
"""

import argparse
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import time

here = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(here))
sys.dont_write_bytecode = True

import judge  # noqa: E402
import life  # noqa: E402
from fresh_root import FreshRoot  # noqa: E402


class Checks:
    def __init__(self):
        self.passed = self.failed = 0

    def run(self, name, function, *arguments):
        started = time.monotonic()
        problem = None
        try:
            function(*arguments)
        except Exception as error:  # one check must not hide the others
            problem = f"{type(error).__name__}: {error}"
        self.passed += problem is None
        self.failed += problem is not None
        print(f"{'ok  ' if problem is None else 'FAIL'} {name} ({time.monotonic() - started:.1f} s)", flush=True)
        if problem:
            print("     " + problem.replace("\n", "\n     "), flush=True)
        return problem is None


def build(folder, settings, *source):
    folder.parent.mkdir(parents=True, exist_ok=True)
    log = pathlib.Path(str(folder) + ".log")
    with open(log, "wb") as out:
        done = subprocess.run(["sh", str(here / "build.sh"), str(folder), *map(str, source)], stdout=out, stderr=out,
                              env=dict(os.environ, DEB_BUILD_OPTIONS="nocheck", **settings))
    if done.returncode != 0:
        raise AssertionError(log.read_text(errors="replace")[-4000:])


def sums(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest()
            for pattern in ("*.deb", "*.tar.xz", "*.dsc") for path in sorted(folder.glob(pattern))}


def same_bytes(first, second):
    build(second, {"TZ": "Pacific/Kiritimati", "LC_ALL": "C", "HOME": "/nonexistent"}, *first.glob("*.dsc"))
    one, two = sums(first), sums(second)
    if one != two or len(one) < 5:
        raise AssertionError("\n".join(f"{name}: {one.get(name)} / {two.get(name)}" for name in sorted(one | two)))
    for name, digest in one.items():
        print(f"     {digest[:16]} {name}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--packages", type=pathlib.Path)
    parser.add_argument("--keep", action="store_true", help="leave the folder of the run")
    options = parser.parse_args()
    if os.getuid() != 0:
        sys.exit("run.py: chroot and mounts need root")
    if os.environ.get("MAILBEARER_PACKAGE_MOUNTS") is None:
        os.environ["MAILBEARER_PACKAGE_MOUNTS"] = "private"
        os.execvp("unshare", ["unshare", "--mount", "--propagation", "private", sys.executable, *sys.argv])
    folder = pathlib.Path(tempfile.mkdtemp(prefix="mailbearer-package."))
    folder.chmod(0o755)
    checks = Checks()
    root = FreshRoot(folder / "root")
    trouble = []

    def bootstrap():
        try:
            root.make()
        except Exception as error:
            trouble.append(error)

    try:
        beside = threading.Thread(target=bootstrap)  # waits for the network while the compiler works
        beside.start()
        packages = options.packages or folder / "packages"
        made = options.packages is not None or checks.run("the packages are made", build, packages, {})
        if made:
            judge.run(checks, packages)
            if options.packages is None:
                checks.run("made twice, the same bytes", same_bytes, packages, folder / "once-more" / "in-another-folder")
        beside.join()
        if trouble:
            checks.run("a fresh Debian", lambda: (_ for _ in ()).throw(trouble[0]))
        elif made:
            life.run(checks, packages, root)
    finally:
        if options.keep:
            print("kept:", folder)
        else:
            subprocess.run(["umount", "--recursive", "--quiet", *[str(root.path / name) for name in ("proc", "dev", "run")]],
                           stderr=subprocess.DEVNULL)
            if not os.path.ismount(root.path / "dev"):
                shutil.rmtree(folder, ignore_errors=True)
    print(f"{checks.passed} passed, {checks.failed} failed")
    return 1 if checks.failed else 0


if __name__ == "__main__":
    sys.exit(main())
