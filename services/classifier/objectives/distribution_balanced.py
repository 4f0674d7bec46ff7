"""Distribution-balanced loss (Wu et al., 2020)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from services.classifier.objectives import OBJECTIVES, Counts
from services.classifier.parameters import require_not_negative, require_positive
from services.domain.task import TaskType

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True)
class DistributionBalanced:
    """Rebalanced weights and negatives that are tolerated; without the focal factor.

    A label of n documents would be drawn with probability 1/n if labels were drawn
    evenly, and a document comes with every label it has: r = (1/n) / Σ 1/n over the
    document's labels, smoothed to alpha + sigmoid(beta (r - mu)), weighs all labels of
    the document, present or not. With v = kappa · log(N/n - 1) and m = logit - v, a
    positive costs log(1 + exp(-m)) and a negative log(1 + exp(scale · m)) / scale.

    Args:
        alpha: The least weight, positive.
        beta: Slope of the smoothing, positive.
        mu: The ratio in its middle.
        scale: The paper's lambda, positive: how soon a negative is let go.
        kappa: How far rare labels are shifted, not negative.
    """

    version: ClassVar[int] = 1
    description: ClassVar[str] = (
        "Distribution-balanced loss for labels that come together and differ in number."
    )
    types: ClassVar[tuple[TaskType, ...]] = (TaskType.MULTI_LABEL,)
    # Shifted and scaled log-losses are not log-loss times a weight.
    reweights: ClassVar[bool] = False

    alpha: float = 0.1
    beta: float = 10.0
    mu: float = 0.2
    scale: float = 5.0
    kappa: float = 0.05

    def __post_init__(self) -> None:
        for name in ("alpha", "beta", "scale"):
            require_positive(name, getattr(self, name))
        require_not_negative("kappa", self.kappa)

    def losses(self, logits: "Tensor", targets: "Tensor", counts: Counts) -> "Tensor":
        import torch
        from torch.nn import functional

        inverse = logits.new_tensor(1 / counts.filled)
        ratio = inverse / (targets * inverse).sum(dim=1, keepdim=True)
        weight = self.alpha + torch.sigmoid(self.beta * (ratio - self.mu))
        # Never infinite, though a label may be in no document or in all of them.
        share = np.clip(counts.positives / counts.total, 1 / (counts.total + 1), 1 - 1 / (counts.total + 1))
        margins = logits - logits.new_tensor(self.kappa * np.log(1 / share - 1))
        tolerant = functional.softplus(self.scale * margins) / self.scale
        return weight * torch.where(targets > 0.5, functional.softplus(-margins), tolerant)


OBJECTIVES.register("distribution_balanced", DistributionBalanced())
