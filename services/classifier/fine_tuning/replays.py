"""Steps of a stage in packed form, recorded once and replayed."""

from collections.abc import Mapping
from typing import Protocol

import torch
from torch import Tensor

from services.classifier.fine_tuning.batches import Rows
from services.classifier.fine_tuning.graphs import Inputs, Recorder
from services.classifier.fine_tuning.packing import Packing
from services.classifier.fine_tuning.stage import LossWatch, Stage, StageLoss


class LaidOut(Protocol):
    """What replayed steps read: documents on the device."""

    def step_tokens(self, rows: Rows, packing: Packing) -> int: ...

    def inputs(self, rows: Rows, packing: Packing, tokens: int, places: Inputs | None = None) -> Inputs: ...


class ReplayedSteps:
    """Steps over documents one behind the other.

    Args:
        pool: The documents.
        recorder: Of the network's steps.
        packing: Holds a batch.
        stage: What is trained on.
        loss: Of the stage.
        watch: Of the stage.
    """

    def __init__(
        self,
        pool: LaidOut,
        recorder: Recorder,
        packing: Packing,
        stage: Stage,
        loss: StageLoss,
        watch: LossWatch,
    ) -> None:
        self._pool, self._recorder, self._packing = pool, recorder, packing
        self._rows, self._loss, self._watch = stage.rows, loss, watch

    def take(self, positions: Rows, step: int, rate: float) -> None:
        rows = self._rows[positions]
        tokens = self._pool.step_tokens(rows, self._packing)
        recorded = self._recorder.forward(
            tokens, lambda places: self._pool.inputs(rows, self._packing, tokens, places)
        )
        logits = recorded.logits[: len(rows)].clone().requires_grad_()
        loss = self._loss.of(positions, logits)
        self._watch.see(loss.detach(), step)
        (gradient,) = torch.autograd.grad(loss, logits)
        self._recorder.update(recorded, gradient, rate)

    def settle(self) -> None:
        self._watch.settle()

    def state(self) -> dict[str, Tensor]:
        return self._recorder.state()

    def restore(self, state: Mapping[str, Tensor]) -> None:
        self._recorder.restore(state)
