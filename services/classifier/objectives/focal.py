"""Focal loss (Lin et al., 2017)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from services.classifier.objectives import OBJECTIVES, Counts
from services.classifier.objectives.log_loss import cross_entropies
from services.classifier.parameters import require_not_negative
from services.domain.task import TaskType

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True)
class Focal:
    """-(1 - p)^gamma log p, where p is the probability given to the truth; without the paper's alpha.

    Per label on a sigmoid; in a single-label task on the softmax of the true class.

    Args:
        gamma: Not negative; 0 is log-loss.
    """

    version: ClassVar[int] = 1
    description: ClassVar[str] = "Focal loss: documents that are right already count little."
    types: ClassVar[tuple[TaskType, ...]] = tuple(TaskType)
    reweights: ClassVar[bool] = False

    gamma: float = 2.0

    def __post_init__(self) -> None:
        require_not_negative("gamma", self.gamma)

    def losses(self, logits: "Tensor", targets: "Tensor", counts: Counts) -> "Tensor":
        import torch

        entropies = cross_entropies(logits, targets, counts.type)
        # 1 - p, exact where p is next to 1; elsewhere in a single-label row both factors are 0.
        missing = -torch.expm1(-entropies)
        if self.gamma < 1:
            # Below 1 the power has no derivative at 0.
            missing = missing.clamp_min(torch.finfo(logits.dtype).tiny)
        return missing**self.gamma * entropies


OBJECTIVES.register("focal", Focal())
