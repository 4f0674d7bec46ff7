"""Files are whole, on disk with their folders, and refused in words."""

import errno
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from services.domain.errors import PreconditionError, QueueFullError
from services.rpc.status import from_proto, to_proto
from services.storage import files
from services.storage.errors import FULL, REFUSED, StoreFullError, StoreNotWritableError
from services.storage.store import Store


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Folders in the order in which they are synced."""
    found: list[Path] = []
    original = os.fsync

    def fsync(descriptor: int) -> None:
        original(descriptor)
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            found.append(Path(os.readlink(f"/proc/self/fd/{descriptor}")))

    monkeypatch.setattr(os, "fsync", fsync)
    return found


def test_a_first_file_syncs_every_folder_above_it(tmp_path: Path, synced: list[Path]) -> None:
    files.publish_once(tmp_path / "a" / "store" / "objects" / "aa" / "name", b"x")
    store = tmp_path / "a" / "store"
    assert synced == [tmp_path, tmp_path / "a", store, store / "objects", store / "objects" / "aa"]
    synced.clear()
    files.publish_once(store / "objects" / "aa" / "other", b"x")
    assert synced == [store / "objects" / "aa"]


def test_folders_another_process_made_are_synced_once(tmp_path: Path, synced: list[Path]) -> None:
    folder = tmp_path / "objects" / "aa"
    folder.mkdir(parents=True)
    files.publish_once(folder / "name", b"x")
    assert {tmp_path, folder.parent, folder} <= set(synced)


def test_a_folder_made_anew_is_synced_anew(tmp_path: Path, synced: list[Path]) -> None:
    folder = tmp_path / "keys" / "aa"
    files.publish_once(folder / "name", b"x")
    (folder / "name").unlink()
    folder.rmdir()
    synced.clear()
    files.publish_once(folder / "name", b"x")
    assert synced == [folder.parent, folder]


def test_the_second_writer_returns_when_the_file_is_on_disk(tmp_path: Path, synced: list[Path]) -> None:
    path = tmp_path / "keys" / "aa" / "name"
    assert files.publish_once(path, b"first")
    synced.clear()
    assert not files.publish_once(path, b"second")
    assert synced == [path.parent]
    assert path.read_bytes() == b"first"


def test_storing_what_is_stored_syncs_it_and_makes_it_young(store: Store, synced: list[Path]) -> None:
    path = store.objects.path(store.put_json({"a": 1}).sha256)
    os.utime(path, (1000, 1000))
    synced.clear()
    store.put_json({"a": 1})
    assert synced == [path.parent]
    assert path.stat().st_mtime > 1_000_000


def test_an_answer_that_leads_nowhere_is_replaced_and_never_missing(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    stale = store.publish({"q": 1}, store.put_json(1))
    store.objects.quarantine(stale.sha256)
    (key,) = store.root.glob("keys/??/*.json")
    original = os.replace

    def replace(source: Path, target: Path) -> None:
        assert key.exists()
        original(source, target)

    monkeypatch.setattr(os, "replace", replace)
    monkeypatch.setattr(os, "unlink", _only_temporary)
    found = store.publish({"q": 1}, store.put_json(2))
    assert store.lookup({"q": 1}) == found != stale


@pytest.mark.parametrize("number", FULL)
@pytest.mark.parametrize("operation", ["fsync", "link", "replace", "mkdir"])
def test_a_full_disk_is_said_to_be_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, operation: str, number: int
) -> None:
    monkeypatch.setattr(os, operation, _refusing(number))
    with pytest.raises(StoreFullError, match=f"below {tmp_path}.*goes on from there") as caught:
        _write(tmp_path, operation)
    assert type(from_proto(to_proto(caught.value))) is QueueFullError
    assert not list(tmp_path.rglob(".tmp.*"))


@pytest.mark.parametrize("number", REFUSED)
def test_a_folder_that_may_not_be_written_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.setattr(files, "open", _refusing(number), raising=False)
    with pytest.raises(StoreNotWritableError, match=f"cannot write below {tmp_path}") as caught:
        files.replace(tmp_path / "file", b"x")
    assert type(from_proto(to_proto(caught.value))) is PreconditionError


def test_other_errors_of_the_disk_stay_what_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", _refusing(errno.EIO))
    with pytest.raises(OSError, match="Input/output error"):
        files.publish_once(tmp_path / "file", b"x")


def _write(folder: Path, operation: str) -> None:
    if operation == "replace":
        files.replace(folder / "file", b"x")
    else:
        files.publish_once(folder / "new" / "file", b"x")


def _refusing(number: int) -> Any:
    def refuse(*_: Any, **__: Any) -> None:
        raise OSError(number, os.strerror(number))

    return refuse


def _only_temporary(path: Path) -> None:
    assert Path(path).name.startswith(".tmp."), path
    os.remove(path)
