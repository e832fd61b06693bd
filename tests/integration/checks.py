"""Counts what passed and what failed, by group, and says it in lines that a person can act on."""

import sys
import threading
import time


class Checks:
    def __init__(self):
        self.passed = self.failed = 0
        self._lock = threading.Lock()
        self._group = None

    def group(self, name):
        self._close()
        self._group, self._start = name, time.monotonic()
        self._passed = self._failed = 0
        self._excluded = {}

    def _close(self):
        if self._group is None:
            return
        for why, count in sorted(self._excluded.items()):
            print(f"    not sent: {count} ({why})")
        print(f"{self._group}: {self._passed} passed, {self._failed} failed ({time.monotonic() - self._start:.0f} s)")
        sys.stdout.flush()
        self._group = None

    def exclude(self, why):
        with self._lock:
            self._excluded[why] = self._excluded.get(why, 0) + 1

    def check(self, name, faults):
        """`faults`: a list of what is wrong, or a condition that must hold."""
        if isinstance(faults, bool):
            faults = [] if faults else ["does not hold"]
        with self._lock:
            if faults:
                self._failed += 1
                self.failed += 1
                print(f"  FAILED {self._group}: {name}")
                for fault in faults[:6]:
                    print(f"         {fault[:600]}")
                sys.stdout.flush()
            else:
                self._passed += 1
                self.passed += 1

    def finish(self):
        self._close()
        print(f"{self.passed} passed, {self.failed} failed")
        return 1 if self.failed or not self.passed else 0
