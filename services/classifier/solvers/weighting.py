"""How the solver's columns, all (group, label) pairs in that order, weigh documents."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from services.classifier.solvers.kernels import (
    Floats,
    Indices,
    residuals,
    residuals_each,
    slopes,
    slopes_each,
)

Truth = npt.NDArray[np.bool_]
Doubles = npt.NDArray[np.float64]


class Weights(Protocol):
    """Weights of n documents in some columns."""

    def kept(self, columns: npt.NDArray[np.bool_] | npt.NDArray[np.intp]) -> "Weights":
        """Return those of some of the columns."""
        ...

    def residuals(
        self, margins: Floats, direction: Floats, step: Floats, truth: Floats, out: Floats
    ) -> tuple[Floats, Floats]:
        """Do as `kernels.residuals`."""
        ...

    def slopes(
        self, margins: Floats, direction: Floats, step: Floats, truth: Floats
    ) -> tuple[Floats, Floats]:
        """Do as `kernels.slopes`."""
        ...


@dataclass(frozen=True, slots=True)
class Shared:
    """Weights that all labels of a group share.

    Args:
        weights: Shape (n, groups).
        groups: Shape (columns,), ascending: the group of each column.
    """

    weights: Floats
    groups: Indices

    def kept(self, columns: npt.NDArray[np.bool_] | npt.NDArray[np.intp]) -> "Shared":
        return Shared(self.weights, self.groups[columns])

    def residuals(
        self, margins: Floats, direction: Floats, step: Floats, truth: Floats, out: Floats
    ) -> tuple[Floats, Floats]:
        return residuals(margins, direction, step, truth, self.weights, self._starts(), out)

    def slopes(
        self, margins: Floats, direction: Floats, step: Floats, truth: Floats
    ) -> tuple[Floats, Floats]:
        return slopes(margins, direction, step, truth, self.weights, self._starts())

    def _starts(self) -> Indices:
        groups = np.arange(self.weights.shape[1] + 1)
        return np.asarray(np.searchsorted(self.groups, groups), np.int64)


@dataclass(frozen=True, slots=True)
class Own:
    """Weights of each column's own, shape (n, columns)."""

    weights: Floats

    def kept(self, columns: npt.NDArray[np.bool_] | npt.NDArray[np.intp]) -> "Own":
        return Own(np.ascontiguousarray(self.weights[:, columns]))

    def residuals(
        self, margins: Floats, direction: Floats, step: Floats, truth: Floats, out: Floats
    ) -> tuple[Floats, Floats]:
        return residuals_each(margins, direction, step, truth, self.weights, out)

    def slopes(
        self, margins: Floats, direction: Floats, step: Floats, truth: Floats
    ) -> tuple[Floats, Floats]:
        return slopes_each(margins, direction, step, truth, self.weights)


@dataclass(frozen=True, slots=True)
class Weighting:
    """The weights of all columns, and their sums.

    Args:
        weights: Of n documents.
        positives: Shape (groups, labels): what the label's documents weigh.
        totals: Shape (groups, labels): what all documents weigh.
        wholes: Shape (columns,): what the documents weigh, each by its largest weight in any group.
        shares: Shape (columns,): `wholes` over what the design's diagonal was made for.
    """

    weights: Weights
    positives: Doubles
    totals: Doubles
    wholes: Floats
    shares: Floats


def shared(truth: Truth, weights: Floats) -> Weighting:
    """Let all labels share the weights of documents.

    Args:
        truth: Shape (n, labels).
        weights: Shape (n, groups), as the design was made for.
    """
    labels = truth.shape[1]
    positives = weights.T.astype(np.float64) @ truth
    totals = np.repeat(weights.sum(axis=0, dtype=np.float64)[:, None], labels, axis=1)
    wholes = np.full(positives.size, _whole(weights), np.float32)
    groups = np.repeat(np.arange(weights.shape[1], dtype=np.int64), labels)
    return Weighting(Shared(weights, groups), positives, totals, wholes, np.ones_like(wholes))


def elementwise(truth: Truth, weights: Floats, elements: Floats) -> Weighting:
    """Give every document and label a weight.

    Args:
        truth: Shape (n, labels).
        weights: Shape (n, groups), as the design was made for.
        elements: Shape (n, groups, labels), not negative: factors of `weights`.
    """
    own = weights[:, :, None] * elements
    positives = np.einsum("ngl,nl->gl", own, truth, dtype=np.float64)
    totals = own.sum(axis=0, dtype=np.float64)
    wholes = np.tile(own.max(axis=1).sum(axis=0, dtype=np.float64), len(totals))
    # The design's diagonal is of the documents' weights, and each label's as much larger as its own are.
    shares = wholes / _whole(weights)
    columns = np.ascontiguousarray(own.reshape(len(own), -1), np.float32)
    return Weighting(Own(columns), positives, totals, wholes.astype(np.float32), shares.astype(np.float32))


def _whole(weights: Floats) -> float:
    return float(weights.max(axis=1).sum(dtype=np.float64))
