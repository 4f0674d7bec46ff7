"""From predictions to what section 4 needs: a score per replicate, an influence per test family."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.domain.errors import InvalidInputError, PreconditionError
from services.evaluator.classification import BoolMatrix, Floats


class UndefinedScoreError(PreconditionError):
    """An arm has no score; a contrast with it has no value, and this is the reason."""

    reason = "UNDEFINED_SCORE"


@dataclass(frozen=True, slots=True)
class Families:
    """Which family each test document belongs to: `codes` of shape (n,) in 0..count-1."""

    codes: NDArray[np.int64]
    count: int

    def of(self, kept: BoolMatrix) -> Families:
        """Return the families of some documents, renumbered; `kept` has shape (n,)."""
        names, codes = np.unique(self.codes[kept], return_inverse=True)
        return Families(codes.astype(np.int64), len(names))


class RatioTerms(NamedTuple):
    """One replicate's score as sum(numerators) / sum(sizes), each of shape (families,)."""

    numerators: Floats
    sizes: Floats


@dataclass(frozen=True, slots=True)
class ArmScores:
    """An arm's scores over replicates.

    Attributes:
        values: Shape (R,), the score of each replicate.
        influence: Shape (R, T), what each test family adds to it, centred; its mean over
            families is zero up to rounding.
    """

    values: Floats
    influence: Floats


def number_families(families: Sequence[str]) -> Families:
    """Number the families of the test documents."""
    names, codes = np.unique(np.asarray(families, dtype=np.str_), return_inverse=True)
    return Families(codes.astype(np.int64), len(names))


def micro_f1_terms(truth: BoolMatrix, predicted: BoolMatrix, families: Families) -> RatioTerms:
    """Sum 2 tp and |predicted| + |true| per family."""
    hits = 2.0 * _labels_per_document(truth & predicted)
    sizes = _labels_per_document(truth) + _labels_per_document(predicted)
    return RatioTerms(_per_family(hits, families), _per_family(sizes, families))


def mean_terms(values: Floats, families: Families) -> RatioTerms:
    """Sum values and their number per family; `values` has shape (n,)."""
    return RatioTerms(_per_family(values, families), _per_family(np.ones(len(values)), families))


def arm_scores(replicates: Sequence[RatioTerms]) -> ArmScores:
    """Return scores and influences of an arm whose score is a ratio of sums over families.

    The influence of family d is (numerator_d - score * size_d) / mean(size): for micro-F1
    the (2 tp - F den) / mean(den) of the study's rules, for a mean over single-document
    families x_d minus the mean.

    Raises:
        InvalidInputError: No replicates, or their numbers of families differ.
        UndefinedScoreError: A replicate's score is 0/0.
    """
    if len({len(terms.sizes) for terms in replicates}) != 1:
        raise InvalidInputError("an arm needs one or more replicates over the same test families")
    numerators = np.stack([terms.numerators for terms in replicates])
    sizes = np.stack([terms.sizes for terms in replicates])
    totals = sizes.sum(axis=1)
    if (totals == 0).any():
        raise UndefinedScoreError("the score of a replicate is 0/0")
    values = numerators.sum(axis=1) / totals
    influence = (numerators - values[:, None] * sizes) / sizes.mean(axis=1, keepdims=True)
    return ArmScores(values, influence)


def _labels_per_document(indicator: BoolMatrix) -> Floats:
    # A product with ones is exact below 2**24 labels and ten times faster than a boolean sum.
    ones = np.ones(indicator.shape[1], dtype=np.float32)
    return (indicator.astype(np.float32) @ ones).astype(np.float64)


def _per_family(values: Floats, families: Families) -> Floats:
    sums = np.bincount(families.codes, weights=values, minlength=families.count)
    return np.asarray(sums, dtype=np.float64)
