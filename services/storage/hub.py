"""Repositories of a model hub: fetched where the network allows it, else found where they were fetched before.

The hub's client waits without end for a server that takes a connection and says
nothing, as some firewalls do. So the hub is asked first whether it is there.
"""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from services.domain.errors import PreconditionError

# For the first answer; what is sent after it may take as long as it takes.
ANSWER_SECONDS = 10.0

KINDS = {"checkpoint": "model", "dataset": "dataset"}


def fetched(kind: str, name: str, patterns: Sequence[str], field: str, revision: str = "") -> Path:
    """Return the folder of a repository; this process asks the hub once for each.

    Args:
        kind: "checkpoint" or "dataset".
        name: "owner/name" or "name".
        patterns: Of the files wanted.
        field: Of the request, for the error.
        revision: A commit, tag or branch; "" takes the main one.

    Raises:
        PreconditionError: It is not on this machine, and cannot be had within seconds.
    """
    return _fetched(kind, name, tuple(patterns), field, revision)


# Kept: a run asks for its checkpoint again and again, and should the branch move in between
# it would read two of them.
@lru_cache(maxsize=16)
def _fetched(kind: str, name: str, patterns: tuple[str, ...], field: str, revision: str) -> Path:
    try:
        from huggingface_hub import snapshot_download
    except ImportError:
        raise PreconditionError(
            f"the {kind} {name!r} is no folder here, and fetching it needs: pip install huggingface_hub",
            field=field,
        ) from None
    obstacle = _obstacle(kind, name, revision)
    if isinstance(obstacle, _refusals()):
        # Not a network out of reach: what was fetched before may have been withdrawn.
        raise _absent(kind, name, revision, field, obstacle)
    try:
        folder = snapshot_download(
            name,
            repo_type=KINDS[kind],
            revision=revision or None,
            allow_patterns=list(patterns),
            local_files_only=obstacle is not None,
        )
    except Exception as error:
        raise _absent(kind, name, revision, field, obstacle or error) from error
    return Path(folder)


def _obstacle(kind: str, name: str, revision: str) -> Exception | None:
    """Ask the hub for a repository and return what stands in the way, None where nothing does."""
    from huggingface_hub import HfApi

    try:
        HfApi().repo_info(name, repo_type=KINDS[kind], revision=revision or None, timeout=ANSWER_SECONDS)
    except Exception as error:  # noqa: BLE001 - being out of reach has no class: it is whatever the connection raised
        return error
    return None


def _refusals() -> tuple[type[Exception], ...]:
    from huggingface_hub import errors

    return errors.GatedRepoError, errors.RepositoryNotFoundError, errors.RevisionNotFoundError


def _absent(kind: str, name: str, revision: str, field: str, error: Exception) -> PreconditionError:
    why, advice = _reason(error, kind, name, revision)
    return PreconditionError(
        f"the {kind} {name!r} is not on this machine and {why}; {advice}, or name a local folder",
        field=field,
        name=name,
    )


def _reason(error: Exception, kind: str, name: str, revision: str) -> tuple[str, str]:
    """Return what stands in the way, and what would do."""
    from huggingface_hub import constants, errors

    at = f" --revision {revision}" if revision else ""
    of = " --repo-type dataset" if kind == "dataset" else ""
    fetch = f"run `hf download{of} {name}{at}` where there is a network"
    if constants.HF_HUB_OFFLINE:
        return "HF_HUB_OFFLINE forbids to fetch it", fetch
    if isinstance(error, errors.GatedRepoError):
        return (
            "the hub gives it only to those who accepted its terms",
            "accept them there and run `hf auth login`",
        )
    if isinstance(error, errors.RepositoryNotFoundError):
        return f"the hub has no {kind} of this name, or keeps it private", "check the name"
    if isinstance(error, errors.RevisionNotFoundError):
        return f"the hub has no revision {revision!r} of it", "name another one"
    return f"could not be fetched ({_first_line(error)})", fetch


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0][:200]}" if lines else type(error).__name__
