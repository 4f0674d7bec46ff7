"""Files that a request names: which may be read, and uploaded ones put where backends find them."""

import ipaddress
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from services.domain.errors import InvalidInputError
from services.generator.parameters import Parameters
from services.storage.store import Store

# Folders whose files a request may name, separated as in PATH. Unset: all of this machine's,
# unless other machines reach the service, then none.
ROOTS_VARIABLE = "SYNTHTRIAL_ROOTS"
ADDRESS_VARIABLE = "LISTEN"


@contextmanager
def readable_artifact(parameters: Parameters, store: Store) -> Iterator[Parameters]:
    """Put the bytes of a parameter "artifact" into a file and its path into "path".

    Backends read files; where the bytes lie is the store's business.

    Raises:
        InvalidInputError: The artifact is not given as one, or a path lies outside the allowed roots.
    """
    if "artifact" not in parameters:
        _check_root(parameters.get("path"))
        yield parameters
        return
    with tempfile.TemporaryDirectory(prefix="synthtrial-") as folder:
        yield _with_path(parameters, store, Path(folder))


def _check_root(path: object) -> None:
    if not isinstance(path, str):
        return
    roots = [Path(root).resolve() for root in os.environ.get(ROOTS_VARIABLE, "").split(os.pathsep) if root]
    if not roots and _is_local(os.environ.get(ADDRESS_VARIABLE, "")):
        return
    if not any(Path(path).resolve().is_relative_to(root) for root in roots):
        raise InvalidInputError(
            f"{path} lies outside the folders this service may read ({ROOTS_VARIABLE}, without which a service "
            "that others can reach reads none): upload the file and name it as an artifact",
            field="parameters.path",
        )


def _is_local(address: str) -> bool:
    """Say whether only this machine reaches an address; an empty one is a service's own default."""
    host = address.rpartition(":")[0].strip("[]")
    if not address or address.startswith("unix:") or host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _with_path(parameters: Parameters, store: Store, folder: Path) -> Parameters:
    artifact = parameters["artifact"]
    if not isinstance(artifact, dict) or not isinstance(artifact.get("sha256"), str):
        raise InvalidInputError(
            f'an artifact is given as {{"sha256": ..., "name": "file.jsonl"}}, not {artifact!r}',
            field="parameters.artifact",
        )
    path = folder / Path(str(artifact.get("name", "corpus.parquet"))).name
    path.write_bytes(store.objects.get(artifact["sha256"]))
    rest = {name: value for name, value in parameters.items() if name != "artifact"}
    return {**rest, "path": str(path)}
