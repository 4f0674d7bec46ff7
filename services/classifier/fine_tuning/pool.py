"""The documents of a source as a network reads them: tokens, and the frozen layers' output once it is computed."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from services.classifier.fine_tuning.batches import Batch, Rows, epoch_batches, lay_out, scored_batches
from services.classifier.fine_tuning.machine import Machine
from services.classifier.fine_tuning.network import Network
from services.classifier.fine_tuning.settings import FineTuning
from services.classifier.fine_tuning.stage import LossWatch, Stage, StageLoss
from services.classifier.fine_tuning.steps import PaddedSteps, Steps
from services.classifier.fine_tuning.tokens import Tokens
from services.domain.task import TaskType

Floats = npt.NDArray[np.float32]

# Outputs beyond this much memory are computed anew each time they are needed.
CACHE_BYTES = 4 << 30


class Pool(Protocol):
    """Documents under a network, however they are laid out."""

    @property
    def tokens(self) -> Tokens: ...

    @property
    def network(self) -> Network: ...

    def remember(self, rows: Rows) -> None:
        """Compute the frozen layers' output of rows, as far as there is room for it."""
        ...

    def epoch(self, rows: Rows, size: int, seed: int, *names: str | int) -> list[Rows]:
        """Return one epoch's batches, as positions in `rows`; names are of the stage and the epoch."""
        ...

    def steps(self, stage: Stage, number: int, task_type: TaskType, settings: FineTuning) -> Steps:
        """Return the way of taking a stage's steps; its number counts from 0."""
        ...

    def all_logits(self, rows: Rows) -> Floats:
        """Return logits of rows in fixed shapes, shape (n, labels): a row's do not depend on the others."""
        ...


@dataclass
class TokenPool:
    """Tokens of all rows, laid out side by side, and what the frozen layers made of those that were needed."""

    tokens: Tokens
    padding: int
    network: Network
    machine: Machine
    _known: dict[int, Tensor] = field(default_factory=dict)
    _bytes: int = 0

    @property
    def trained(self) -> dict[str, Tensor]:
        return self.network.trained

    def remember(self, rows: Rows) -> None:
        if not self.network.freeze:
            return
        missing = np.array([row for row in rows.tolist() if row not in self._known], np.int64)
        for batch in scored_batches(self.tokens.ids, missing, self.padding):
            if self._bytes > CACHE_BYTES:
                return
            states = self._compute(batch)
            for row, state in zip(batch.rows.tolist(), states, strict=False):
                self._known[row] = state[: len(self.tokens.ids[row])].clone()
                self._bytes += self._known[row].nbytes

    def epoch(self, rows: Rows, size: int, seed: int, *names: str | int) -> list[Rows]:
        return epoch_batches(self.tokens.lengths(rows), size, seed, *names)

    def steps(self, stage: Stage, number: int, task_type: TaskType, settings: FineTuning) -> Steps:
        loss = StageLoss(stage, task_type, self.network.device)
        watch = LossWatch(number, self.machine.precision, self.network.device)
        return PaddedSteps(self, stage, loss, watch, settings)

    def batch_logits(self, rows: Rows) -> Tensor:
        """Return logits of rows side by side, shape (n, labels)."""
        return self._logits(lay_out(self.tokens.ids, rows, self.padding))

    @torch.no_grad()
    def all_logits(self, rows: Rows) -> Floats:
        rows = np.asarray(rows, np.int64)
        place = {row: i for i, row in enumerate(rows.tolist())}
        found = np.zeros((len(rows), len(self.network.intercepts)), np.float32)
        for batch in self._scored(rows):
            found[[place[row] for row in batch.rows.tolist()]] = self._logits(batch).cpu().numpy()
        return found

    def _logits(self, batch: Batch) -> Tensor:
        """Return the network's logits, shape (n, labels); dummies are left out."""
        states = self._states(batch) if self.network.freeze else None
        with self.machine.multiplying():
            return self.network.logits(batch.ids, batch.mask, states)[: len(batch.rows)]

    def _scored(self, rows: Rows) -> Iterator[Batch]:
        return scored_batches(self.tokens.ids, rows, self.padding)

    def _states(self, batch: Batch) -> Tensor:
        """Return the frozen layers' output, 0 in the padding."""
        known = self._known
        if not all(row in known for row in batch.rows.tolist()):
            known = self._computed_apart(batch.rows)
        states: Tensor | None = None
        for i, row in enumerate(batch.rows.tolist()):
            if states is None:
                states = known[row].new_zeros(*batch.ids.shape, known[row].shape[1])
            states[i, : len(known[row])] = known[row]
        assert states is not None
        return states

    def _computed_apart(self, rows: Rows) -> dict[int, Tensor]:
        """Compute in the shapes of the cache, so that its size changes no result."""
        found: dict[int, Tensor] = {}
        for batch in self._scored(rows):
            found.update(zip(batch.rows.tolist(), self._compute(batch), strict=False))
        return {row: state[: len(self.tokens.ids[row])] for row, state in found.items()}

    def _compute(self, batch: Batch) -> Tensor:
        with self.machine.multiplying():
            states = self.network.states(batch.ids, batch.mask)
        return states.to(torch.bfloat16 if self.machine.precision == "bf16" else torch.float32)
