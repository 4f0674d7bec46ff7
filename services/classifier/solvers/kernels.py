"""The solver's inner loops, compiled; they release the interpreter lock.

Columns are (weighting, label) pairs, grouped by weighting: group g owns the
columns `starts[g]` to `starts[g + 1]` and weighs document i by `weights[i, g]`.
"""

from typing import Any

import numba
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Indices = npt.NDArray[np.int64]

_compiled = numba.njit(fastmath=True, nogil=True, cache=True)
_inlined = numba.njit(fastmath=True, inline="always")

F = np.float32
# tanh(x / 2) = x·p(x²)/q(x²) on [-18, 18]: iteratively reweighted least squares on
# 4,000 Chebyshev nodes in float64. Its own error is 2e-8, below float32's step at 1.
_LIMIT = F(18.0)
_P0, _P1, _P2 = F(0.49999995342621684), F(0.01671661709723221), F(0.00010895916160279604)
_P3, _P4 = F(1.5994961836224673e-07), F(2.5754669316842146e-11)
_Q1, _Q2 = F(0.11676647673773925), F(0.0016151505963347237)
_Q3, _Q4 = F(5.111816637411193e-06), F(3.009217530368521e-09)


@_inlined
def _sigmoid(x: Any) -> Any:
    x = min(max(x, -_LIMIT), _LIMIT)
    z = x * x
    p = x * (_P0 + z * (_P1 + z * (_P2 + z * (_P3 + z * _P4))))
    q = F(1.0) + z * (_Q1 + z * (_Q2 + z * (_Q3 + z * _Q4)))
    return F(0.5) + F(0.5) * (p / q)


@_compiled
def residuals(
    margins: Floats,
    direction: Floats,
    step: Floats,
    truth: Floats,
    weights: Floats,
    starts: Indices,
    out: Floats,
) -> tuple[Floats, Floats]:
    """Move the margins along the direction and fill in w·(probability - truth).

    Returns:
        Per column, the sum of the residuals and the sum of w·p·(1 - p).
    """
    n, columns = margins.shape
    gradient, curvature = np.zeros(columns, F), np.zeros(columns, F)
    for i in range(n):
        for g in range(starts.size - 1):
            w = weights[i, g]
            for j in range(starts[g], starts[g + 1]):
                m = margins[i, j] + step[j] * direction[i, j]
                p = _sigmoid(m)
                r = w * (p - truth[i, j])
                margins[i, j] = m
                out[i, j] = r
                gradient[j] += r
                curvature[j] += w * p * (F(1.0) - p)
    return gradient, curvature


@_compiled
def slopes(
    margins: Floats, direction: Floats, step: Floats, truth: Floats, weights: Floats, starts: Indices
) -> tuple[Floats, Floats]:
    """Return the loss's first and second derivative along the direction, per column, at a step."""
    n, columns = margins.shape
    first, second = np.zeros(columns, F), np.zeros(columns, F)
    for i in range(n):
        for g in range(starts.size - 1):
            w = weights[i, g]
            for j in range(starts[g], starts[g + 1]):
                d = direction[i, j]
                p = _sigmoid(margins[i, j] + step[j] * d)
                first[j] += w * (p - truth[i, j]) * d
                second[j] += w * p * (F(1.0) - p) * d * d
    return first, second


@_compiled
def two_loop(
    gradient: Floats,
    inverse: Floats,
    moves: Floats,
    changes: Floats,
    rho: Floats,
    order: Indices,
) -> Floats:
    """Return L-BFGS directions, one column's whole history after the other's.

    Args:
        gradient: Shape (columns, d), as `inverse`, the diagonal start metric.
        moves: Shape (memory, columns, d): past steps; `changes` of the gradient likewise.
        rho: Shape (memory, columns): 1 / (move · change), 0 where a pair must not be used.
        order: The slots in use, oldest first.
    """
    columns, d = gradient.shape
    out = np.empty_like(gradient)
    alpha = np.zeros(moves.shape[0], F)
    for c in range(columns):
        q = out[c]
        for j in range(d):
            q[j] = gradient[c, j]
        for o in range(order.size - 1, -1, -1):
            k = order[o]
            alpha[k] = rho[k, c] * _dot(moves[k, c], q)
            _add(q, -alpha[k], changes[k, c])
        for j in range(d):
            q[j] *= inverse[c, j]
        for o in range(order.size):
            k = order[o]
            _add(q, alpha[k] - rho[k, c] * _dot(changes[k, c], q), moves[k, c])
        for j in range(d):
            q[j] = -q[j]
    return out


@_compiled
def sparse_product(
    starts: npt.NDArray[np.int32],
    columns: npt.NDArray[np.int32],
    values: Floats,
    dense: Floats,
    out: Floats,
) -> None:
    """Fill `out` with the product of a CSR matrix and a row-major dense one."""
    for i in range(starts.size - 1):
        row = out[i]
        row[:] = F(0.0)
        for e in range(starts[i], starts[i + 1]):
            _add(row, values[e], dense[columns[e]])


@_inlined
def _dot(a: Any, b: Any) -> Any:
    total = F(0.0)
    for j in range(a.size):
        total += a[j] * b[j]
    return total


@_inlined
def _add(target: Any, factor: Any, source: Any) -> None:
    for j in range(target.size):
        target[j] += factor * source[j]
