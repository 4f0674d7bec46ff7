"""Log-loss: the negative log-likelihood of the labels."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from services.classifier.objectives import OBJECTIVES, Counts
from services.domain.plan import LOG_LOSS
from services.domain.task import TaskType

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True)
class LogLoss:
    """Binary cross-entropy per label, or softmax cross-entropy."""

    version: ClassVar[int] = 1
    description: ClassVar[str] = "Cross-entropy: the negative log-likelihood of the labels."
    types: ClassVar[tuple[TaskType, ...]] = tuple(TaskType)
    reweights: ClassVar[bool] = True

    def losses(self, logits: "Tensor", targets: "Tensor", counts: Counts) -> "Tensor":
        return cross_entropies(logits, targets, counts.type)


def cross_entropies(logits: "Tensor", targets: "Tensor", task_type: TaskType) -> "Tensor":
    """Return log-loss per document and label, as `Objective.losses` does."""
    from torch.nn import functional

    if task_type is TaskType.SINGLE_LABEL:
        return -targets * functional.log_softmax(logits, dim=1)
    return functional.binary_cross_entropy_with_logits(logits, targets, reduction="none")


OBJECTIVES.register(LOG_LOSS, LogLoss())
