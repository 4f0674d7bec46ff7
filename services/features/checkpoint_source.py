"""Where a checkpoint comes from: a folder, or a model hub that may be out of reach."""

import os
from pathlib import Path

from services.domain.errors import PreconditionError
from services.features.checkpoint import PATTERNS


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
    return _fetched(source, revision)


def _fetched(name: str, revision: str | None) -> Path:
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError
    except ImportError:
        raise PreconditionError(
            f"the checkpoint {name!r} is no folder here, and fetching it needs: pip install huggingface_hub",
            field="encoder",
        ) from None
    try:
        return Path(snapshot_download(name, revision=revision, allow_patterns=list(PATTERNS)))
    # Being out of reach has no class of its own: it is whatever the connection raised.
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        raise PreconditionError(
            f"the checkpoint {name!r} is not on this machine and {_obstacle(error)}; run `hf download {name}` where "
            "there is a network, or name a local folder",
            field="encoder",
        ) from None


def _obstacle(error: Exception) -> str:
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "ON", "YES", "TRUE"}:
        return "HF_HUB_OFFLINE forbids to fetch it"
    return f"could not be fetched ({type(error).__name__}: {str(error).splitlines()[0]})"
