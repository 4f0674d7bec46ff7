"""One launch at a time per project folder."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from services.domain.errors import PreconditionError


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
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise _busy(path, what) from None
        file.truncate(0)
        file.write(json.dumps({"pid": os.getpid()}))
        file.flush()
        yield


def _busy(path: Path, what: str) -> BusyError:
    try:
        pid = int(json.loads(path.read_text())["pid"])
    except (OSError, ValueError, KeyError, TypeError):
        pid = 0  # taken a moment ago and not yet signed
    return BusyError(
        f"{what} runs in this folder already, as process {pid or 'unknown'}; "
        "wait until it ends, or end it with Ctrl-C",
        pid=str(pid),
    )
