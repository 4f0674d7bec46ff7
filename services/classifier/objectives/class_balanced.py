"""Class-balanced log-loss by effective numbers (Cui et al., 2019)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import numpy.typing as npt

from services.classifier.objectives import OBJECTIVES, Counts
from services.classifier.objectives.log_loss import cross_entropies
from services.domain.errors import InvalidInputError
from services.domain.task import TaskType

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True)
class ClassBalanced:
    """A class of n documents weighs (1 - beta) / (1 - beta^n), scaled to a mean of 1 over the classes.

    The paper's classes exclude one another. In a multi-label task every label is
    therefore a problem of two classes, its positives and its negatives.

    Args:
        beta: In [0, 1): 0 weighs all alike; towards 1 a class weighs 1 / n.
    """

    version: ClassVar[int] = 1
    description: ClassVar[str] = "Log-loss with classes weighted by the inverse of their effective number."
    types: ClassVar[tuple[TaskType, ...]] = tuple(TaskType)
    reweights: ClassVar[bool] = True

    beta: float = 0.9999

    def __post_init__(self) -> None:
        if not 0 <= self.beta < 1:
            raise InvalidInputError(f"beta lies in [0, 1), not {self.beta}", field="parameters.beta")

    def losses(self, logits: "Tensor", targets: "Tensor", counts: Counts) -> "Tensor":
        if counts.type is TaskType.SINGLE_LABEL:
            weights = logits.new_tensor(self._weights(counts.filled))
        else:
            negatives = np.maximum(counts.total - counts.positives, 0)
            sides = np.stack([counts.filled, np.where(negatives > 0, negatives, 1.0)])
            positive, negative = logits.new_tensor(self._weights(sides))
            weights = negative + (positive - negative) * targets
        return weights * cross_entropies(logits, targets, counts.type)

    def _weights(self, sizes: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        inverse = (1 - self.beta) / (1 - self.beta**sizes)
        return np.asarray(inverse / inverse.mean(axis=0))


OBJECTIVES.register("class_balanced", ClassBalanced())
