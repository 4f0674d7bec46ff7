"""Names derived from content."""

import hashlib
import json
from typing import Any


def sha256_hex(data: bytes) -> str:
    """Return the lower-case hexadecimal SHA-256 of some bytes."""
    return hashlib.sha256(data).hexdigest()


def canonical_json(value: Any) -> bytes:
    """Return the one JSON text of a value: keys sorted, no spaces, UTF-8.

    Raises:
        ValueError: The value holds NaN or an infinity, which JSON cannot say.
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode()


def spec_digest(value: Any) -> str:
    """Return the digest under which the answer to a specification is filed."""
    return sha256_hex(canonical_json(value))


def text_digest(text: str) -> str:
    """Return the digest of a text exactly as it stands, without normalisation."""
    return sha256_hex(text.encode())
