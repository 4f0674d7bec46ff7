"""What a disk refuses, in words of the study.

Both keep the reason of the error they are a kind of, by which a client knows them.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from services.domain.errors import PreconditionError, QueueFullError

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
# A file where a folder should be refuses as well.
REFUSED = (errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.EEXIST)


class StoreFullError(QueueFullError):
    """The disk has no room; it may have some later, as a full queue, and crosses the wire as one."""


class StoreNotWritableError(PreconditionError):
    """Nothing can be written here, whatever is asked; reading goes on."""


@contextmanager
def explained(folder: Path) -> Iterator[None]:
    """Say of a write below a folder that failed what would do; other errors pass.

    Raises:
        StoreFullError: The disk, the quota or the largest size of a file is used up.
        StoreNotWritableError: The folder is read-only, or somebody else's.
    """
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise StoreFullError(
                f"no room to write below {folder} ({error.strerror}); nothing stored was harmed: free some space "
                "(`synthtrial gc` lists what nothing needs) and run the same again, which goes on from there",
                folder=str(folder),
            ) from error
        if error.errno in REFUSED:
            raise _not_writable(folder, error.strerror) from error
        raise


def require_writable(folder: Path) -> None:
    """See that a folder can be written to, or made, before the work is done that will be written there.

    Raises:
        StoreNotWritableError: It is read-only, somebody else's, or there is a file in its place.
    """
    place = folder.absolute()
    while not os.path.lexists(place):
        place = place.parent
    if not place.is_dir():
        raise _not_writable(folder, f"{place} is a file")
    if not os.access(place, os.W_OK | os.X_OK):
        raise _not_writable(folder, os.strerror(errno.EACCES))


def _not_writable(folder: Path, why: str | None) -> StoreNotWritableError:
    return StoreNotWritableError(
        f"cannot write below {folder} ({why}); what is stored can be read, but to compute more the folder has to be "
        "writable: change its permissions or its mount, or name another one",
        folder=str(folder),
    )
