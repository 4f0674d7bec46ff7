"""Files that are either whole or not there."""

import os
import uuid
from contextlib import suppress
from pathlib import Path


def publish_once(path: Path, data: bytes) -> bool:
    """Write a file unless it exists; the first of several writers wins.

    Returns:
        Whether this call created the file. When it returns, the file is on disk.
    """
    temporary = _write_beside(path, data)
    try:
        # A link fails when the name is taken; a rename would replace the winner.
        os.link(temporary, path)
    except FileExistsError:
        return False
    finally:
        temporary.unlink(missing_ok=True)
    _sync_folder(path.parent)
    return True


def replace(path: Path, data: bytes) -> None:
    """Write a file in place of what was there; readers see the old or the new."""
    temporary = _write_beside(path, data)
    os.replace(temporary, path)
    _sync_folder(path.parent)


def _write_beside(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
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


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
