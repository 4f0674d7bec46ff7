"""Numbers that come with a request have to be numbers, and scores one per replicate."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

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


def require_replicates(scores: Sequence[float], count: int, where: str) -> None:
    """Refuse scores that cannot be paired with others by replicate.

    Args:
        scores: One per replicate.
        count: Scores of the first of those that they are paired with.
        where: Whose scores they are, as a path in the request.

    Raises:
        InvalidInputError: A score is no number, or there are none, or not as many.
    """
    require_finite(scores, f"{where}.scores")
    if not scores or len(scores) != count:
        raise InvalidInputError(
            f"{where} has {len(scores)} scores and the first {count}; give one per replicate, in the same order",
            field=f"{where}.scores",
        )
