"""Documents one behind the other without padding, in few shapes.

A shape has a fixed number of tokens and of segments. Segments that hold no document share
the tokens left over, evenly, so that none is empty and none is longer than the longest document
may be: a kernel for segments writes no number into what lies beyond.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from services.classifier.fine_tuning.batches import Rows

Ints = npt.NDArray[np.int64]

# Steps take a multiple of so many tokens, each of which is a shape of its own.
STEP_TOKENS = 128
# Whatever is only scored has this one shape: what a document scores does not depend on others.
SCORED_TOKENS = 8192
SCORED_DOCUMENTS = 256


class Packed(NamedTuple):
    """Some documents in a shape.

    Args:
        places: Shape (tokens,): where in the source's tokens each one stands; 0 where it fills up.
        positions: Shape (tokens,): within its segment, from 0.
        bounds: Shape (segments + 1,): where segments begin, and the end; documents come first.
    """

    places: Ints
    positions: Ints
    bounds: Ints


@dataclass(frozen=True, slots=True)
class Packing:
    """Shapes for batches of at most some documents.

    Args:
        segments: In every shape.
        longest: Tokens of a segment, at most; above 1.
    """

    segments: int
    longest: int

    @classmethod
    def of_steps(cls, documents: int, longest: int) -> "Packing":
        """Return the shapes of training: as few spare segments as can hold what fills up a step."""
        return cls(documents + -(-(STEP_TOKENS - 1) // (longest - 1)), longest)

    @classmethod
    def of_scores(cls, longest: int) -> "Packing":
        """Return the shape of what is scored: its segments can hold its tokens without any document."""
        return cls(SCORED_DOCUMENTS + -(-SCORED_TOKENS // longest), longest)

    def tokens(self, lengths: Ints) -> int:
        """Return the tokens of the smallest shape of training that holds documents of some lengths."""
        least = int(lengths.sum()) + self.segments - len(lengths)
        return -(-least // STEP_TOKENS) * STEP_TOKENS

    def lay_out(self, starts: Ints, lengths: Ints, tokens: int) -> Packed:
        """Put documents one behind the other.

        Args:
            starts: Shape (n,), where each begins in the source's tokens.
            lengths: Shape (n,), positive.
            tokens: Of the shape.
        """
        spare, left = self.segments - len(lengths), tokens - int(lengths.sum())
        shares = np.full(spare, left // spare) + (np.arange(spare) < left % spare)
        if not (len(shares) and shares.min() >= 1 and shares.max() <= self.longest):
            raise AssertionError(f"{left} tokens do not fill {spare} segments of at most {self.longest}")
        sizes = np.concatenate([lengths, shares])
        bounds = np.concatenate([[0], np.cumsum(sizes)])
        positions = np.arange(tokens) - np.repeat(bounds[:-1], sizes)
        places = np.where(
            np.arange(tokens) < lengths.sum(), np.repeat(self._starts(starts), sizes) + positions, 0
        )
        return Packed(places, positions, bounds)

    def _starts(self, starts: Ints) -> Ints:
        return np.concatenate([starts, np.zeros(self.segments - len(starts), np.int64)])


def scored_parts(packing: Packing, lengths: Ints) -> Iterator[Rows]:
    """Yield positions of documents, as many at a time as fit the shape of what is scored, short ones first.

    Args:
        packing: Of scores.
        lengths: Shape (n,), tokens of the documents.
    """
    order = np.argsort(lengths, kind="stable")
    ends = np.cumsum(lengths[order])
    start = 0
    while start < len(lengths):
        # Every segment without a document takes a token.
        taken = ends[start:] - (ends[start - 1] if start else 0)
        needed = taken + packing.segments - np.arange(1, len(taken) + 1)
        count = min(int(np.searchsorted(needed, SCORED_TOKENS, side="right")), SCORED_DOCUMENTS)
        yield order[start : start + count]
        start += count
