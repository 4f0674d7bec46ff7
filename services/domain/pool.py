"""Segments in a fixed order: what all plans of a run draw their rows from."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.domain.errors import InvalidInputError
from services.domain.plan import Part


@dataclass(frozen=True)
class Pool:
    """Immutable segments laid end to end.

    Args:
        segments: SHA-256 of the corpus artifacts.
        row_counts: Documents per segment.

    Raises:
        InvalidInputError: A segment is listed twice.
    """

    segments: tuple[str, ...]
    row_counts: tuple[int, ...]

    def __post_init__(self) -> None:
        if len(set(self.segments)) != len(self.segments):
            raise InvalidInputError("a pool lists every segment once", field="segments")

    def offset(self, segment: str) -> int:
        """Return the pool row at which a segment begins.

        Raises:
            InvalidInputError: The segment is not part of the pool.
        """
        if segment not in self.segments:
            raise InvalidInputError(f"segment {segment[:12]}… is not part of the pool", field="plan.segment")
        return sum(self.row_counts[: self.segments.index(segment)])

    def rows(self, parts: Sequence[Part]) -> npt.NDArray[np.int64]:
        """Return the pool rows of some parts, in their order.

        Raises:
            InvalidInputError: A row lies beyond its segment.
        """
        found = []
        for part in parts:
            offset = self.offset(part.segment)
            count = self.row_counts[self.segments.index(part.segment)]
            if part.rows.max() >= count:
                raise InvalidInputError(
                    f"row {part.rows.max()} is beyond the {count} documents of segment {part.segment[:12]}…",
                    field="plan.rows",
                )
            found.append(part.rows + offset)
        return np.concatenate(found)
