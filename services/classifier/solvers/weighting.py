"""How the solver's columns, all (group, label) pairs in that order, weigh documents."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.classifier.solvers.kernels import Floats, Indices

Truth = npt.NDArray[np.bool_]
Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Weights:
    """Weights of n documents in some columns.

    Args:
        weights: Shape (n, groups).
        groups: Shape (columns,), ascending: whose weights each column has.
    """

    weights: Floats
    groups: Indices

    @property
    def starts(self) -> Indices:
        """Shape (groups + 1,): where the columns of each group begin, and where the last one's end."""
        return np.asarray(np.searchsorted(self.groups, np.arange(self.weights.shape[1] + 1)), np.int64)

    def kept(self, columns: npt.NDArray[np.bool_] | npt.NDArray[np.intp]) -> "Weights":
        """Return those of some of the columns."""
        used, groups = np.unique(self.groups[columns], return_inverse=True)
        if len(used) == self.weights.shape[1]:
            return Weights(self.weights, groups)
        return Weights(np.ascontiguousarray(self.weights[:, used]), groups)


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
    return Weighting(Weights(weights, groups), positives, totals, wholes, np.ones_like(wholes))


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
    each = Weights(columns, np.arange(columns.shape[1], dtype=np.int64))
    return Weighting(each, positives, totals, wholes.astype(np.float32), shares.astype(np.float32))


def _whole(weights: Floats) -> float:
    return float(weights.max(axis=1).sum(dtype=np.float64))
