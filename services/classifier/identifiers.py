"""Identifiers from outside, which become names of files."""

import re

from services.domain.errors import InvalidInputError

_DIGEST = re.compile(r"[0-9a-f]{64}")
SHOWN_CHARACTERS = 80


def require_digest(identifier: str, field: str) -> None:
    """Refuse what cannot be the identifier of a run or of a model.

    Raises:
        InvalidInputError: It is not 64 lower-case hexadecimal digits.
    """
    if not _DIGEST.fullmatch(identifier):
        raise InvalidInputError(
            f"an identifier is 64 lower-case hexadecimal digits, not {identifier[:SHOWN_CHARACTERS]!r}: give the one "
            "that Create or a listing returned",
            field=field,
        )
