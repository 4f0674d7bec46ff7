"""Steps of training: what any way of taking them offers, and the one over padded batches."""

from collections.abc import Mapping
from typing import Any, Protocol

import torch
from torch import Tensor

from services.classifier.fine_tuning.batches import Rows
from services.classifier.fine_tuning.settings import FineTuning
from services.classifier.fine_tuning.stage import LossWatch, Stage, StageLoss

GRADIENT_NORM = 1.0
HEAD = "head."


class Steps(Protocol):
    """Steps of one stage over one network."""

    def take(self, positions: Rows, step: int, rate: float) -> None:
        """Take a step.

        Args:
            positions: Shape (n,), of the stage's documents.
            step: Counted from 0.
            rate: What part of the highest learning rate it takes.

        Raises:
            PreconditionError: The loss was no number; not every implementation says so at once.
        """
        ...

    def settle(self) -> None:
        """Wait until all steps are done.

        Raises:
            PreconditionError: The loss of one was no number.
        """
        ...

    def state(self) -> dict[str, Tensor]:
        """Return a copy of the optimiser's state."""
        ...

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Put an optimiser's state back; an empty one is that of the beginning."""
        ...


class Padded(Protocol):
    """What padded steps read: documents and a network."""

    @property
    def trained(self) -> dict[str, Tensor]: ...

    def batch_logits(self, rows: Rows) -> Tensor: ...


class PaddedSteps:
    """Steps over documents side by side, each filled up to the longest of its batch.

    Args:
        pool: The documents and the network.
        stage: What is trained on.
        loss: Of the stage.
        watch: Of the stage.
        settings: Of the request.
    """

    def __init__(
        self, pool: Padded, stage: Stage, loss: StageLoss, watch: LossWatch, settings: FineTuning
    ) -> None:
        self._pool, self._rows, self._loss, self._watch = pool, stage.rows, loss, watch
        self._optimiser = torch.optim.AdamW(groups(pool.trained, settings), lr=0.0, fused=True)

    def take(self, positions: Rows, step: int, rate: float) -> None:
        for group in self._optimiser.param_groups:
            group["lr"] = group["highest"] * rate
        loss = self._loss.of(positions, self._pool.batch_logits(self._rows[positions]))
        self._watch.see(loss.detach(), step)
        self._optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(list(self._pool.trained.values()), GRADIENT_NORM)
        self._optimiser.step()

    def settle(self) -> None:
        self._watch.settle()

    def state(self) -> dict[str, Tensor]:
        return {
            f"{name}/{key}": value.detach().clone()
            for name, tensor in self._pool.trained.items()
            for key, value in self._optimiser.state[tensor].items()
        }

    def restore(self, state: Mapping[str, Tensor]) -> None:
        trained = self._pool.trained
        for key, value in state.items():
            name, _, moment = key.rpartition("/")
            self._optimiser.state[trained[name]][moment] = value.to(trained[name].device).clone()


def groups(trained: Mapping[str, Tensor], settings: FineTuning) -> list[dict[str, Any]]:
    """Return what is trained by learning rate and decay: the fewer groups, the fewer calls in a step."""
    alike: dict[tuple[float, float], list[Tensor]] = {}
    for name, tensor in trained.items():
        factor = settings.head_factor if name.startswith(HEAD) else 1.0
        decay = settings.weight_decay if tensor.dim() > 1 else 0.0
        alike.setdefault((settings.learning_rate * factor, decay), []).append(tensor)
    return [
        {"params": tensors, "highest": highest, "weight_decay": decay}
        for (highest, decay), tensors in alike.items()
    ]
