"""Linear heads under any objective: reweighted log-loss by the convex solver, the rest from its solution."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.classifier.objectives import Counts, Objective
from services.classifier.solvers.descent import Descended, Doubles, Loss, Problem, descend
from services.classifier.solvers.kernels import Floats
from services.classifier.solvers.newton import Design, Settings, Solution, minimise, solve
from services.classifier.solvers.weighting import elementwise
from services.domain.task import TaskType

Truth = npt.NDArray[np.bool_]

# Tighter than the convex solver: the start is a solution already, and what is left is the objective's own.
DESCENT = Settings(tolerance=1e-6, iterations=300, memory=10)


@dataclass(frozen=True, slots=True)
class Under:
    """Stands in for `solve` in a multi-label task.

    Args:
        objective: What is minimised.
        descent: When the second solver stops.
    """

    objective: Objective
    descent: Settings = DESCENT

    def __call__(
        self, design: Design, truth: Truth, weights: Floats, strength: float, settings: Settings
    ) -> Solution:
        if self.objective.reweights:
            elements = [
                element_weights(self.objective, truth, Counts.of(TaskType.MULTI_LABEL, truth, column))
                for column in weights.T
            ]
            weighting = elementwise(truth, weights, np.stack(elements, axis=1))
            return minimise(design, truth, weighting, strength, settings)
        return self.improve(
            design, truth, weights, strength, solve(design, truth, weights, strength, settings)
        )

    def improve(
        self, design: Design, truth: Truth, weights: Floats, strength: float, start: Solution
    ) -> Solution:
        """Descend from a solution; constant labels stay as they are."""
        slopes, intercepts = start.slopes.copy(), start.intercepts.copy()
        unfinished = np.zeros_like(start.unfinished)
        total = float(weights.max(axis=1).sum(dtype=np.float64))
        for g, column in enumerate(weights.T):
            free = np.flatnonzero(~start.constant[g])
            if not len(free):
                continue
            begin = np.column_stack([slopes[g, free], intercepts[g, free]])
            counts = Counts.of(TaskType.MULTI_LABEL, truth, column)
            loss = _loss(self.objective, truth, column, counts, free)
            rate = _rate(counts)[free]
            found = descend(Problem(design, loss, rate, total, strength, len(free)), begin, self.descent)
            slopes[g, free], intercepts[g, free] = found.coefficients[:, :-1], found.coefficients[:, -1]
            unfinished[g] = found.unfinished.sum()
        return Solution(slopes, intercepts, start.constant, unfinished)


def descend_softmax(
    design: Design,
    truth: Truth,
    weights: Floats,
    strength: float,
    start: Floats,
    objective: Objective,
    settings: Settings = DESCENT,
) -> Descended:
    """Fit all labels of a single-label task together.

    Args:
        design: Features of n documents.
        truth: Shape (n, labels), one label per row.
        weights: Shape (n,), as the design was made for.
        strength: C.
        start: Shape (labels, d + 1), the intercept last.
        objective: What is minimised.
        settings: When to stop.
    """
    counts = Counts.of(TaskType.SINGLE_LABEL, truth, weights)
    loss = _loss(objective, truth, weights, counts, np.arange(truth.shape[1]))
    return descend(Problem(design, loss, _rate(counts), counts.total, strength, 1), start, settings)


def element_weights(objective: Objective, truth: Truth, counts: Counts) -> Floats:
    """Return the weight of every document and label under an objective that reweights.

    Returns:
        Shape (n, labels). In a single-label task a row holds its document's weight throughout.
    """
    import torch

    from services.classifier.objectives.log_loss import cross_entropies

    targets = torch.from_numpy(truth.astype(np.float64))
    level = torch.zeros_like(targets)
    # No logit enters the weight, so any logits tell it.
    found = objective.losses(level, targets, counts)
    plain = cross_entropies(level, targets, counts.type)
    if counts.type is TaskType.SINGLE_LABEL:
        found, plain = (x.sum(dim=1, keepdim=True).expand_as(x) for x in (found, plain))
    return np.asarray((found / plain).numpy(), np.float32)


def _loss(
    objective: Objective, truth: Truth, weights: Floats, counts: Counts, free: npt.NDArray[np.intp]
) -> Loss:
    """Return the loss of the free columns; the others' logits are 0, where nobody looks."""
    import torch

    targets = torch.from_numpy(truth.astype(np.float64))
    scale = torch.from_numpy(weights.astype(np.float64))[:, None]
    columns = torch.from_numpy(free)

    def loss(margins: Floats) -> tuple[Doubles, Floats]:
        logits = torch.zeros_like(targets)
        logits[:, columns] = torch.from_numpy(margins).double()
        logits.requires_grad_()
        losses = scale * objective.losses(logits, targets, counts)
        (slope,) = torch.autograd.grad(losses.sum(), logits)
        # Summed by numpy: torch's sums depend on its number of threads.
        per_column: Doubles = losses.detach().numpy()[:, free].sum(axis=0)
        return per_column, np.ascontiguousarray(slope.numpy()[:, free], np.float32)

    return loss


def _rate(counts: Counts) -> Floats:
    share = counts.positives / counts.total
    return np.asarray(share * (1 - share), np.float32)
