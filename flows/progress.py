"""How far a study has come, in a file that anybody may read."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from services.storage.files import replace

# Rough seconds per unit on two cores: they weigh the stages in one bar.
TEXT_SECONDS = 0.006
CELL_SECONDS = 0.35
CORPUS_SECONDS = 1.0
TAIL_SECONDS = 25.0

MINIMUM_GAP_SECONDS = 0.5


@dataclass(frozen=True)
class ProgressFile:
    """Where the file of a design lies."""

    path: Path

    @classmethod
    def of(cls, state: Path, design_digest: str) -> "ProgressFile":
        return cls(state / "progress" / f"{design_digest}.json")


class Progress:
    """Counts work in estimated seconds; safe for several threads.

    What is found in the store counts as done before the clock starts, so that
    a rate is never taken over work of an earlier run.
    """

    def __init__(self, file: ProgressFile) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._parts: dict[str, tuple[float, float]] = {}
        self._found = 0.0
        self._started = time.time()
        self._written = 0.0
        self._activity = "starting"

    def expect(self, part: str, seconds: float, found: float = 0.0) -> None:
        """Announce a part of the work, and how much of it was found done."""
        with self._lock:
            self._parts[part] = (found, max(seconds, found))
            self._found += found
            self._write(force=True)

    def advance(self, part: str, seconds: float, activity: str, *, found: bool = False) -> None:
        """Say how much of a part is done in all; `found` if the store had what is new."""
        with self._lock:
            before, total = self._parts.get(part, (0.0, seconds))
            now = min(max(seconds, before), total)
            self._found += now - before if found else 0.0
            self._parts[part] = (now, total)
            self._activity = activity
            self._write(force=False)

    def finish(self, part: str, activity: str, *, found: bool = False) -> None:
        """Say that a part is done; `found` if the store had it."""
        with self._lock:
            done, total = self._parts.get(part, (0.0, 0.0))
            self._found += total - done if found else 0.0
            self._parts[part] = (total, total)
            self._activity = activity
            self._write(force=True)

    def _write(self, force: bool) -> None:
        now = time.time()
        if not force and now - self._written < MINIMUM_GAP_SECONDS:
            return
        self._written = now
        record = {
            "done": sum(done for done, _ in self._parts.values()),
            "total": sum(total for _, total in self._parts.values()),
            "activity": self._activity,
            "started_done": self._found,
            "started_time": self._started,
        }
        replace(self._file.path, json.dumps(record).encode())


class CellProgress:
    """Cells that several batches train at once, as one part of the work.

    Args:
        progress: Of the study.
        total: Cells of the study.
    """

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress, self._total = progress, total
        self._lock = threading.Lock()
        self._found = 0
        self._trained: dict[str, int] = {}

    def found(self, count: int) -> None:
        """Announce all cells, and how many of them the store had."""
        self._found = count
        self._progress.expect("train", self._total * CELL_SECONDS, count * CELL_SECONDS)

    def trained(self, batch: str, count: int) -> None:
        """Say how many cells a batch has trained in all."""
        with self._lock:
            self._trained[batch] = count
            new = sum(self._trained.values())
        done = min(self._found + new, self._total)
        self._progress.advance("train", done * CELL_SECONDS, f"training, {done:,} of {self._total:,} cells")


class Timings(dict[str, float]):
    """Wall seconds by stage; those of a stage's parallel parts add up."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()

    @contextmanager
    def of(self, stage: str) -> Iterator[None]:
        """Add the time that a block takes."""
        started = time.monotonic()
        try:
            yield
        finally:
            with self._lock:
                self[stage] = self.get(stage, 0.0) + time.monotonic() - started
