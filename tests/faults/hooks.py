"""What a child process patches into itself: a journal of what it asks of the disk, and a point to die at.

Production code has no hooks. The journal is one file of JSON lines for all
children of a lab; an operation and its line are under one lock, so the order of
lines is the order of operations. A hard link to every file that is begun lets a
power cut bring back what was deleted or replaced since.
"""

import builtins
import fcntl
import json
import os
import signal
import stat
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from services.classifier import training
from services.domain.digest import spec_digest
from services.storage import files
from services.storage.keys import KeyStore

# Before and after everything that a store asks of the disk, and around keys and plans.
POINTS = (
    "create",
    "begun",
    "half written",
    "written",
    "fsync",
    "fsynced",
    "link",
    "linked",
    "unlink",
    "unlinked",
    "replace",
    "replaced",
    "mkdir",
    "made",
    "fsync folder",
    "folder fsynced",
    "publish key",
    "key published",
    "begin plan",
    "plan trained",
)


@dataclass(frozen=True)
class Lab:
    """A store, the journal of its children, and links to all files they began."""

    folder: Path

    @property
    def store(self) -> Path:
        return self.folder / "store"

    @property
    def journal(self) -> Path:
        return self.folder / "journal.jsonl"

    @property
    def begun(self) -> Path:
        return self.folder / "begun"

    def events(self, kind: str = "") -> list[dict[str, Any]]:
        """Return the journal's lines, or those of one kind."""
        lines = self.journal.read_text().splitlines() if self.journal.exists() else []
        return [event for line in lines if (event := json.loads(line))["event"] == kind or not kind]


@dataclass(frozen=True)
class Fault:
    """Kill the process group when a point is reached for the `count`-th time; "" never."""

    point: str = ""
    count: int = 1
    syncs: bool = True


class Hooks:
    """The patches of one process."""

    def __init__(self, lab: Lab, fault: Fault) -> None:
        self._lab, self._fault = lab, fault
        self._lock = threading.Lock()
        self._reached: Counter[str] = Counter()
        self._lines = os.open(lab.journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        # A descriptor of its own for each process, or the lock would be shared.
        self._turn = os.open(lab.folder / "turn", os.O_WRONLY | os.O_CREAT)
        lab.begun.mkdir(exist_ok=True)
        self._link, self._fsync = os.link, os.fsync

    def install(self) -> None:
        """Patch `os`, the store's `open`, keys and plans, until this process ends."""
        for name, after in (("unlink", "unlinked"), ("mkdir", "made")):
            self._patch_one(name, after)
        for name, after in (("link", "linked"), ("replace", "replaced")):
            self._patch_two(name, after)
        os.fsync = self._synced  # type: ignore[assignment]
        files.open = self._opened  # type: ignore[attr-defined]
        self._patch_keys()
        self._patch_plans()

    def reach(self, point: str) -> None:
        """Die here, if this is the point."""
        with self._lock:
            self._reached[point] += 1
            if (point, self._reached[point]) == (self._fault.point, self._fault.count):
                os.killpg(0, signal.SIGKILL)
                time.sleep(60)

    def note(self, event: str, **values: Any) -> None:
        """Add a line to the journal."""
        os.write(self._lines, json.dumps({"event": event, **values}).encode() + b"\n")

    @contextmanager
    def _in_turn(self) -> Iterator[None]:
        with self._lock:
            fcntl.flock(self._turn, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.flock(self._turn, fcntl.LOCK_UN)

    def _ours(self, path: Any) -> bool:
        return str(path).startswith(str(self._lab.store))

    def _patch_one(self, name: str, after: str) -> None:
        original: Any = getattr(os, name)

        def patched(path: Any, *rest: Any, **named: Any) -> None:
            if not self._ours(path):
                original(path, *rest, **named)
                return
            self.reach(name)
            with self._in_turn():
                original(path, *rest, **named)
                self.note(name, path=str(path))
            self.reach(after)

        setattr(os, name, patched)

    def _patch_two(self, name: str, after: str) -> None:
        original: Any = getattr(os, name)

        def patched(source: Any, target: Any) -> None:
            self.reach(name)
            with self._in_turn():
                inode = os.stat(source).st_ino
                original(source, target)
                self.note(name, source=str(source), path=str(target), inode=inode, pid=os.getpid())
            self.reach(after)

        setattr(os, name, patched)

    def _synced(self, descriptor: int) -> None:
        status = os.fstat(descriptor)
        folder = " folder" if stat.S_ISDIR(status.st_mode) else ""
        self.reach(f"fsync{folder}")
        with self._in_turn():
            if self._fault.syncs:
                self._fsync(descriptor)
                path = os.readlink(f"/proc/self/fd/{descriptor}")
                self.note(f"fsync{folder}", path=path, inode=status.st_ino, size=status.st_size)
        self.reach("folder fsynced" if folder else "fsynced")

    def _opened(self, path: Path, mode: str) -> Any:
        self.reach("create")
        with self._in_turn():
            file = builtins.open(path, mode)  # noqa: SIM115 - the store closes it
            inode = os.fstat(file.fileno()).st_ino
            self._link(path, self._lab.begun / str(inode))
            self.note("create", path=str(path), inode=inode)
        self.reach("begun")
        return _Halved(file, self)

    def _patch_keys(self) -> None:
        original: Any = KeyStore.publish

        def publish(keys: KeyStore, specification: Any, answer: dict[str, Any]) -> dict[str, Any]:
            self.reach("publish key")
            stands: dict[str, Any] = original(keys, specification, answer)
            self.note("stored", key=str(keys.path(spec_digest(specification))), sha256=stands.get("sha256"))
            self.reach("key published")
            return stands

        KeyStore.publish = publish  # type: ignore[assignment, method-assign]

    def _patch_plans(self) -> None:
        original: Any = training._train_plan

        def train_plan(run: training.Run, prepared: Any, i: int) -> None:
            self.reach("begin plan")
            self.computing(run.finished(i), run.keys[i])
            original(run, prepared, i)
            self.reach("plan trained")

        training._train_plan = train_plan

    def computing(self, stored: bool, specification: Any) -> None:
        """Note that something is computed, and whether the store had it."""
        self.note("again" if stored else "computed", key=spec_digest(specification))


class _Halved:
    """A file that is written in two halves."""

    def __init__(self, file: Any, hooks: Hooks) -> None:
        self._file, self._hooks = file, hooks

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def write(self, data: bytes) -> None:
        self._file.write(data[: len(data) // 2])
        self._file.flush()
        self._hooks.reach("half written")
        self._file.write(data[len(data) // 2 :])
        self._file.flush()
        self._hooks.reach("written")

    def flush(self) -> None:
        self._file.flush()

    def fileno(self) -> int:
        return int(self._file.fileno())
