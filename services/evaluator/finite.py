"""Numbers that come with a request have to be numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable

from services.domain.errors import InvalidInputError


def require_finite(values: Iterable[float | None], field: str) -> None:
    """Refuse what is no number; None is not known and passes.

    Raises:
        InvalidInputError: A value is nan or infinite.
    """
    broken = [value for value in values if value is not None and not math.isfinite(value)]
    if broken:
        raise InvalidInputError(
            f"{field} holds {broken[0]}, which is not finite; leave out what is undefined", field=field
        )
