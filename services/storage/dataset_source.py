"""Where a dataset comes from: a folder, or a hub that may be out of reach."""

from pathlib import Path

from services.domain.errors import InvalidInputError, NotFoundError
from services.storage.hub import fetched
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
    if folder.is_dir():
        return folder
    patterns = [f"*{kind}{packed}" for kind in KINDS for packed in ("", ".gz")]
    return fetched("dataset", name, patterns, "dataset.parameters.name", revision)


def _may_be_on_the_hub(name: str) -> bool:
    """Say whether this is "owner/name" or "name"; anything else can only be a folder."""
    return not name.startswith((".", "/", "~")) and name.count("/") <= 1 and not name.endswith("/")
