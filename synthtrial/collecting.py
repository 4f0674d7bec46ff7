"""Which stored objects nothing leads to any more."""

import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from services.domain.errors import PreconditionError
from services.storage.store import Store

# A study at work stores an object before the key that leads to it.
SPARED_SECONDS = 24 * 3600.0
_SHA256 = re.compile(rb"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")


@dataclass(frozen=True, slots=True)
class Garbage:
    """Files to delete and what they take, beside what stays."""

    files: tuple[Path, ...]
    bytes: int
    kept_count: int


def find_garbage(store: Store, results: Path, spared_seconds: float = SPARED_SECONDS) -> Garbage:
    """Return the objects that no key, run, index or results table leads to, over any number of steps.

    Whatever looks like an object's name inside something reached keeps that object.
    Objects younger than `spared_seconds` stay.

    Raises:
        PreconditionError: There is no store.
    """
    folder = store.root / "objects"
    if not folder.is_dir():
        raise PreconditionError(
            f"{store.root} holds no store: change to the project's folder or set SYNTHTRIAL_STORE"
        )
    objects = {path.name: path for path in folder.glob("??/*") if _SHA256.fullmatch(path.name.encode())}
    reached = _reached(objects, _roots(store.root, results))
    oldest = time.time() - spared_seconds
    loose = [path for name, path in objects.items() if name not in reached]
    loose += folder.glob("??/.tmp.*")
    # Where fine-tuning stood when somebody killed it, and nobody went on.
    loose += (store.root / "standings").glob("*")
    found = sorted((path, state) for path in loose if (state := _state(path)) and state.st_mtime < oldest)
    return Garbage(tuple(path for path, _ in found), sum(state.st_size for _, state in found), len(reached))


def delete(garbage: Garbage) -> None:
    """Delete what was found."""
    for path in garbage.files:
        path.unlink(missing_ok=True)


def _state(path: Path) -> os.stat_result | None:
    """Return None for a file that a study at work has just renamed or deleted."""
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def _roots(store: Path, results: Path) -> Iterator[bytes]:
    for folder in store.iterdir():
        for path in folder.rglob("*.json") if folder.name != "objects" else ():
            yield path.read_bytes()
    for path in results.glob("*/*.json"):
        yield path.read_bytes()
    for path in results.glob("*/predictions.parquet"):
        yield from _column(path, "predictions_sha256")


def _column(path: Path, name: str) -> Iterator[bytes]:
    import pyarrow.parquet as pq

    for value in pq.read_table(path, columns=[name])[name].to_pylist():
        yield str(value).encode()


def _reached(objects: dict[str, Path], roots: Iterator[bytes]) -> set[str]:
    reached: set[str] = set()
    waiting = [name for text in roots for name in _names(text)]
    while waiting:
        name = waiting.pop()
        if name in objects and name not in reached:
            reached.add(name)
            waiting += _names(_text(objects[name]))
    return reached


def _names(text: bytes) -> list[str]:
    return [found.decode() for found in _SHA256.findall(text)]


def _text(path: Path) -> bytes:
    """Return what of an object may name others: JSON as a whole, of safetensors the header."""
    with open(path, "rb") as file:
        start = file.read(9)
        if start[:1] in (b"{", b"["):
            return start + file.read()
        if start[8:9] == b"{":
            return start + file.read(int.from_bytes(start[:8], "little"))
    return b""
