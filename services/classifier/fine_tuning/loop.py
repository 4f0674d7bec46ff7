"""Steps, scores on the inner fifth, and when to stop."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from services.classifier.fine_tuning.batches import Rows
from services.classifier.fine_tuning.pool import Pool
from services.classifier.fine_tuning.progress import SavedStanding, Standing
from services.classifier.fine_tuning.settings import FineTuning
from services.classifier.fine_tuning.stage import Floats, Stage, Truth
from services.classifier.fine_tuning.steps import Steps
from services.classifier.thresholds import tune_threshold
from services.domain.task import TaskType

# The inner fifth is scored, and the standing written, so often in a stage.
ROUNDS = 12
RISE = 0.06


@dataclass(frozen=True, slots=True)
class Held:
    """Documents kept from training, to stop by; there may be none."""

    rows: Rows
    truth: Truth


class Training:
    """Stages in their order, each from the best weights of the one before.

    Args:
        pool: Documents and network, whose head has been started.
        settings: Of the request.
        type: Of the task.
        held: To stop by.
        seed: Decides the order of the documents.
    """

    def __init__(self, pool: Pool, settings: FineTuning, task_type: TaskType, held: Held, seed: int) -> None:
        self._pool, self._settings, self._type = pool, settings, task_type
        self._held, self._seed = held, seed

    def run(
        self, stages: tuple[Stage, ...], saved: SavedStanding, limits: tuple[int, ...] = ()
    ) -> tuple[int, ...]:
        """Train, leaving the best weights in the network; return the steps that led to them, per stage.

        Args:
            stages: In order.
            saved: Where the standing is kept.
            limits: Steps after which each stage ends, on the way to its whole budget.

        Raises:
            PreconditionError: The loss was no longer a number.
        """
        standing = saved.load() or Standing()
        while standing.stage < len(stages):
            number = standing.stage
            total = stages[number].steps(self._settings)
            end = limits[number] if limits else total
            self._run_stage(stages[number], standing, saved, total, end)
            best = standing.part("best/")
            if best:
                self._pool.network.restore(best)
            taken = standing.best_step if best else standing.step
            standing = Standing(number + 1, taken=(*standing.taken, taken))
            standing.replace("now/", self._pool.network.weights())
        self._pool.network.restore(standing.part("now/"))
        if saved.due(standing_bytes(self._pool.network.trained)):
            saved.save(standing)
        return standing.taken

    def _run_stage(
        self, stage: Stage, standing: Standing, saved: SavedStanding, total: int, end: int
    ) -> None:
        network = self._pool.network
        if standing.part("now/"):
            network.restore(standing.part("now/"))
        steps = self._pool.steps(stage, standing.stage, self._type, self._settings)
        steps.restore(standing.part("optimiser/"))
        round_steps = max(1, math.ceil(total / ROUNDS))
        for positions in self._batches(stage, standing.stage, standing.step, end):
            if standing.waited >= self._settings.patience:
                return
            self._step(steps, positions, standing.step, total)
            standing.step += 1
            if standing.step % round_steps == 0 or standing.step == end:
                steps.settle()
                self._judge(standing)
                if saved.due(standing_bytes(network.trained)):
                    standing.replace("now/", network.weights())
                    standing.replace("optimiser/", steps.state())
                    saved.save(standing)

    def _batches(self, stage: Stage, number: int, done: int, end: int) -> Iterator[Rows]:
        """Yield the batches from a step on, as positions in the stage."""
        per_epoch = math.ceil(len(stage.rows) / self._settings.batch)
        step = done
        while step < end:
            epoch, place = divmod(step, per_epoch)
            for positions in self._pool.epoch(stage.rows, self._settings.batch, self._seed, number, epoch)[
                place:
            ]:
                if step == end:
                    return
                yield positions
                step += 1

    def _step(self, steps: Steps, positions: Rows, step: int, total: int) -> None:
        steps.take(positions, step, rate_at(step, total))

    def _judge(self, standing: Standing) -> None:
        if not len(self._held.rows):
            return
        score = self._score()
        standing.waited += 1
        if not standing.best or score > standing.best:
            standing.best, standing.best_step, standing.waited = score, standing.step, 0
            standing.replace("best/", self._pool.network.weights())

    def _score(self) -> tuple[float, ...]:
        """Return micro-F1 at its best threshold, or accuracy; equal ones are told apart by log-loss."""
        logits, truth = self._pool.all_logits(self._held.rows), self._held.truth
        if self._type is TaskType.SINGLE_LABEL:
            right = float(truth[np.arange(len(truth)), logits.argmax(axis=1)].mean())
            likelihood = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
            return right, float(likelihood[truth].mean())
        cost = np.logaddexp(0, logits) - truth * logits
        return _micro_f1(logits, truth), -float(cost.mean())


def standing_bytes(trained: Mapping[str, Tensor]) -> int:
    """Return about how many bytes a standing takes: weights now, at their best, and two moments."""
    return 4 * sum(tensor.nbytes for tensor in trained.values())


def _micro_f1(scores: Floats, truth: Truth) -> float:
    """Return the highest micro-F1 that a threshold gives; 0 where nothing is positive."""
    threshold = tune_threshold(scores, truth).value
    if threshold is None:
        return 0.0
    predicted = scores >= threshold
    return float(2 * (predicted & truth).sum() / (predicted.sum() + truth.sum()))


def rate_at(step: int, total: int) -> float:
    """Return what part of the highest learning rate a step takes, counted from 0 of a stage's whole budget."""
    rise = max(1, round(RISE * total))
    return min((step + 1) / rise, (total - step) / max(1, total - rise + 1))
