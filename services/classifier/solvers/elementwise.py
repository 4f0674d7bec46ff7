"""The convex solver with a weight for every document and label."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.classifier.solvers.kernels import Floats
from services.classifier.solvers.newton import Design, Settings, Solution, solve


@dataclass(frozen=True, slots=True)
class _Reweighted:
    """A design whose start metric is scaled to other weights of its documents."""

    design: Design
    factor: np.float32

    @property
    def diagonal(self) -> Floats:
        return self.design.diagonal * self.factor

    def margins(self, slopes: Floats) -> Floats:
        return self.design.margins(slopes)

    def gradient(self, residual: Floats) -> Floats:
        return self.design.gradient(residual)


def solve_elementwise(
    design: Design,
    truth: npt.NDArray[np.bool_],
    weights: Floats,
    elements: Floats,
    strength: float,
    settings: Settings,
) -> Solution:
    """Fit every label under every weighting, label by label.

    Args:
        design: Features of n documents.
        truth: Shape (n, labels).
        weights: Shape (n, groups), of documents, as the design was made for.
        elements: Shape (n, groups, labels), not negative: factors of `weights`.
        strength: C, the inverse of the penalty.
        settings: When to stop.
    """
    whole = weights.max(axis=1).sum(dtype=np.float64)
    found = []
    for j in range(truth.shape[1]):
        own = np.ascontiguousarray(weights * elements[:, :, j])
        factor = np.float32(own.max(axis=1).sum(dtype=np.float64) / whole)
        found.append(solve(_Reweighted(design, factor), truth[:, [j]], own, strength, settings))
    return Solution(
        np.concatenate([one.slopes for one in found], axis=1),
        np.concatenate([one.intercepts for one in found], axis=1),
        np.concatenate([one.constant for one in found], axis=1),
        np.sum([one.unfinished for one in found], axis=0),
    )
