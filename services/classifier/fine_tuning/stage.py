"""Documents trained on together, and what a batch of them costs."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from services.classifier.fine_tuning.batches import Rows
from services.classifier.fine_tuning.machine import moved
from services.classifier.fine_tuning.settings import FineTuning
from services.classifier.objectives import Counts, Objective
from services.domain.errors import PreconditionError
from services.domain.task import TaskType

Truth = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Stage:
    """Documents trained on together.

    Args:
        rows: Shape (n,), of the source.
        truth: Shape (n, labels).
        weights: Shape (n,), positive.
        objective: What is minimised.
    """

    rows: Rows
    truth: Truth
    weights: Floats
    objective: Objective

    def steps(self, settings: FineTuning) -> int:
        """Return how many steps it is given; with budget "examples" a document counts as its weight."""
        if settings.budget == "steps":
            return settings.steps
        return max(1, math.ceil(settings.epochs * float(self.weights.sum(dtype=np.float64)) / settings.batch))


class StageLoss:
    """The loss of a stage's batches, its targets on the device.

    Args:
        stage: The documents.
        task_type: Decides between sigmoid and softmax.
        device: Where logits will be.
    """

    def __init__(self, stage: Stage, task_type: TaskType, device: torch.device) -> None:
        self._objective, self._type, self._device = stage.objective, task_type, device
        self._counts = Counts.of(task_type, stage.truth, stage.weights)
        self._truth = moved(torch.from_numpy(stage.truth.astype(np.float32)), device)
        self._scale = moved(torch.from_numpy(stage.weights / stage.weights.mean()), device)

    def of(self, positions: Rows, logits: Tensor) -> Tensor:
        """Return the weighted mean over documents, and over labels where they are independent."""
        places = moved(torch.from_numpy(positions), self._device)
        losses = self._objective.losses(logits, self._truth[places], self._counts)
        total = (self._scale[places][:, None] * losses).sum() / len(positions)
        return total / logits.shape[1] if self._type is TaskType.MULTI_LABEL else total


class LossWatch:
    """Finds the first loss that is no number; a device other than the processor is not waited for at every step.

    Args:
        stage: Counted from 0.
        precision: Of the products.
        device: Where losses are.
    """

    def __init__(self, stage: int, precision: str, device: torch.device) -> None:
        self._stage, self._precision, self._waits = stage, precision, device.type == "cpu"
        self._step = torch.full((), -1, dtype=torch.int64, device=device)
        self._loss = torch.zeros((), device=device)

    def see(self, loss: Tensor, step: int) -> None:
        """Look at the loss of a step, counted from 0.

        Raises:
            PreconditionError: It is no number, and the device is the processor.
        """
        if self._waits:
            if not bool(torch.isfinite(loss)):
                raise self._failed(loss.item(), step)
            return
        first = (self._step < 0) & ~torch.isfinite(loss)
        self._step = torch.where(first, step, self._step)
        self._loss = torch.where(first, loss, self._loss)

    def settle(self) -> None:
        """Wait for all that were looked at.

        Raises:
            PreconditionError: One was no number.
        """
        step = int(self._step)
        if step >= 0:
            raise self._failed(self._loss.item(), step)

    def _failed(self, loss: float, step: int) -> PreconditionError:
        return PreconditionError(
            f"the loss is {loss} at step {step + 1} of stage {self._stage + 1} in {self._precision}; "
            "lower learning_rate, or train with precision fp32",
            field="parameters.learning_rate",
            step=str(step + 1),
            precision=self._precision,
        )
