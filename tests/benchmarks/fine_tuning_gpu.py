"""Fine-tuning an encoder of 24 x 1024 on one GPU against the Hugging Face Trainer.

Both train the same function (mean of the last states, unit length, linear scores) from the same
random weights, on the same documents, for the same steps at the same learning rates with AdamW,
bfloat16 products and float32 weights, without dropout. The Trainer pads each batch to its
longest document; a second one also groups documents of like length. Rates are wall time: the Trainer's after
a third of the steps, ours of a second fit of all steps, whose shapes were recorded by the first.
A third row is of frozen lower layers, whose output is computed before; its ratio is to itself.

Run with `python -m tests.benchmarks.fine_tuning_gpu`; without a CUDA device it says so and ends.
Fails only where the training loss of ours, in the mean over three orders of the documents, is
higher than the highest of the Trainer's.
"""

import gc
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from services.classifier.fine_tuning.checkpoints import library, load_model
from services.classifier.fine_tuning.loop import Held, Training
from services.classifier.fine_tuning.machine import Machine, repeatable
from services.classifier.fine_tuning.network import Network
from services.classifier.fine_tuning.paths import pool_of
from services.classifier.fine_tuning.pool import Pool
from services.classifier.fine_tuning.progress import SavedStanding
from services.classifier.fine_tuning.settings import FineTuning
from services.classifier.fine_tuning.stage import Stage
from services.classifier.fine_tuning.tokens import Tokens
from services.classifier.stage_objective import read_objective
from services.classifier.thresholds import tune_threshold
from services.domain.task import TaskType
from tests.benchmarks.fine_tuning_gpu_peer import train_peer

LAYERS, WIDTH, HEADS, VOCABULARY, POSITIONS = 24, 1024, 16, 39_859, 512
DOCUMENTS, HELD, LABELS = 1536, 512, 64
# Log-normal lengths with a mean of 145 and nine in ten up to 244.
LOG_MEAN, LOG_SPREAD = 4.849, 0.506
MARKERS, MARKED = 6, 0.25
EPOCHS, SEED = 3, 20260101
# Of the order of the documents.
SEEDS = (SEED, SEED + 1, SEED + 2)
BATCHES = (16, 32)
# A random encoder learns slowly, so the head has to learn fast.
LEARNING_RATE, HEAD_FACTOR = 2e-6, 50_000.0
# bfloat16 products of random numbers, 8,192 in each direction, as measured.
LIMIT_TFLOPS = 790


class Row(NamedTuple):
    """One way of training at one batch size; a loss and an F1 for each order of the documents."""

    how: str
    batch: int
    documents_per_second: float
    warm_up_seconds: float
    gibibytes: float
    tflops: float
    losses: tuple[float, ...]
    f1s: tuple[float, ...]
    ratio: float = 1.0
    equal: bool = True


def write_checkpoint(folder: Path, **changes: Any) -> str:
    """Write a BERT of random weights and return its folder; it has no tokenizer, for tokens are drawn."""
    transformers = library()
    settings = {
        "vocab_size": VOCABULARY,
        "hidden_size": WIDTH,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "intermediate_size": 4 * WIDTH,
        "max_position_embeddings": POSITIONS,
        "hidden_dropout_prob": 0.0,
        "attention_probs_dropout_prob": 0.0,
    }
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        model = transformers.BertModel(
            transformers.BertConfig(**(settings | changes)), add_pooling_layer=False
        )
    with torch.no_grad():
        # Else two dozen random layers make all documents alike, and there is nothing to learn from.
        for layer in model.encoder.layer:
            layer.attention.output.dense.weight *= (2 * LAYERS) ** -0.5
            layer.output.dense.weight *= (2 * LAYERS) ** -0.5
    model.save_pretrained(str(folder))
    (folder / "vocab.txt").write_text("[PAD]\n")
    return str(folder)


def corpus(documents: int, longest: int = POSITIONS) -> tuple[Tokens, np.ndarray]:
    """Draw tokens of Zipf's law in which every label has words of its own, and the labels, (documents, LABELS)."""
    rng = np.random.default_rng(SEED)
    lengths = np.clip(rng.lognormal(LOG_MEAN, LOG_SPREAD, documents).astype(int), 8, longest)
    truth = rng.random((documents, LABELS)) < 2.5 / LABELS
    ids = []
    for length, labels in zip(lengths, truth, strict=True):
        tokens = 1000 + rng.zipf(1.3, length) % (VOCABULARY - 1000)
        own = np.flatnonzero(labels)
        if len(own):
            marked = rng.random(length) < MARKED
            tokens[marked] = (
                10 + MARKERS * rng.choice(own, marked.sum()) + rng.integers(0, MARKERS, marked.sum())
            )
        ids.append(tuple(tokens.tolist()))
    return Tokens(tuple(ids), (False,) * documents), truth


class Bench:
    """One checkpoint over one corpus, trained in several ways.

    Args:
        folder: Of the checkpoint.
        freeze: Lower layers that stay as they are.
    """

    def __init__(self, folder: str, freeze: int = 0) -> None:
        self.folder, self._freeze = folder, freeze
        self.tokens, self.truth = corpus(DOCUMENTS + HELD)
        self.rows = np.arange(DOCUMENTS)
        self.trained_tokens = float(self.tokens.lengths(self.rows).mean())

    def settings(self, batch: int) -> FineTuning:
        steps = EPOCHS * DOCUMENTS // batch
        return FineTuning(
            self.folder,
            self._freeze,
            POSITIONS,
            batch,
            steps=steps,
            learning_rate=LEARNING_RATE,
            head_factor=HEAD_FACTOR,
            precision="bf16",
        )

    @contextmanager
    def pool(self, batch: int) -> Iterator[Pool]:
        """Lay the documents out under a network that has been started."""
        machine = Machine.here("bf16")
        network = Network(load_model(self.folder, "auto"), self._freeze, machine.device)
        pool, _ = pool_of(self.tokens, 0, network, machine, self.settings(batch), POSITIONS)
        yield pool
        del pool, network
        gc.collect()
        torch.cuda.empty_cache()

    def log_odds(self) -> np.ndarray:
        """Return the labels' log-odds, shape (labels,)."""
        share = np.clip(self.truth[:DOCUMENTS].mean(axis=0), 1e-6, 1 - 1e-6)
        return np.asarray(np.log(share / (1 - share)))

    def quality(self, pool: Pool) -> tuple[float, float]:
        """Return log-loss of the documents trained on, and micro-F1 of others."""
        logits, truth = pool.all_logits(np.arange(DOCUMENTS + HELD)), self.truth
        cost = (np.logaddexp(0, logits) - truth * logits)[:DOCUMENTS]
        found, right = logits[DOCUMENTS:], truth[DOCUMENTS:]
        threshold = tune_threshold(logits[:DOCUMENTS], truth[:DOCUMENTS]).value or 0.0
        predicted = found >= threshold
        return float(cost.mean()), float(2 * (predicted & right).sum() / (predicted.sum() + right.sum()))

    def row(
        self, how: str, batch: int, rate: float, warm_up: float, quality: Sequence[tuple[float, float]]
    ) -> Row:
        """Return a row; its quality is one loss and one F1 for each order."""
        parameters = 12 * WIDTH**2 * (LAYERS - self._freeze)
        tflops = 6 * parameters * self.trained_tokens * rate / 1e12
        memory = torch.cuda.max_memory_reserved() / 2**30
        losses, f1s = zip(*quality, strict=True)
        return Row(how, batch, rate, warm_up, memory, tflops, losses, f1s)


class Unsaved(SavedStanding):
    """A standing that is never written."""

    def due(self, size: int) -> bool:
        return False


def ours(bench: Bench, batch: int, how: str = "ours, packed") -> Row:
    """Train once to record the steps, and then once for each order, timed."""
    with bench.pool(batch) as pool, repeatable(pool.network.device):
        torch.cuda.reset_peak_memory_stats()
        objective = read_objective("log_loss", TaskType.MULTI_LABEL)
        stage = Stage(bench.rows, bench.truth[:DOCUMENTS], np.ones(DOCUMENTS, np.float32), objective)
        initial = pool.network.weights()
        pool.remember(np.arange(DOCUMENTS + HELD))
        first = _seconds(lambda: _fit(bench, pool, stage, batch, initial, SEED))
        seconds, quality = [], []
        for seed in SEEDS:
            seconds.append(_seconds(lambda: _fit(bench, pool, stage, batch, initial, seed)))  # noqa: B023
            quality.append(bench.quality(pool))
        usual = float(np.median(seconds))
        return bench.row(how, batch, EPOCHS * DOCUMENTS / usual, first - usual, quality)


def _fit(bench: Bench, pool: Pool, stage: Stage, batch: int, initial: dict[str, Tensor], seed: int) -> None:
    pool.network.restore(initial)
    pool.network.start_head(bench.log_odds(), np.zeros(LABELS, np.int8))
    nothing = Held(bench.rows[:0], bench.truth[:0])
    training = Training(pool, bench.settings(batch), TaskType.MULTI_LABEL, nothing, seed)
    training.run((stage,), Unsaved(Path("unsaved")))


def peer(bench: Bench, batch: int, sampling: str, how: str, seeds: Sequence[int]) -> Row:
    """Train with the Trainer for each order, padding dynamically."""
    tokens, truth = bench.tokens.ids[:DOCUMENTS], bench.truth[:DOCUMENTS]
    found, quality = [], []
    for seed in seeds:
        trained = train_peer(bench.settings(batch), tokens, truth, bench.log_odds(), sampling, seed)
        gc.collect()
        torch.cuda.empty_cache()
        with bench.pool(batch) as pool:
            pool.network.restore(trained.weights)
            quality.append(bench.quality(pool))
        found.append(trained._replace(weights={}))
    rate, warm_up = (float(np.median([one[i] for one in found])) for i in (1, 2))
    row = bench.row(how, batch, rate, warm_up, quality)
    return row._replace(gibibytes=max(one.gibibytes for one in found))


def _seconds(work: Callable[[], object]) -> float:
    torch.cuda.synchronize()
    started = time.perf_counter()
    work()
    torch.cuda.synchronize()
    return time.perf_counter() - started


def run(folder: str) -> list[Row]:
    """Train in all ways at all batch sizes."""
    rows: list[Row] = []
    for batch in BATCHES:
        bench = Bench(folder)
        padded = peer(bench, batch, "random", "Trainer, dynamic padding", SEEDS)
        grouped = peer(bench, batch, "group_by_length", "Trainer, group by length", SEEDS[:1])
        packed = ours(bench, batch)
        highest = max(*padded.losses, *grouped.losses)
        packed = packed._replace(equal=float(np.mean(packed.losses)) <= highest)
        for row in (padded, grouped, packed):
            rows.append(row._replace(ratio=row.documents_per_second / padded.documents_per_second))
            print(table(rows[-1:]).splitlines()[-1], flush=True)
    rows.append(ours(Bench(folder, freeze=20), BATCHES[-1], "ours, lower 20 layers frozen, states kept"))
    return rows


def table(rows: Sequence[Row]) -> str:
    """Return the rows as Markdown; losses and F1 are means over the orders, with their standard deviation."""
    lines = [
        "| How | batch | documents/s | ratio | warm-up s | GiB reserved | TFLOP/s | of the limit | loss | F1 |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {row.how} | {row.batch} | {row.documents_per_second:.0f} | {row.ratio:.2f} | {max(0.0, row.warm_up_seconds):.1f} | "
        f"{row.gibibytes:.1f} | {row.tflops:.0f} | {row.tflops / LIMIT_TFLOPS:.0%} | {_spread(row.losses, 4)} | "
        f"{_spread(row.f1s, 3)} |"
        for row in rows
    ]
    return "\n".join(lines)


def _spread(values: Sequence[float], digits: int) -> str:
    mean = f"{np.mean(values):.{digits}f}"
    return f"{mean} ± {np.std(values, ddof=1):.{digits}f}" if len(values) > 1 else mean


def main() -> int:
    """Run and print; return 1 where ours ended at a higher loss."""
    if not torch.cuda.is_available():
        print("There is no CUDA device here: nothing was measured.")
        return 0
    library().logging.set_verbosity_error()
    with tempfile.TemporaryDirectory() as folder:
        rows = run(write_checkpoint(Path(folder) / "checkpoint"))
    versions = f"torch {torch.__version__}, transformers {library().__version__}"
    print(f"\n{torch.cuda.get_device_name()}, {versions}\n\n{table(rows)}")
    return int(not all(row.equal for row in rows))


if __name__ == "__main__":
    sys.exit(main())
