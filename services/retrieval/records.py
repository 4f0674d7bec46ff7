"""Which indexes exist: one small file each, naming what the index is made of.

The index itself is rebuilt from its specification by any process that needs it.
"""

import json
import re
from pathlib import Path

from services.domain.digest import canonical_json
from services.domain.errors import DataLossError, NotFoundError
from services.retrieval.specification import IndexSpec, spec_from_json, spec_to_json
from services.storage.files import publish_once

_ID = re.compile(r"[0-9a-f]{64}")


class IndexRecords:
    """Files under `indexes/` of the store's folder."""

    def __init__(self, root: Path) -> None:
        self._root = root / "indexes"

    def add(self, identifier: str, spec: IndexSpec) -> None:
        """Note that an index exists."""
        publish_once(self._path(identifier), canonical_json(spec_to_json(spec)))

    def get(self, identifier: str) -> IndexSpec:
        """Return what an index is made of.

        Raises:
            NotFoundError: There is no such index.
            DataLossError: The record is damaged.
        """
        try:
            data = self._path(identifier).read_bytes()
        except FileNotFoundError:
            raise _unknown(identifier) from None
        try:
            return spec_from_json(json.loads(data))
        except (ValueError, KeyError, TypeError):
            raise DataLossError(
                f"the record of index {identifier[:12]}… is damaged; delete the index and build it again",
                index_id=identifier,
            ) from None

    def delete(self, identifier: str) -> bool:
        """Forget an index and say whether there was one."""
        if not _ID.fullmatch(identifier):
            return False
        path = self._path(identifier)
        existed = path.exists()
        path.unlink(missing_ok=True)
        return existed

    def _path(self, identifier: str) -> Path:
        # Only digests become file names.
        if not _ID.fullmatch(identifier):
            raise _unknown(identifier)
        return self._root / f"{identifier}.json"


def _unknown(identifier: str) -> NotFoundError:
    return NotFoundError(f"there is no index {identifier[:64]!r}: build it first", index_id=identifier[:64])
