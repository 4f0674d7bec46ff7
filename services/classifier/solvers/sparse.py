"""Sparse features: the diagonal of the Hessian as start metric."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from services.classifier.solvers.finite import require_sum
from services.classifier.solvers.kernels import Floats, sparse_product
from services.classifier.solvers.newton import Method, Settings, Solution, solve

# At a fixed threshold a cell's micro-F1 is within 0.002 of that of the minimum. Where the curve
# is flat the tuned threshold may jump, and a single cell's tuned micro-F1 move by up to 0.01,
# either way; contrasts are means over replicates.
SPARSE = Settings(tolerance=1e-4)


@dataclass(frozen=True, slots=True)
class SparseDesign:
    """A CSR matrix and its transpose, both by rows."""

    rows: sp.csr_array
    columns: sp.csr_array
    diagonal: Floats

    def margins(self, slopes: Floats) -> Floats:
        return multiply(self.rows, slopes.T)

    def gradient(self, residual: Floats) -> Floats:
        return multiply(self.columns, residual).T


def multiply(matrix: sp.csr_array, dense: Floats) -> Floats:
    """Return a CSR matrix times a dense one, in float32."""
    out = np.empty((matrix.shape[0], dense.shape[1]), np.float32)
    right = np.ascontiguousarray(dense, np.float32)
    starts, columns = matrix.indptr.astype(np.int32), matrix.indices.astype(np.int32)
    sparse_product(starts, columns, matrix.data, right, out)
    return out


def fit_sparse(
    features: sp.csr_array,
    truth: npt.NDArray[np.bool_],
    weights: Floats,
    strength: float,
    settings: Settings = SPARSE,
    *,
    method: Method = solve,
) -> Solution:
    """Fit all labels under one weighting.

    Args:
        features: Shape (n, d), float32.
        truth: Shape (n, labels).
        weights: Shape (n,), positive.
        strength: C.
        settings: When to stop.
        method: What solves it.
    """
    require_sum(weights)
    return method(lay_out(features, weights), truth, weights[:, None], strength, settings)


def lay_out(features: sp.csr_array, weights: Floats) -> SparseDesign:
    """Return the design of features, shape (n, d), under weights, shape (n,)."""
    squared = features.copy()
    squared.data **= 2
    diagonal = np.asarray(squared.T @ weights, dtype=np.float32)
    return SparseDesign(features, features.T.tocsr(), diagonal)
