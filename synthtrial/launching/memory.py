"""How much memory a launch takes: the sum over all its processes, once a second."""

import json
import os
import time
from contextlib import suppress
from pathlib import Path

import psutil

from synthtrial.launching.processes import pss_bytes, role_of

SUPERVISOR = "supervisor"


class MemorySampler:
    """Samples the process tree below this process and keeps the largest sum in a file."""

    def __init__(self, path: Path, interval_seconds: float = 1.0) -> None:
        self._path = path
        self._interval = interval_seconds
        self._next = 0.0
        self.sample_count = 0
        self.total_bytes = 0
        self.peak: dict[str, int] = {}
        self.largest: dict[str, int] = {}

    @property
    def peak_bytes(self) -> int:
        return sum(self.peak.values())

    def sample_when_due(self) -> None:
        """Take a sample unless one was taken less than an interval ago."""
        now = time.monotonic()
        if now >= self._next:
            self._next = now + self._interval
            self.sample()

    def sample(self) -> None:
        """Add up the memory of the tree by role."""
        now: dict[str, int] = {}
        me = psutil.Process()
        for process in (me, *me.children(recursive=True)):
            role = SUPERVISOR if process == me else _role(process)
            now[role] = now.get(role, 0) + pss_bytes(process)
        self.sample_count += 1
        self.total_bytes += sum(now.values())
        self.largest = {role: max(now.get(role, 0), self.largest.get(role, 0)) for role in now | self.largest}
        if sum(now.values()) > self.peak_bytes:
            self.peak = now
        self._write()

    def _write(self) -> None:
        record = {
            "measure": "pss" if Path("/proc/self/smaps_rollup").exists() else "rss",
            "peak_pss_bytes": self.peak_bytes,
            "mean_pss_bytes": self.total_bytes // self.sample_count,
            "sample_count": self.sample_count,
            "every_seconds": self._interval,
            "at_peak": dict(sorted(self.peak.items())),
            "largest": dict(sorted(self.largest.items())),
        }
        self._path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self._path.with_suffix(".tmp")
        temporary.write_text(json.dumps(record, indent=1))
        os.replace(temporary, self._path)


def _role(process: psutil.Process) -> str:
    with suppress(psutil.Error, OSError):
        return role_of(process, process.environ())
    return "other"
