"""Steps, scores on the inner fifth, and when to stop."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from services.classifier.fine_tuning.batches import Rows, epoch_batches
from services.classifier.fine_tuning.pool import TokenPool
from services.classifier.fine_tuning.progress import SavedStanding, Standing
from services.classifier.fine_tuning.settings import FineTuning
from services.classifier.objectives import Counts, Objective
from services.classifier.thresholds import tune_threshold
from services.domain.errors import PreconditionError
from services.domain.task import TaskType

Truth = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]

# The inner fifth is scored, and the standing written, so often in a stage.
ROUNDS = 12
RISE = 0.06
GRADIENT_NORM = 1.0


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

    def __init__(
        self, pool: TokenPool, settings: FineTuning, task_type: TaskType, held: Held, seed: int
    ) -> None:
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
        saved.save(standing, ended=True)
        return standing.taken

    def _run_stage(
        self, stage: Stage, standing: Standing, saved: SavedStanding, total: int, end: int
    ) -> None:
        network = self._pool.network
        if standing.part("now/"):
            network.restore(standing.part("now/"))
        optimiser = _optimiser(network.trained, self._settings)
        _restore(optimiser, standing.part("optimiser/"))
        round_steps = max(1, math.ceil(total / ROUNDS))
        for rows in self._batches(stage, standing.stage, standing.step, end):
            if standing.waited >= self._settings.patience:
                return
            self._step(stage, rows, optimiser, standing, total)
            standing.step += 1
            if standing.step % round_steps == 0 or standing.step == end:
                self._judge(standing)
                standing.replace("now/", network.weights())
                standing.replace("optimiser/", _state(optimiser))
                saved.save(standing)

    def _batches(self, stage: Stage, number: int, done: int, end: int) -> Iterator[Rows]:
        """Yield the batches from a step on, as positions in the stage."""
        lengths = self._pool.lengths(stage.rows)
        per_epoch = math.ceil(len(lengths) / self._settings.batch)
        step = done
        while step < end:
            epoch, place = divmod(step, per_epoch)
            for rows in epoch_batches(lengths, self._settings.batch, self._seed, number, epoch)[place:]:
                if step == end:
                    return
                yield rows
                step += 1

    def _step(
        self, stage: Stage, positions: Rows, optimiser: torch.optim.Optimizer, standing: Standing, total: int
    ) -> None:
        for group in optimiser.param_groups:
            group["lr"] = group["highest"] * _rate(standing.step, total)
        logits = self._pool.logits(self._pool.batch(stage.rows[positions]))
        loss = self._loss(stage, positions, logits)
        if not bool(torch.isfinite(loss)):
            precision = self._pool.machine.precision
            raise PreconditionError(
                f"the loss is {loss.item()} at step {standing.step + 1} of stage {standing.stage + 1} in {precision}; "
                "lower learning_rate, or train with precision fp32",
                step=str(standing.step + 1),
                precision=precision,
            )
        optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(list(self._pool.network.trained.values()), GRADIENT_NORM)
        optimiser.step()

    def _loss(self, stage: Stage, positions: Rows, logits: Tensor) -> Tensor:
        """Return the weighted mean over documents, and over labels where they are independent."""
        targets = torch.from_numpy(stage.truth[positions].astype(np.float32)).to(logits.device)
        weights = stage.weights / stage.weights.mean()
        scale = torch.from_numpy(weights[positions]).to(logits.device)
        counts = Counts.of(self._type, stage.truth, stage.weights)
        losses = (scale[:, None] * stage.objective.losses(logits, targets, counts)).sum() / len(positions)
        return losses / logits.shape[1] if self._type is TaskType.MULTI_LABEL else losses

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


def _micro_f1(scores: Floats, truth: Truth) -> float:
    """Return the highest micro-F1 that a threshold gives; 0 where nothing is positive."""
    threshold = tune_threshold(scores, truth).value
    if threshold is None:
        return 0.0
    predicted = scores >= threshold
    return float(2 * (predicted & truth).sum() / (predicted.sum() + truth.sum()))


def _optimiser(trained: dict[str, Tensor], settings: FineTuning) -> torch.optim.Optimizer:
    head = settings.learning_rate * settings.head_factor
    groups = [
        {
            "params": [tensor],
            "highest": head if name.startswith("head.") else settings.learning_rate,
            "weight_decay": settings.weight_decay if tensor.dim() > 1 else 0.0,
        }
        for name, tensor in trained.items()
    ]
    return torch.optim.AdamW(groups, lr=0.0, fused=True)


def _state(optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    return {
        f"{i}/{name}": tensor.detach().cpu().clone()
        for i, values in optimiser.state_dict()["state"].items()
        for name, tensor in values.items()
    }


def _restore(optimiser: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    state: dict[int, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        place, _, name = key.partition("/")
        state.setdefault(int(place), {})[name] = tensor
    if state:
        optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})


def _rate(step: int, total: int) -> float:
    rise = max(1, round(RISE * total))
    return min((step + 1) / rise, (total - step) / max(1, total - rise + 1))
