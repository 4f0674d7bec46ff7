"""One launch at a time per project folder."""

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from services.domain.errors import PreconditionError

# Somebody may only be looking who holds the lock.
PATIENCE_SECONDS = 1.0
PAUSE_SECONDS = 0.02


class BusyError(PreconditionError):
    """Another process holds the lock; `.pid` is its id, 0 where that is unknown."""

    reason = "BUSY"

    @property
    def pid(self) -> int:
        return int(self.metadata.get("pid", "0"))


@contextmanager
def exclusive(path: Path, what: str) -> Iterator[None]:
    """Hold a lock that the kernel releases when this process ends, however it ends.

    Raises:
        BusyError: Somebody holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a+", encoding="utf-8") as file:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not _locked(file, fcntl.LOCK_EX):
            if time.monotonic() > deadline:
                raise _busy(path, what)
            time.sleep(PAUSE_SECONDS)
        file.truncate(0)
        file.write(json.dumps({"pid": os.getpid()}))
        file.flush()
        yield


def holder(path: Path) -> int | None:
    """Return the id of the process that holds a lock, 0 where that is unknown, None if nobody does."""
    try:
        with open(path, encoding="utf-8") as file:
            return None if _locked(file, fcntl.LOCK_SH) else _signed(path)
    except FileNotFoundError:
        return None


def _locked(file: TextIO, kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _signed(path: Path) -> int:
    try:
        return int(json.loads(path.read_text())["pid"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0  # taken a moment ago


def _busy(path: Path, what: str) -> BusyError:
    pid = _signed(path)
    return BusyError(
        f"{what} runs in this folder already, as process {pid or 'unknown'}; "
        "wait until it ends, or end it with Ctrl-C",
        pid=str(pid),
    )
