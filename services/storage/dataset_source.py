"""Where a dataset comes from: a folder, or a hub that may be out of reach."""

from functools import lru_cache
from pathlib import Path

from services.domain.errors import InvalidInputError, NotFoundError, PreconditionError
from services.storage.saved import KINDS


def dataset_folder(name: str, revision: str = "") -> Path:
    """Return the folder of a dataset, fetching it first where the network is allowed.

    Args:
        name: A folder, or the dataset's name on the hub.
        revision: On the hub: a commit, tag or branch.

    Raises:
        InvalidInputError: No name, or a revision of a folder.
        NotFoundError: Neither a folder nor a name that the hub could have.
        PreconditionError: The hub has not got it or is out of reach.
    """
    folder = Path(name).expanduser()
    if not name:
        raise InvalidInputError(
            "dataset hugging_face: name a folder, or a dataset on the hub", field="dataset.parameters.name"
        )
    if not folder.is_dir() and not _may_be_on_the_hub(name):
        raise NotFoundError(f"there is no folder {name!r}; name one, or a dataset on the hub", name=name)
    if folder.is_dir() and revision:
        raise InvalidInputError(
            f"{name!r} is a folder here, which has no revisions; leave out revision, or name a dataset on the hub",
            field="dataset.parameters.revision",
        )
    return folder if folder.is_dir() else _fetched(name, revision)


def _may_be_on_the_hub(name: str) -> bool:
    """Say whether this is "owner/name" or "name"; anything else can only be a folder."""
    return not name.startswith((".", "/", "~")) and name.count("/") <= 1 and not name.endswith("/")


# Kept, so that identity and documents come from one commit should the branch move in between.
@lru_cache(maxsize=16)
def _fetched(name: str, revision: str) -> Path:
    try:
        from huggingface_hub import constants, snapshot_download
    except ImportError:
        raise PreconditionError(
            f"the dataset {name!r} is no folder here, and fetching it needs: pip install 'synthtrial[datasets]'",
            field="dataset.parameters.name",
        ) from None
    patterns = [f"*{kind}{packed}" for kind in KINDS for packed in ("", ".gz")]
    try:
        return Path(
            snapshot_download(name, repo_type="dataset", revision=revision or None, allow_patterns=patterns)
        )
    # Being out of reach has no class of its own: it is whatever the connection raised.
    except (OSError, ValueError) as error:
        obstacle = (
            "HF_HUB_OFFLINE forbids to fetch it"
            if constants.is_offline_mode()
            else f"could not be fetched ({_first_line(error)})"
        )
        at = f" --revision {revision}" if revision else ""
        raise PreconditionError(
            f"the dataset {name!r} is not on this machine and {obstacle}; run `hf download --repo-type dataset "
            f"{name}{at}` where there is a network, or name a local folder",
            field="dataset.parameters.name",
        ) from None


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0][:200]}" if lines else type(error).__name__
