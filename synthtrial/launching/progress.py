"""One line that says how far a study is and how long it will take."""

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

REFRESH_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Progressed:
    """What the flow last said: work done and in all, and how much of it this run found done.

    Work is in the flow's own unit. `started_time` is in seconds since the epoch.
    """

    done: float
    total: float
    activity: str
    started_done: float
    started_time: float

    def remaining_seconds(self, now: float) -> float | None:
        """Return the time left at the rate of this run's own work; None before there is any."""
        finished = self.done - self.started_done
        if self.done >= self.total:
            return 0.0
        if finished <= 0 or now <= self.started_time:
            return None
        return (self.total - self.done) * (now - self.started_time) / finished


def read_newest(folder: Path, since: float) -> Progressed | None:
    """Return the progress file written last, if it was written after `since` (seconds since the epoch)."""
    written = [(path.stat().st_mtime, path) for path in folder.glob("*.json")]
    recent = [entry for entry in written if entry[0] >= since]
    if not recent:
        return None
    try:
        return _parse(json.loads(max(recent)[1].read_text()))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def as_duration(seconds: float) -> str:
    """Return a duration as people say it: `45 s`, `3 min 05 s`, `2 h 10 min`."""
    whole = int(seconds + 0.5)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


class Display(Protocol):
    """Shows progress until it is closed; `say` is for what has to stay readable."""

    def show(self, progress: Progressed | None, now: float) -> None: ...

    def doing(self, line: str) -> None: ...

    def say(self, line: str) -> None: ...

    def refresh(self) -> None: ...

    def close(self) -> None: ...


def display(stream: TextIO | None = None) -> Display:
    """Return a bar for a terminal, or lines for a file."""
    target = stream or sys.stdout
    return Bar(Console(file=target)) if target.isatty() else Lines(target)


class Bar:
    """One bar that is redrawn in place."""

    def __init__(self, console: Console) -> None:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}"),
        )
        self._next = 0.0
        # Redrawn by us: a thread of its own and forks do not mix.
        self._progress = Progress(*columns, console=console, auto_refresh=False)
        self._task = self._progress.add_task("starting", total=None, left="")
        self._progress.start()

    def show(self, progress: Progressed | None, now: float) -> None:
        if progress is not None:
            self._progress.update(
                self._task,
                description=progress.activity,
                total=progress.total,
                completed=progress.done,
                left=_left(progress, now),
            )

    def doing(self, line: str) -> None:
        self._progress.update(self._task, description=line)
        self._progress.refresh()

    def refresh(self) -> None:
        now = time.monotonic()
        if now >= self._next:
            self._next = now + REFRESH_SECONDS
            self._progress.refresh()

    def say(self, line: str) -> None:
        self._progress.console.print(line, highlight=False)

    def close(self) -> None:
        self._progress.stop()


class Lines:
    """One line for each tenth, for logs."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._tenth = -1

    def show(self, progress: Progressed | None, now: float) -> None:
        if progress is None or progress.total <= 0:
            return
        tenth = int(10 * progress.done / progress.total)
        if tenth > self._tenth:
            self._tenth = tenth
            self.say(", ".join(filter(None, (f"{10 * tenth} %: {progress.activity}", _left(progress, now)))))

    def doing(self, line: str) -> None:
        self.say(line)

    def say(self, line: str) -> None:
        print(line, file=self._stream, flush=True)

    def refresh(self) -> None:
        pass

    def close(self) -> None:
        pass


def _left(progress: Progressed, now: float) -> str:
    seconds = progress.remaining_seconds(now)
    return "" if not seconds else f"about {as_duration(seconds)} left"


def _parse(value: dict[str, Any]) -> Progressed:
    return Progressed(
        float(value["done"]),
        float(value["total"]),
        str(value["activity"]),
        float(value["started_done"]),
        float(value["started_time"]),
    )
