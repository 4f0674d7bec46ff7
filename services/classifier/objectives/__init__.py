"""Objectives: what a classifier minimises, one module each, found by scanning this folder.

An objective is a frozen dataclass whose fields are its constants. A stage names
it, and the constants that differ from their defaults: "focal" or "focal(gamma=1)".
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from services.classifier.parameters import Parameters
from services.domain.registry import Registry
from services.domain.task import TaskType

if TYPE_CHECKING:
    from torch import Tensor

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Counts:
    """What an objective may know of the training set as a whole; copies count.

    Args:
        type: Decides between sigmoid and softmax.
        positives: Shape (labels,): the summed weight of the documents of each label.
        total: The summed weight of all documents, positive.
    """

    type: TaskType
    positives: npt.NDArray[np.float64]
    total: float

    @classmethod
    def of(cls, task_type: TaskType, truth: npt.NDArray[np.bool_], weights: Floats) -> "Counts":
        """Count a training set: truth of shape (n, labels), weights of shape (n,)."""
        exact = weights.astype(np.float64)
        return cls(task_type, exact @ truth, float(exact.sum()))

    @property
    def filled(self) -> npt.NDArray[np.float64]:
        """Positives for use in ratios: a label without documents counts as having one."""
        return np.where(self.positives > 0, self.positives, 1.0)


class Objective(Parameters, Protocol):
    """A loss. `version` is raised whenever its values change."""

    @property
    def version(self) -> int: ...

    @property
    def description(self) -> str: ...

    @property
    def types(self) -> tuple[TaskType, ...]:
        """The tasks for which it is defined."""
        ...

    @property
    def reweights(self) -> bool:
        """Whether it is log-loss times a weight that no logit enters, and so convex."""
        ...

    def losses(self, logits: "Tensor", targets: "Tensor", counts: Counts) -> "Tensor":
        """Return what each document and label adds to the loss, not yet weighted by document.

        In a multi-label task an element depends on its own logit only, which lets
        linear heads be fitted label by label; targets may all enter it. In a
        single-label task a document's loss stands in the column of its label, and
        the others are 0.

        Args:
            logits: Shape (n, labels), floating.
            targets: Shape (n, labels), 0 or 1, of the logits' dtype.
            counts: Of the whole training set, of which these may be a batch.

        Returns:
            Shape (n, labels), not negative, differentiable in the logits.
        """
        ...


OBJECTIVES: Registry[Objective] = Registry("objectives", __name__)
