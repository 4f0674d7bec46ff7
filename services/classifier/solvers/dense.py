"""Dense features: one rotation makes the start metric exact for every label and fold."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.classifier.solvers.finite import require_number, require_sum
from services.classifier.solvers.kernels import Floats
from services.classifier.solvers.newton import Method, Settings, Solution, solve

# At a fixed threshold a cell's micro-F1 is within 0.003 of that of the minimum; with the
# threshold tuned again a single cell may move by up to 0.01 (see sparse.py).
DENSE = Settings(tolerance=1e-4)


@dataclass(frozen=True, slots=True)
class RotatedDesign:
    """Centred features in the eigenbasis of their weighted Gram matrix.

    Args:
        features: Shape (n, k), k = min(n, d).
        diagonal: The Gram matrix's eigenvalues, shape (k,).
        basis: Shape (d, k), orthonormal columns: features = (x - mean) @ basis.
        mean: Shape (d,).
    """

    features: Floats
    diagonal: Floats
    basis: Floats
    mean: Floats

    def margins(self, slopes: Floats) -> Floats:
        return np.asarray(self.features @ slopes.T)

    def gradient(self, residual: Floats) -> Floats:
        return np.asarray(residual.T @ self.features)

    def unrotate(self, found: Solution) -> Solution:
        """Return coefficients of the features as they were given."""
        slopes = np.asarray(found.slopes @ self.basis.T)
        intercepts = np.asarray(found.intercepts - slopes @ self.mean, np.float32)
        return Solution(slopes, intercepts, found.constant, found.unfinished)


def rotate(features: Floats, weights: Floats) -> RotatedDesign:
    """Centre and rotate features so that their weighted Gram matrix is diagonal.

    The penalty is on the length of the slopes, which a rotation keeps; directions
    in which no document differs from the mean have slope 0 and are left out.

    Args:
        features: Shape (n, d).
        weights: Shape (n,), not negative.
    """
    # What has no end is told once, by the sums.
    with np.errstate(over="ignore", invalid="ignore"):
        mean = (weights @ features) / weights.sum()
        centred = features - mean
        basis: Floats | None = None
        if len(centred) < centred.shape[1]:
            basis = np.linalg.qr(centred.T)[0]
            centred = centred @ basis
        scaled = centred * np.sqrt(weights)[:, None]
        gram = scaled.T @ scaled
    require_number(gram, "a sum of squared features")
    values, vectors = np.linalg.eigh(gram)
    rotated = np.ascontiguousarray(centred @ vectors)
    whole = vectors if basis is None else basis @ vectors
    return RotatedDesign(rotated, np.maximum(values, 0), whole, mean)


def fit_dense(
    features: Floats,
    truth: npt.NDArray[np.bool_],
    weights: Floats,
    strength: float,
    settings: Settings = DENSE,
    *,
    method: Method = solve,
) -> Solution:
    """Fit all labels under all weightings of the same documents.

    Weightings that differ in few documents (a plan and its folds) share the rotation.

    Args:
        features: Shape (n, d), float32.
        truth: Shape (n, labels).
        weights: Shape (n, groups), not negative.
        strength: C.
        settings: When to stop.
        method: What solves it.
    """
    require_sum(weights)
    design = rotate(features, weights.max(axis=1))
    return design.unrotate(method(design, truth, weights, strength, settings))
