"""Fine-tuning MiniLM on the processor, against the Trainer of transformers.

The first steps of a fit of the family `fine_tuned_encoder`: same network, same batches
in the same order, same optimiser. Loading the checkpoint is on neither side, filling
the cache of the frozen layers' output is on ours.
"""

import os
from collections import Counter
from collections.abc import Callable, Mapping
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple
from unittest.mock import patch

import numpy as np
import torch
from scipy.special import expit
from threadpoolctl import threadpool_limits

from services.classifier.families import Examples, Source, TextBlock
from services.classifier.fine_tuning.batches import epoch_batches
from services.classifier.fine_tuning.fitting import Fitter
from services.classifier.fine_tuning.loop import RISE
from services.classifier.fine_tuning.machine import DEVICE_VARIABLE
from services.classifier.fine_tuning.settings import FineTuning
from services.domain.task import TaskType
from services.features.minilm_files import load_tokenizer, model_folder
from services.storage.store import Store
from tests.benchmarks import trainer
from tests.benchmarks.comparison import Comparison, Table
from tests.benchmarks.encoding import OPERATIONS_PER_TOKEN
from tests.benchmarks.limits import limits
from tests.benchmarks.simulated import SEED, simulated_documents
from tests.benchmarks.timing import Timed, in_turns

REPEATS = 1
LONGEST = 128
LAYERS, FROZEN = 6, 4
LABELS = 20
# Of the whole budget; the first steps are run.
STEPS = 300
# Multiplying in bfloat16 moves a score by some hundredths, float32 by rounding.
TOLERANCES = {"fp32": 1e-3, "bf16": 2e-2}


Scoring = Callable[[], np.ndarray]


class Size(NamedTuple):
    """Documents trained on, documents scored, documents a step and steps."""

    train: int = 64
    test: int = 100
    batch: int = 16
    steps: int = 16


class Task(NamedTuple):
    """What both sides are given; the texts to be scored come last."""

    texts: tuple[str, ...]
    truth: np.ndarray
    size: Size

    @property
    def train(self) -> tuple[str, ...]:
        return self.texts[: self.size.train]

    @property
    def lengths(self) -> np.ndarray:
        encoded = load_tokenizer(model_folder(), LONGEST).encode_batch(list(self.train))
        return np.array([len(one.ids) for one in encoded], np.int64)

    @property
    def tokens(self) -> int:
        """Tokens that ours computes in all steps, padded to the longest of a batch and a multiple of eight."""
        lengths = self.lengths
        return int(sum(len(rows) * -(-lengths[rows].max() // 8) * 8 for rows in _batches(self)))


FULL = Size()


def run(repeats: int = REPEATS, size: Size = FULL) -> Table:
    """Train all layers, and the upper ones over cached lower ones, on both sides."""
    torch.set_num_threads(1)
    task = _task(size)
    with (
        TemporaryDirectory() as folder,
        threadpool_limits(1),
        patch.dict(os.environ, {DEVICE_VARIABLE: "cpu"}),
    ):
        full, half, cached = (
            Ours(task, freeze, precision, Path(folder), repeats)
            for freeze, precision in ((0, "fp32"), (0, "bf16"), (FROZEN, "bf16"))
        )
        padded, longest, upper = (
            Peer(task, freeze, padding, Path(folder), repeats)
            for freeze, padding in ((0, "max_length"), (0, "longest"), (FROZEN, "max_length"))
        )
        sides: tuple[Ours | Peer, ...] = (full, half, cached, padded, longest, upper)
        timed = dict(zip(sides, in_turns(repeats, *sides), strict=True))
        rows = tuple(
            _compared(task, timed, ours, peer, like, goal)
            for ours, peer, like, goal in (
                (full, padded, padded, 4.0),
                (half, padded, padded, 4.0),
                (full, longest, longest, None),
                (cached, padded, upper, 15.0),
                (cached, upper, upper, None),
            )
        )
    versions = ", ".join(
        f"{name} {metadata.version(name)}" for name in ("transformers", "accelerate", "torch")
    )
    return Table("Fine-tuning", rows, repeats, versions)


def _task(size: Size) -> Task:
    """Take the most frequent labels: all are in some and in not all training texts."""
    documents = simulated_documents(size.train + size.test)
    counts = Counter(label for _, labels in documents[: size.train] for label in labels)
    chosen = [label for label, count in counts.most_common(LABELS) if count < size.train]
    truth = np.array([[label in labels for label in chosen] for _, labels in documents])
    return Task(tuple(text for text, _ in documents), truth, size)


def _batches(task: Task) -> list[np.ndarray]:
    """Return the rows of every step, in the order of our fits."""
    found: list[np.ndarray] = []
    while len(found) < task.size.steps:
        epoch = len(found) // -(-task.size.train // task.size.batch)
        found += epoch_batches(task.lengths, task.size.batch, SEED, 0, epoch)
    return found[: task.size.steps]


class Ours:
    """Fits by the family's own loop, each from a cache that is empty."""

    def __init__(self, task: Task, freeze: int, precision: str, folder: Path, repeats: int) -> None:
        layers = f"the layers above {freeze}, those below cached" if freeze else "all layers"
        self.freeze, self.precision = freeze, precision
        self.name, self._task = f"{layers}, {precision}", task
        source = Source(Store(folder), (TextBlock(task.texts),), {}, "")
        self._fresh = [Fitter(source, _settings(task, freeze, precision)) for _ in range(repeats)]

    def __call__(self) -> Scoring:
        """Fit, and return what scores the texts to be scored."""
        fitter, size = self._fresh.pop(), self._task.size
        rows, weights = np.arange(size.train), np.ones((size.train, 1), np.float32)
        examples = Examples(TaskType.MULTI_LABEL, rows, self._task.truth[: size.train], weights, seed=SEED)
        fit = fitter.fit(examples, 0, (size.steps,))
        return lambda: fitter.logits(fit.weights, size.train + np.arange(size.test))


class Peer:
    """Fits by the Trainer."""

    def __init__(self, task: Task, freeze: int, padding: str, folder: Path, repeats: int) -> None:
        layers = f"the layers above {freeze} trained" if freeze else "all layers"
        how = f"padded to {LONGEST}" if padding == "max_length" else "padded to the longest of a batch"
        self.name, self._task = f"`Trainer`, {layers}, {how}, float32", task
        settings = _settings(task, freeze, "fp32")
        recipe = trainer.Recipe(
            _batches(task),
            _share_of_rate,
            settings.learning_rate,
            settings.head_factor,
            settings.weight_decay,
            freeze,
            LONGEST,
        )
        truth = task.truth[: task.size.train]
        self._fresh = [trainer.prepared(task.train, truth, recipe, padding, folder) for _ in range(repeats)]

    def __call__(self) -> Scoring:
        """Fit, and return what scores the texts to be scored."""
        fresh = self._fresh.pop()
        fresh.train()
        model = fresh.model
        assert isinstance(model, trainer.Classifier)
        texts = self._task.texts[self._task.size.train :]
        return lambda: trainer.logits(model, texts, LONGEST)


def _settings(task: Task, freeze: int, precision: str) -> FineTuning:
    return FineTuning(
        freeze=freeze,
        precision=precision,
        batch=task.size.batch,
        steps=STEPS,
        longest=LONGEST,
        learning_rate=2e-4,
    )


def _share_of_rate(step: int) -> float:
    """Return the learning rate's share of its highest: it rises for 6 % of the budget, then falls to 0."""
    rise = round(RISE * STEPS)
    return min((step + 1) / rise, (STEPS - step) / (STEPS - rise + 1))


def _compared(
    task: Task, timed: Mapping[Ours | Peer, Timed], ours: Ours, peer: Peer, like: Peer, goal: float | None
) -> Comparison:
    """Compare times with one peer and scores with the one that trains the same layers."""
    size, length = task.size, task.tokens / task.size.steps / task.size.batch
    rate = limits().float32 if ours.precision == "fp32" else limits().bfloat16
    # Backward takes twice the products of forward.
    seconds = 3 * task.tokens * OPERATIONS_PER_TOKEN * (1 - ours.freeze / LAYERS) / 1e9 / rate
    return Comparison(
        f"{size.steps} steps of {size.batch} documents, {ours.name}",
        peer.name,
        timed[ours].seconds,
        timed[peer].seconds,
        float(np.abs(expit(timed[ours].result()) - expit(timed[like].result())).max()),
        TOLERANCES[ours.precision],
        "largest Δprobability" + (" to the Trainer on the same layers" if like is not peer else ""),
        goal,
        f"Padding makes {LONGEST} tokens of a document, {LONGEST / length:.1f} times the {length:.0f} that ours computes; "
        f"forward and backward, the products of the layers trained alone take {seconds:.1f} s at the rate measured.",
    )
