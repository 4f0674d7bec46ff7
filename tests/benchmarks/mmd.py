"""Squared MMD and its permutation test for many corpora, against a plain kernel matrix.

Ours measures every corpus at three bandwidths, with a jackknife interval at one, and
tests it at all three by 1,000 arrangements. The peer computes one kernel matrix of all documents
at one bandwidth, and nothing from it. What it would have to go on to is compared with
ours, untimed: MMD from `rbf_kernel` per corpus, arrangements as quadratic forms in the
kernel of 2,000 documents.
"""

from collections.abc import Sequence
from importlib import metadata
from typing import NamedTuple

import numpy as np
from sklearn.metrics.pairwise import rbf_kernel
from threadpoolctl import threadpool_limits

from services.evaluator.fidelity import Estimate, Sample
from services.evaluator.fidelity.block_swaps import arrangements
from services.evaluator.fidelity.blocks import family_blocks
from services.evaluator.fidelity.family_permutation import PERMUTATIONS
from services.evaluator.fidelity.mmd2 import SquaredMmd
from services.evaluator.fidelity.mmd2_swap_p import MmdBlockSwap
from tests.benchmarks.comparison import Comparison, Table
from tests.benchmarks.limits import limits
from tests.benchmarks.timing import in_turns

REPEATS = 5
DIMENSIONS = 384
SEED = 20260101
TOLERANCE = 1e-6
FACTORS = (2**0.5, 1.0, 2**-0.5)
# Corpora that are computed again in the obvious way.
CHECKED = 3


class Size(NamedTuple):
    """Corpora, documents in each and in the reference, and distinct documents in all."""

    corpora: int = 60
    documents: int = 1000
    pool: int = 8000


FULL = Size()


class Task(NamedTuple):
    """The documents: the reference comes first in the pool."""

    pool: np.ndarray
    reference: Sample
    corpora: list[Sample]

    @property
    def bandwidth(self) -> float:
        return SquaredMmd().settings(self.reference)["bandwidth"]


def run(repeats: int = REPEATS, size: Size = FULL) -> Table:
    """Measure and test all corpora, and compute one kernel matrix."""
    task = _task(size)
    gamma = 1 / (2 * task.bandwidth**2)
    pool = task.pool.astype(np.float64)
    with threadpool_limits(1):
        _ours(task)  # Compiles.
        ours, single, double = in_turns(
            repeats,
            lambda: _ours(task),
            lambda: rbf_kernel(task.pool, gamma=gamma),
            lambda: rbf_kernel(pool, gamma=gamma),
        )
        apart = _apart(task, ours.result)
    work = f"{size.corpora} corpora × {size.documents} documents × 3 bandwidths × {PERMUTATIONS + 1} arrangements"
    rows = tuple(
        Comparison(
            work,
            f"one `rbf_kernel` of {size.pool} documents, {precision}, one bandwidth, no test",
            ours.seconds,
            side.seconds,
            apart,
            TOLERANCE,
            "largest ΔMMD² or Δp",
            1.0,
            _reason(size),
        )
        for precision, side in (("float64", double), ("float32", single))
    )
    return Table(
        "MMD and its permutation test", rows, repeats, f"scikit-learn {metadata.version('scikit-learn')}"
    )


def _task(size: Size) -> Task:
    rng = np.random.default_rng(SEED)
    x = rng.normal(size=(size.pool, DIMENSIONS)) + 0.5 * rng.normal(size=DIMENSIONS)
    pool = (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)
    rest = np.arange(size.documents, size.pool)
    drawn = [rng.choice(rest, size.documents, replace=False) for _ in range(size.corpora)]
    return Task(pool, _sample(pool, np.arange(size.documents)), [_sample(pool, rows) for rows in drawn])


def _sample(pool: np.ndarray, rows: np.ndarray) -> Sample:
    return Sample(pool[rows], rows)


def _ours(task: Task) -> tuple[Estimate, ...]:
    return MmdBlockSwap()(task.reference, task.corpora, {"bandwidth": task.bandwidth}, _streams(task))


def _streams(task: Task) -> list[np.random.Generator]:
    return [np.random.default_rng([SEED, i]) for i in range(len(task.corpora))]


def _apart(task: Task, found: Sequence[Estimate]) -> float:
    """Return the largest difference from the obvious way, over some of the corpora."""
    apart = []
    for corpus, rng, ours in list(zip(task.corpora, _streams(task), found, strict=True))[:CHECKED]:
        blocks = family_blocks(corpus.families)
        signs = arrangements(int(blocks.max()) + 1, PERMUTATIONS, rng)
        distances = [ours.estimates[name] for name in ("mmd2_wide", "mmd2", "mmd2_narrow")]
        p_values = [ours.estimates["p_wide"], ours.value, ours.estimates["p_narrow"]]
        for distance, p, factor in zip(distances, p_values, FACTORS, strict=True):
            kernel = _kernel(task, corpus, factor)
            apart += [abs(distance - _mmd2(kernel)), abs(float(p or 0) - _p_value(kernel, blocks, signs))]
    return max(apart)


def _kernel(task: Task, corpus: Sample, factor: float) -> np.ndarray:
    """Return the kernel of the reference's and the corpus' documents, which do not meet themselves."""
    both = np.concatenate([task.reference.embeddings, corpus.embeddings]).astype(np.float64)
    kernel = rbf_kernel(both, gamma=1 / (2 * (task.bandwidth * factor) ** 2))
    np.fill_diagonal(kernel, 0)
    return np.asarray(kernel)


def _mmd2(kernel: np.ndarray) -> float:
    n = len(kernel) // 2
    within = (kernel[:n, :n].sum() + kernel[n:, n:].sum()) / (n * (n - 1))
    return float(within - 2 * kernel[:n, n:].mean())


def _p_value(kernel: np.ndarray, blocks: np.ndarray, signs: np.ndarray) -> float:
    """Return the share of arrangements whose signed sum is at least as long as the observed one."""
    signed = np.concatenate([signs[:, blocks], -signs[:, blocks]], axis=1)
    statistics = ((signed @ kernel) * signed).sum(axis=1)
    return float((statistics >= statistics[0] - 1e-9 * abs(statistics[0])).mean())


def _reason(size: Size) -> str:
    n = size.documents
    values = size.corpora * (n * n + n * (n - 1) / 2) + n * (n - 1) / 2
    seconds = values * 2 * (DIMENSIONS + 2) / 1e9 / limits().float32
    return (
        f"{values / 1e6:.0f} million kernel values are needed, and the inner products below them take {seconds:.2f} s at "
        "the rate measured."
    )
