"""Where a checkpoint comes from: a folder, or a model hub that may be out of reach."""

from pathlib import Path

from services.domain.errors import PreconditionError
from services.features.checkpoint import PATTERNS
from services.storage.hub import fetched


def checkpoint_folder(source: str | Path, revision: str | None = None) -> Path:
    """Return the folder of a checkpoint, fetching it first where the network is allowed.

    Args:
        source: A folder, or the checkpoint's name on the hub.
        revision: On the hub: a commit, tag or branch.

    Raises:
        PreconditionError: No such folder, or the hub has not got it or is out of reach.
    """
    folder = Path(source).expanduser()
    if folder.is_dir():
        return folder
    # A name on the hub is "owner/name" or "name"; anything else can only be a folder.
    if isinstance(source, Path) or source.startswith((".", "/", "~")) or source.count("/") > 1:
        raise PreconditionError(
            f"there is no folder {str(source)!r}; name the folder of a checkpoint", field="encoder"
        )
    return fetched("checkpoint", source, PATTERNS, "encoder", revision or "")
