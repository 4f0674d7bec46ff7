"""What was asked → the object that answers it."""

import json
from pathlib import Path
from typing import Any

from services.domain.digest import canonical_json, spec_digest
from services.domain.errors import DataLossError
from services.storage.files import publish_once, replace


class KeyStore:
    """Answers under `keys/<aa>/<specification digest>.json`; the first writer wins."""

    def __init__(self, root: Path) -> None:
        self._root = root / "keys"

    def path(self, digest: str) -> Path:
        """Return where a key lies, whether or not it exists."""
        return self._root / digest[:2] / f"{digest}.json"

    def lookup(self, specification: Any) -> dict[str, Any] | None:
        """Return the published answer, or None when nobody has computed it.

        Raises:
            DataLossError: The key's file is not readable as what was written.
        """
        path = self.path(spec_digest(specification))
        try:
            text = path.read_bytes()
        except FileNotFoundError:
            return None
        try:
            answer = json.loads(text)["answer"]
        except (ValueError, KeyError, TypeError):
            raise DataLossError(f"key {path.name} is damaged; delete the file and run again") from None
        return dict(answer)

    def publish(self, specification: Any, answer: dict[str, Any]) -> dict[str, Any]:
        """File an answer and return the one that stands, which may be an earlier one."""
        publish_once(self.path(spec_digest(specification)), _record(specification, answer))
        return self.lookup(specification) or answer

    def replace(self, specification: Any, answer: dict[str, Any]) -> None:
        """File an answer in place of one that leads nowhere; at no time is there none."""
        replace(self.path(spec_digest(specification)), _record(specification, answer))


def _record(specification: Any, answer: dict[str, Any]) -> bytes:
    return canonical_json({"answer": answer, "specification": specification})
