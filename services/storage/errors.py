"""What a disk refuses, in words of the study.

Both keep the reason of the error they are a kind of, by which a client knows them.
"""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from services.domain.errors import PreconditionError, QueueFullError

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
REFUSED = (errno.EROFS, errno.EACCES, errno.EPERM)


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
            raise StoreNotWritableError(
                f"cannot write below {folder} ({error.strerror}); what is stored can be read, but to compute more "
                "the folder has to be writable: change its permissions or its mount, or name another one",
                folder=str(folder),
            ) from error
        raise
