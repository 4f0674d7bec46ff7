"""Files that are either whole or not there."""

import os
import uuid
from contextlib import suppress
from pathlib import Path

from services.storage.errors import explained

# A store's folders: `objects/aa`, `objects` and the store itself.
LEVELS = 3

# Folders whose own names this process knows to be on disk.
_on_disk: set[Path] = set()


def publish_once(path: Path, data: bytes) -> bool:
    """Write a file unless it exists; the first of several writers wins.

    Returns:
        Whether this call created the file. When it returns, the file is on disk, whoever wrote it.

    Raises:
        StoreFullError: There is no room for it.
        StoreNotWritableError: Its folder is read-only.
    """
    with explained(path.parent):
        temporary = _write_beside(path, data)
        try:
            # A link fails when the name is taken; a rename would replace the winner.
            os.link(temporary, path)
            created = True
        except FileExistsError:
            created = False
        finally:
            temporary.unlink(missing_ok=True)
        # Also for the loser: the winner may not have come to it yet.
        _sync_folder(path.parent)
    return created


def replace(path: Path, data: bytes) -> None:
    """Write a file in place of what was there; readers see the old or the new.

    Raises:
        StoreFullError: There is no room for it; the old one stays.
        StoreNotWritableError: Its folder is read-only.
    """
    with explained(path.parent):
        temporary = _write_beside(path, data)
        try:
            os.replace(temporary, path)
        except OSError:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise
        _sync_folder(path.parent)


def keep(path: Path) -> bool:
    """See to it that a file somebody wrote is on disk and counts as young; say whether it exists."""
    try:
        # What collects garbage spares the young, and this one is about to be referred to.
        os.utime(path)
    except FileNotFoundError:
        return False
    except OSError:
        # A store that is only read needs neither.
        return path.exists()
    _make_folder(path.parent)
    _sync_folder(path.parent)
    return True


def _write_beside(path: Path, data: bytes) -> Path:
    _make_folder(path.parent)
    temporary = path.parent / f".tmp.{uuid.uuid4().hex}"
    try:
        with open(temporary, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    return temporary


def _make_folder(folder: Path, levels: int = LEVELS) -> None:
    """Make a folder, and see to it that its name and those of the levels above are on disk.

    Also where it exists: another process may have made it a moment ago and be killed before
    it syncs, and a file's own sync does not keep the folders above it.
    """
    missing = not folder.is_dir()
    if not missing and (levels < 1 or folder in _on_disk):
        return
    if missing or levels > 1:
        _make_folder(folder.parent, levels - 1)
    folder.mkdir(exist_ok=True)
    # A folder that is given, as a mounted disk is, may lie in one that is not ours to open.
    with suppress(PermissionError):
        _sync_folder(folder.parent)
    _on_disk.add(folder)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
