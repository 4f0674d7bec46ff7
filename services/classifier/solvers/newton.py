"""L-BFGS over all columns at once, from a start metric that knows the Hessian.

Minimises, per column, |b|²/2 + C·Σ wᵢ·log-loss with a free intercept. With
centred features and the intercept at the log-odds, the Hessian at the start is
1/C + p(1 - p)·Σ wᵢxᵢxᵢᵀ. A design gives the diagonal of that sum, which is all
of it when its columns are orthogonal.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from services.classifier.solvers.finite import require_number
from services.classifier.solvers.kernels import Floats, residuals, slopes, two_loop
from services.classifier.solvers.weighting import Weighting, shared

CONSTANT_LOGIT = 20.0
_LEAST_CURVATURE = 1e-4


class Design(Protocol):
    """A feature matrix, (n, d), as the solver sees it."""

    @property
    def diagonal(self) -> Floats:
        """Σ wᵢxᵢⱼ² per feature, shape (d,)."""
        ...

    def margins(self, slopes: Floats) -> Floats:
        """Return features times slopes: (columns, d) → (n, columns)."""
        ...

    def gradient(self, residual: Floats) -> Floats:
        """Return what residuals sum to per feature: (n, columns) → (columns, d)."""
        ...


@dataclass(frozen=True, slots=True)
class Settings:
    """When to stop, and how many steps to remember.

    `tolerance` bounds half the squared Newton decrement, as a share of the loss of
    a model without features. A bound on the gradient would leave rare labels
    untrained: theirs is tiny from the start.
    """

    tolerance: float
    iterations: int = 80
    memory: int = 5


@dataclass(frozen=True, slots=True)
class Solution:
    """Coefficients per weighting and label.

    Args:
        slopes: Shape (groups, labels, d).
        intercepts: Shape (groups, labels); ±20 where a label is constant.
        constant: Shape (groups, labels): the label has only positives or only negatives.
        unfinished: Shape (groups,): labels stopped by the limit on iterations.
    """

    slopes: Floats
    intercepts: Floats
    constant: npt.NDArray[np.bool_]
    unfinished: npt.NDArray[np.int64]


Method = Callable[[Design, npt.NDArray[np.bool_], Floats, float, Settings], Solution]
"""Fits every label under every weighting, as `solve` does."""


def solve(
    design: Design, truth: npt.NDArray[np.bool_], weights: Floats, strength: float, settings: Settings
) -> Solution:
    """Fit every label under every weighting.

    Args:
        design: Features of n documents.
        truth: Shape (n, labels).
        weights: Shape (n, groups), not negative; 0 leaves a document out of a group.
        strength: C, the inverse of the penalty.
        settings: When to stop.
    """
    return minimise(design, truth, shared(truth, weights), strength, settings)


def minimise(
    design: Design, truth: npt.NDArray[np.bool_], weighting: Weighting, strength: float, settings: Settings
) -> Solution:
    """Fit every label in every group of a weighting.

    A label that is done moves on with the others until a quarter of them are: what is
    bounded is how far from its minimum it may stop, not how near.
    """
    rates = weighting.positives / weighting.totals
    constant = (weighting.positives <= 0) | (weighting.positives >= weighting.totals * (1 - 1e-9))
    odds = np.log(np.clip(rates, 1e-9, 1) / np.clip(1 - rates, 1e-9, 1))
    intercepts = np.where(constant, np.where(rates > 0.5, CONSTANT_LOGIT, -CONSTANT_LOGIT), odds)
    found = np.zeros((constant.size, len(design.diagonal) + 1), np.float32)
    found[:, -1] = intercepts.ravel()
    descent = _Descent(design, truth, weighting, strength, settings, found, np.flatnonzero(~constant.ravel()))
    left = descent.run(_entropy(rates, weighting.totals).ravel())
    unfinished = np.bincount(left // truth.shape[1], minlength=len(rates))
    fitted = found.reshape(*constant.shape, -1)
    return Solution(fitted[..., :-1], fitted[..., -1], constant, unfinished)


def _entropy(rates: npt.NDArray[np.float64], totals: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    safe = np.clip(rates, 1e-12, 1 - 1e-12)
    return -(safe * np.log(safe) + (1 - safe) * np.log(1 - safe)) * totals


class _Descent:
    """The columns still moving, and their history."""

    def __init__(
        self,
        design: Design,
        truth: npt.NDArray[np.bool_],
        weighting: Weighting,
        strength: float,
        settings: Settings,
        found: Floats,
        active: npt.NDArray[np.intp],
    ) -> None:
        self._design, self._settings = design, settings
        self._penalty = np.float32(1 / strength)
        self._weights = weighting.weights.kept(active)
        self._wholes, self._shares = weighting.wholes[active], weighting.shares[active]
        self._found, self._active = found, active
        self._position = found[active]
        self._truth = np.ascontiguousarray(truth[:, active % truth.shape[1]], dtype=np.float32)
        self._margins = np.repeat(self._position[None, :, -1], len(truth), axis=0)
        self._direction = np.zeros_like(self._margins)
        self._step = np.zeros(len(active), np.float32)
        history = (settings.memory, len(active), found.shape[1])
        self._moves, self._changes = np.empty(history, np.float32), np.empty(history, np.float32)
        self._rho = np.zeros(history[:2], np.float32)
        self._order: list[int] = []
        self._last: Floats | None = None

    def run(self, null_loss: npt.NDArray[np.float64]) -> npt.NDArray[np.intp]:
        """Descend until every column is done; returns those that were not."""
        for iteration in range(self._settings.iterations):
            gradient, inverse = self._gradient()
            self._remember(gradient, iteration)
            decrement = 0.5 * np.einsum("ij,ij,ij->i", gradient, gradient, inverse)
            require_number(decrement, "the slope of the loss")
            moving = decrement > self._settings.tolerance * null_loss[self._active]
            if not moving.any():
                self._found[self._active] = self._position
                return self._active[:0]
            if moving.mean() < 0.75:
                gradient, inverse = gradient[moving], inverse[moving]
                self._keep(moving)
            self._advance(gradient, inverse, iteration)
            self._last = gradient
        self._found[self._active] = self._position
        return self._active

    def _gradient(self) -> tuple[Floats, Floats]:
        residual = np.empty_like(self._margins)
        state = (self._margins, self._direction, self._step, self._truth)
        weights = self._weights
        intercept, curvature = residuals(*state, weights.weights, weights.starts, residual)
        gradient = np.empty_like(self._position)
        np.multiply(self._position[:, :-1], self._penalty, out=gradient[:, :-1])
        gradient[:, :-1] += self._design.gradient(residual)
        gradient[:, -1] = intercept
        rate = np.maximum(curvature / self._wholes, np.float32(_LEAST_CURVATURE))
        inverse = np.empty_like(gradient)
        np.multiply.outer(rate * self._shares, self._design.diagonal, out=inverse[:, :-1])
        inverse[:, :-1] += self._penalty
        inverse[:, -1] = rate * self._wholes
        return gradient, np.reciprocal(inverse, out=inverse)

    def _remember(self, gradient: Floats, iteration: int) -> None:
        if self._last is None:
            return
        slot = (iteration - 1) % self._settings.memory
        np.subtract(gradient, self._last, out=self._changes[slot])
        product = np.einsum("ij,ij->i", self._changes[slot], self._moves[slot])
        self._rho[slot] = np.where(product > 1e-12, 1 / np.maximum(product, np.float32(1e-12)), 0)
        self._order = [k for k in self._order if k != slot] + [slot]

    def _keep(self, moving: npt.NDArray[np.bool_]) -> None:
        self._found[self._active[~moving]] = self._position[~moving]
        self._active, self._position = self._active[moving], self._position[moving]
        self._truth, self._margins = self._truth[:, moving].copy(), self._margins[:, moving].copy()
        self._moves, self._changes = self._moves[:, moving], self._changes[:, moving]
        self._rho = self._rho[:, moving].copy()
        self._weights = self._weights.kept(moving)
        self._wholes, self._shares = self._wholes[moving], self._shares[moving]

    def _advance(self, gradient: Floats, inverse: Floats, iteration: int) -> None:
        order = np.array(self._order, np.int64)
        z = two_loop(gradient, inverse, self._moves, self._changes, self._rho, order)
        self._direction = self._design.margins(z[:, :-1])
        self._direction += z[:, -1]
        self._step = self._line_search(z, newton_steps=2 if iteration < 3 else 1)
        move = self._moves[iteration % self._settings.memory]
        np.multiply(z, self._step[:, None], out=move)
        self._position += move

    def _line_search(self, z: Floats, newton_steps: int) -> Floats:
        first = np.einsum("ij,ij->i", self._position[:, :-1], z[:, :-1]) * self._penalty
        second = np.einsum("ij,ij->i", z[:, :-1], z[:, :-1]) * self._penalty
        step = np.ones(len(z), np.float32)
        weights, starts = self._weights.weights, self._weights.starts
        for _ in range(newton_steps):
            f1, f2 = slopes(self._margins, self._direction, step, self._truth, weights, starts)
            proposal = step - (f1 + first + step * second) / (f2 + second)
            step = np.clip(proposal, np.float32(0.05) * step, 4 * step).astype(np.float32)
        return step
