"""L-BFGS for losses of any shape, from wherever it is started.

Minimises |b|²/2 + C·Σ wᵢ·loss with free intercepts, the convention of the convex
solver, whose start metric it shares. Columns fall into blocks, each with a history
and a step of its own: one per label where labels do not enter each other's loss,
else one for all. A loss that is not convex ends in the minimum next to its start.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from services.classifier.solvers.finite import require_number
from services.classifier.solvers.kernels import Floats, two_loop
from services.classifier.solvers.newton import Design, Settings

Doubles = npt.NDArray[np.float64]
Loss = Callable[[Floats], tuple[Doubles, Floats]]
"""Margins (n, columns) → weighted loss per column (columns,), and its derivative (n, columns)."""

_SUFFICIENT = 1e-4
_HALVINGS = 25
_LEAST_CURVATURE = 1e-4
# Smaller changes of the loss are rounding of float32 margins.
_RESOLUTION = 1e-7


@dataclass(frozen=True, slots=True)
class Problem:
    """What is minimised.

    Args:
        design: Features of n documents.
        loss: Of the margins.
        rate: Shape (columns,): the mean of p(1 - p) at the start.
        total: The sum of the weights that the design was made for.
        strength: C.
        blocks: How many, of equal size.
    """

    design: Design
    loss: Loss
    rate: Floats
    total: float
    strength: float
    blocks: int


class Descended(NamedTuple):
    """Coefficients, shape (columns, d + 1), and the columns stopped by the limit on iterations."""

    coefficients: Floats
    unfinished: npt.NDArray[np.bool_]


class _Point(NamedTuple):
    """Margins (n, columns), the objective per block, and the loss's derivative in the margins."""

    margins: Floats
    value: Doubles
    residual: Floats


def descend(problem: Problem, start: Floats, settings: Settings) -> Descended:
    """Walk downhill until half of direction · gradient is a small share of the loss at the start.

    Args:
        problem: With `columns` columns.
        start: Shape (columns, d + 1), the intercept last.
        settings: `tolerance` is that share.
    """
    walk = _Walk(problem, start, settings)
    for iteration in range(settings.iterations):
        if not walk.step(iteration):
            break
    return Descended(walk.position, np.repeat(walk.moving, len(start) // problem.blocks))


class _Walk:
    """A position and what is known there; `moving` says which blocks are not done."""

    def __init__(self, problem: Problem, start: Floats, settings: Settings) -> None:
        self._problem, self._settings = problem, settings
        self._penalty = np.float32(1 / problem.strength)
        self.position = start.astype(np.float32)
        self.moving = np.ones(problem.blocks, bool)
        self._point = self._at(self._margins(self.position), self.position)
        require_number(self._point.value, "the loss")
        self._scale = np.maximum(self._point.value, 1e-30)
        self._inverse, self._gradient = self._metric(), self._slope()
        history = (settings.memory, *self._inverse.shape)
        self._moves, self._changes = np.zeros(history, np.float32), np.zeros(history, np.float32)
        self._rho = np.zeros(history[:2], np.float32)
        self._order: list[int] = []

    def step(self, iteration: int) -> bool:
        """Move the blocks that are not done; say whether there was one."""
        direction, decrement = self._direction()
        self.moving &= decrement > self._settings.tolerance * self._scale
        if not self.moving.any():
            return False
        direction[~self.moving] = 0
        move = direction.reshape(self.position.shape)
        move *= self._per_column(self._search(move, decrement))[:, None]
        self.position += move
        before, self._gradient = self._gradient, self._slope()
        self._remember(iteration % self._settings.memory, self._blocks(move), self._gradient - before)
        return True

    def _direction(self) -> tuple[Floats, Doubles]:
        order = np.array(self._order, np.int64)
        z = two_loop(self._gradient, self._inverse, self._moves, self._changes, self._rho, order)
        down = -np.einsum("ij,ij->i", z, self._gradient, dtype=np.float64)
        lost = ~(down > 0)
        # A block whose history leads uphill starts afresh.
        self._rho[:, lost] = 0
        z[lost] = -self._inverse[lost] * self._gradient[lost]
        down[lost] = -np.einsum("ij,ij->i", z[lost], self._gradient[lost], dtype=np.float64)
        require_number(down, "the slope of the loss")
        return z, down / 2

    def _search(self, direction: Floats, decrement: Doubles) -> Floats:
        """Move margins and value; return one step per block, 0 for blocks that can go no lower."""
        ahead, step = self._margins(direction), np.ones(len(self.moving), np.float32)
        allowed = self._point.value + _RESOLUTION * np.abs(self._point.value)
        for attempt in range(_HALVINGS + 1):
            columns = self._per_column(step)
            tried = self._at(
                self._point.margins + columns * ahead, self.position + columns[:, None] * direction
            )
            short = self.moving & ~(tried.value <= allowed - 2 * _SUFFICIENT * step * decrement)
            if not short.any():
                break
            step[short] *= np.float32(0 if attempt == _HALVINGS - 1 else 0.5)
        self.moving &= step > 0
        self._point = tried
        return step

    def _remember(self, slot: int, move: Floats, change: Floats) -> None:
        self._moves[slot], self._changes[slot] = move, change
        product = np.einsum("ij,ij->i", move, change)
        # Where the loss is not convex along the move, it teaches nothing.
        self._rho[slot] = np.where(product > 1e-12, 1 / np.maximum(product, np.float32(1e-12)), 0)
        self._order = [k for k in self._order if k != slot] + [slot]

    def _at(self, margins: Floats, position: Floats) -> _Point:
        losses, residual = self._problem.loss(margins)
        squares = np.einsum("ij,ij->i", position[:, :-1], position[:, :-1], dtype=np.float64)
        value = losses + squares * (float(self._penalty) / 2)
        return _Point(margins, value.reshape(self._problem.blocks, -1).sum(axis=1), residual)

    def _slope(self) -> Floats:
        gradient = np.multiply(self.position, self._penalty)
        gradient[:, :-1] += self._problem.design.gradient(self._point.residual)
        gradient[:, -1] = self._point.residual.sum(axis=0, dtype=np.float64)
        return self._blocks(gradient)

    def _metric(self) -> Floats:
        rate = np.maximum(self._problem.rate, np.float32(_LEAST_CURVATURE))
        hessian = np.empty_like(self.position)
        np.multiply.outer(rate, self._problem.design.diagonal, out=hessian[:, :-1])
        hessian[:, :-1] += self._penalty
        hessian[:, -1] = rate * np.float32(self._problem.total)
        return self._blocks(np.reciprocal(hessian))

    def _margins(self, coefficients: Floats) -> Floats:
        return self._problem.design.margins(coefficients[:, :-1]) + coefficients[:, -1]

    def _blocks(self, columns: Floats) -> Floats:
        return columns.reshape(self._problem.blocks, -1)

    def _per_column(self, blocks: Floats) -> Floats:
        return np.repeat(blocks, len(self.position) // self._problem.blocks)
