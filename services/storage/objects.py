"""Content-addressed objects: written once, verified at every read."""

import os
import re
from pathlib import Path

from services.domain.digest import sha256_hex
from services.domain.errors import DataLossError, InvalidInputError, NotFoundError
from services.storage.files import keep, publish_once

SHA256 = re.compile("[0-9a-f]{64}")


class ObjectStore:
    """Immutable bytes under `objects/<aa>/<sha256>` of a folder."""

    def __init__(self, root: Path) -> None:
        self._root = root / "objects"

    def path(self, sha256: str) -> Path:
        """Return where an object lies, whether or not it exists.

        Raises:
            InvalidInputError: This is no SHA-256; a path, for one, would lead out of the store.
        """
        if not SHA256.fullmatch(sha256):
            raise InvalidInputError(
                f"an object is named by 64 lower-case hexadecimal digits, not {sha256[:80]!r}", field="sha256"
            )
        return self._root / sha256[:2] / sha256

    def has(self, sha256: str) -> bool:
        """Say whether an object exists, without verifying it."""
        return self.path(sha256).exists()

    def put(self, data: bytes) -> str:
        """Store bytes durably and return their SHA-256.

        Raises:
            StoreFullError: There is no room for them.
            StoreNotWritableError: The store is read-only and lacks them.
        """
        sha256 = sha256_hex(data)
        if not keep(self.path(sha256)):
            publish_once(self.path(sha256), data)
        return sha256

    def get(self, sha256: str) -> bytes:
        """Return an object's bytes.

        Raises:
            NotFoundError: There is no such object.
            DataLossError: Its bytes are not what its name says.
        """
        try:
            data = self.path(sha256).read_bytes()
        except FileNotFoundError:
            raise NotFoundError(f"the store holds no object {sha256}", sha256=sha256) from None
        found = sha256_hex(data)
        if found != sha256:
            raise DataLossError(
                f"object {sha256} is damaged: its bytes have digest {found}; "
                "quarantine it and run again to compute it anew, or restore it if it was an input",
                sha256=sha256,
                found=found,
            )
        return data

    def quarantine(self, sha256: str) -> Path:
        """Move a damaged object aside, keep it, and return where it is now."""
        aside = self.path(sha256).with_suffix(".corrupt")
        os.replace(self.path(sha256), aside)
        return aside
