"""Processes as the operating system sees them: whose they are, how large, how to end them.

Every process a launch starts, and every one those start, inherits a mark in its
environment. It finds them where the tree of parents no longer does.
"""

import ctypes
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from synthtrial.launching.environment import MARK_VARIABLE, ROLE_VARIABLE

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None

FLOW = "flow"
SERVER = "prefect server"
WORKER = "prefect worker"


@dataclass(frozen=True, slots=True)
class Marked:
    """A process of a launch; the role is a service's name or one of the constants above."""

    process: psutil.Process
    role: str


def die_with_parent() -> None:
    """Ask the kernel to end this process when the thread that started it ends (Linux)."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def adopt_orphans() -> None:
    """Become the parent of descendants whose own parent ends (Linux)."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def marked(mark: str) -> list[Marked]:
    """Return the living processes of a launch."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            environment = process.environ()  # empty for one that ended and waits to be noticed
            if environment.get(MARK_VARIABLE) == mark:
                found.append(Marked(process, role_of(process, environment)))
    return found


def role_of(process: psutil.Process, environment: dict[str, str]) -> str:
    """Return what a process does; the flow is the worker's child that runs Prefect's engine."""
    role = environment.get(ROLE_VARIABLE, "other")
    if role == WORKER and any(part.startswith("prefect.") and "engine" in part for part in process.cmdline()):
        return FLOW
    return role


def listens(pid: int, port: int) -> bool:
    """Say whether a process or one below it listens on a port."""
    with suppress(psutil.Error):
        parent = psutil.Process(pid)
        for process in (parent, *parent.children(recursive=True)):
            with suppress(psutil.Error):
                found = process.net_connections("tcp")
                if any(c.status == psutil.CONN_LISTEN and c.laddr.port == port for c in found):
                    return True
    return False


def tear_down(mark: str, grace_seconds: float) -> None:
    """End everything that bears the mark, in the order that leaves no orphan and no open run.

    The flow goes first: a worker waits for its run, and a run without its server hangs.
    Ends what is left by force when `grace_seconds` have passed for each of the three steps.
    """
    steps: tuple[Callable[[Marked], bool], ...] = (
        lambda found: found.role == FLOW,
        lambda found: found.role != SERVER,
        lambda found: True,
    )
    for step in steps:
        _end(mark, step, "terminate", grace_seconds)
    _end(mark, lambda found: True, "kill", grace_seconds)


def pss_bytes(process: psutil.Process) -> int:
    """Return the proportional set size, or the resident set size where the system has no such thing."""
    with suppress(OSError):
        for line in Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    with suppress(psutil.Error):
        return int(process.memory_info().rss)
    return 0


def _end(mark: str, wanted: Callable[[Marked], bool], how: str, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    told: set[int] = set()
    while alive := [found.process for found in marked(mark) if wanted(found)]:
        for process in alive:
            if process.pid not in told:
                told.add(process.pid)
                with suppress(psutil.Error):
                    getattr(process, how)()
        if time.monotonic() > deadline:
            return
        time.sleep(0.1)
