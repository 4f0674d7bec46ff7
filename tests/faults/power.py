"""A power cut, as far as a journal can tell.

What is simulated, from the journal of all children since the last cut: a new
file has the bytes it had at its last fsync; without one, any beginning of them.
A name made, replaced or deleted is so after an fsync of its folder; without
one it may or may not be, each for itself, as POSIX allows; a rename is done
whole or not at all. A folder whose name is lost takes all below with it. What a
killed child did without coming to note it counts as not done.

What is not: sectors torn or swapped within synced bytes, disks that lie about
their caches, and the order that a real file system's journal adds.
"""

import shutil
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tests.faults.hooks import Lab

# Bytes of a file that lay there, the inode of one begun since, or None for a folder.
Entry = bytes | int | None
Change = Callable[[dict[str, Entry]], None]


class PowerCut:
    """Remembers a lab's store as it lies on disk, and takes it back to what a cut leaves."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._noted = len(lab.events())
        self._start = _tree(lab.store)

    def happen(self, rng: np.random.Generator, survival: float) -> int:
        """Lose what was not synced and return how many changes of names were lost.

        Args:
            rng: Decides what survives of it.
            survival: The probability that an unsynced change of a name is on disk all the same.
        """
        disk, unsynced = dict(self._start), defaultdict[str, list[Change]](list)
        synced: dict[int, int] = {}
        for event in self._lab.events()[self._noted :]:
            match event["event"]:
                case "fsync":
                    synced[event["inode"]] = event["size"]
                case "fsync folder":
                    for change in unsynced.pop(event["path"], []):
                        change(disk)
                case _ if "path" in event:
                    unsynced[str(Path(event["path"]).parent)].append(_change(event))
        pending = [change for changes in unsynced.values() for change in changes]
        survives = rng.random(len(pending)) < survival
        for change in (change for change, kept in zip(pending, survives, strict=True) if kept):
            change(disk)
        self._write(disk, synced, rng)
        return int((~survives).sum())

    def _write(self, disk: dict[str, Entry], synced: dict[int, int], rng: np.random.Generator) -> None:
        shutil.rmtree(self._lab.store, ignore_errors=True)
        for name, entry in sorted(disk.items()):
            path = Path(name)
            if not path.parent.is_dir():
                continue
            if entry is None:
                path.mkdir()
            else:
                path.write_bytes(entry if isinstance(entry, bytes) else self._kept(entry, synced, rng))
        shutil.rmtree(self._lab.begun)
        self._noted = len(self._lab.events())
        self._start = _tree(self._lab.store)

    def _kept(self, inode: int, synced: dict[int, int], rng: np.random.Generator) -> bytes:
        data = (self._lab.begun / str(inode)).read_bytes()
        return data[: synced[inode]] if inode in synced else data[: int(rng.integers(0, len(data) + 1))]


def _tree(root: Path) -> dict[str, Entry]:
    found: dict[str, Entry] = {str(root): None} if root.is_dir() else {}
    for path in root.rglob("*"):
        found[str(path)] = None if path.is_dir() else path.read_bytes()
    return found


def _change(event: dict[str, Any]) -> Change:
    kind, path = event["event"], event["path"]

    def change(disk: dict[str, Entry]) -> None:
        match kind:
            case "mkdir":
                disk[path] = None
            case "create" | "link":
                disk[path] = event["inode"]
            case "replace":
                disk.pop(event["source"], None)
                disk[path] = event["inode"]
            case "unlink":
                disk.pop(path, None)

    return change
