"""Log-loss whose positives weigh as much as the negatives of their label."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from services.classifier.objectives import OBJECTIVES, Counts
from services.classifier.objectives.log_loss import cross_entropies
from services.classifier.parameters import require_positive
from services.domain.task import TaskType

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True)
class PositiveWeights:
    """A label's positives times (negatives / positives) to a power.

    Args:
        power: 1 balances the two sides of every label; less goes part of the way.
    """

    version: ClassVar[int] = 1
    description: ClassVar[str] = "Log-loss with each label's positives weighted by negatives / positives."
    # The classes of a single-label task have no negatives of their own: see class_balanced.
    types: ClassVar[tuple[TaskType, ...]] = (TaskType.MULTI_LABEL,)
    reweights: ClassVar[bool] = True

    power: float = 1.0

    def __post_init__(self) -> None:
        require_positive("power", self.power)

    def losses(self, logits: "Tensor", targets: "Tensor", counts: Counts) -> "Tensor":
        negatives = counts.total - counts.positives
        # A label that all documents have keeps its weight: there is nothing to balance.
        ratio = (negatives / counts.filled) ** self.power
        weight = logits.new_tensor(ratio).where(logits.new_tensor(negatives) > 0, 1.0)
        return (1 + (weight - 1) * targets) * cross_entropies(logits, targets, counts.type)


OBJECTIVES.register("positive_weights", PositiveWeights())
