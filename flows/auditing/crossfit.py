"""Testing every real document once where there is no test file."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from flows.auditing.replicates import Rows
from services.domain.errors import InvalidInputError

# The threshold of merged scores. Every fold's own threshold is moved here, because each
# fold's model has its own scale.
MERGED_THRESHOLD = 0.5

Scores = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Fold:
    """Real rows to train on and to test on; no family is on both sides."""

    train: Rows
    test: Rows


@dataclass(frozen=True, slots=True)
class FoldScores:
    """What one fold's model says about the documents it did not see.

    Attributes:
        rows: Shape (n,), real rows.
        scores: Shape (n, labels), in 0..1.
        threshold: The fold's tuned threshold, in 0..1; None where there is none, and
            `threshold_undefined` says why.
    """

    rows: Rows
    scores: Scores
    threshold: float | None
    threshold_undefined: str = ""


def split_families(families: Sequence[str], count: int, rng: np.random.Generator) -> tuple[Fold, ...]:
    """Deal families out to folds of nearly equal numbers of families.

    Raises:
        InvalidInputError: There are fewer families than folds.
    """
    names, codes = np.unique(np.asarray(families, dtype=np.str_), return_inverse=True)
    if len(names) < count or count < 2:
        raise InvalidInputError(
            f"{count} folds by family need at least {max(count, 2)} families, and there are {len(names)}; "
            "give a test file, or more real documents",
            field="folds",
        )
    fold_of = np.empty(len(names), dtype=np.int64)
    fold_of[rng.permutation(len(names))] = np.arange(len(names)) % count
    places = fold_of[codes]
    return tuple(Fold(np.flatnonzero(places != k), np.flatnonzero(places == k)) for k in range(count))


def without_families(families: Sequence[str], barred: set[str]) -> Rows:
    """Return the rows whose family is not barred: what may be trained on beside a fold."""
    return np.array([i for i, family in enumerate(families) if family not in barred], dtype=np.int64)


def merge_scores(parts: Sequence[FoldScores], count: int) -> Scores:
    """Put the folds' scores together, so that one threshold means each fold's own.

    Scores keep their order within a document: below and above its fold's threshold they are
    stretched linearly to meet at `MERGED_THRESHOLD`. Those of a fold without one stay as they are.

    Raises:
        InvalidInputError: Some document was tested twice or never.
    """
    rows = np.concatenate([part.rows for part in parts])
    if not np.array_equal(np.sort(rows), np.arange(count)):
        raise InvalidInputError(
            f"folds tested {len(np.unique(rows))} of {count} documents; each must be tested exactly once",
            field="folds",
        )
    merged = np.empty((count, parts[0].scores.shape[1]), dtype=np.float32)
    for part in parts:
        scores, threshold = part.scores, part.threshold
        merged[part.rows] = scores if threshold is None else rescaled(scores, threshold)
    return merged


def merged_threshold(parts: Sequence[FoldScores]) -> tuple[float | None, str]:
    """Return the threshold of merged scores, None with the reason where some fold has none."""
    lacking = [part.threshold_undefined for part in parts if part.threshold is None]
    if not lacking:
        return MERGED_THRESHOLD, ""
    return None, f"{len(lacking)} of {len(parts)} folds have no threshold: {lacking[0]}"


def rescaled(scores: Scores, threshold: float) -> Scores:
    """Move a threshold to `MERGED_THRESHOLD` by two linear pieces over 0..1.

    A score at or above the threshold stays at or above it, and one below stays below.
    """
    wide = scores.astype(np.float64)
    low = wide * (MERGED_THRESHOLD / threshold) if threshold > 0.0 else wide
    room = 1.0 - threshold
    high = MERGED_THRESHOLD + (wide - threshold) * (MERGED_THRESHOLD / room) if room > 0.0 else wide
    above = scores >= np.float32(threshold)
    merged = np.where(above, np.maximum(high, MERGED_THRESHOLD), low).astype(np.float32)
    # Rounding must not lift a score over the threshold it failed.
    just_below = np.nextafter(np.float32(MERGED_THRESHOLD), np.float32(0.0))
    return np.where(above, merged, np.minimum(merged, just_below)).astype(np.float32)
