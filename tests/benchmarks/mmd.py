"""Unbiased MMD of many corpora at three bandwidths, against `rbf_kernel`.

The notebook calls `rbf_kernel` for every corpus, bandwidth and side; the careful
peer computes the reference's own kernel once per bandwidth. Our side includes the
jackknife interval, which neither peer has. CPU seconds of one thread. Run with
`python -m tests.benchmarks.mmd [repeats]`; fails only where values differ.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from sklearn.metrics.pairwise import rbf_kernel
from threadpoolctl import threadpool_limits

from services.evaluator.fidelity import Sample
from services.evaluator.fidelity.mmd2 import SquaredMmd
from tests.benchmarks.timing import main, timed

CORPORA = 24
DOCUMENTS = 660
REFERENCE = 1000
DIMENSIONS = 384
SEED = 20260101
TOLERANCE = 1e-6
FACTORS = (2**0.5, 1.0, 2**-0.5)


class Row(NamedTuple):
    """One peer: medians of CPU seconds over the repeats, and how far values are apart."""

    peer: str
    ours_seconds: float
    peer_seconds: float
    largest_difference: float

    @property
    def ratio(self) -> float:
        return self.peer_seconds / self.ours_seconds

    @property
    def equal(self) -> bool:
        return self.largest_difference <= TOLERANCE


def run(repeats: int = 5) -> list[Row]:
    """Measure the same corpora by ours, a notebook and a careful peer."""
    reference, corpora = _samples()
    metric = SquaredMmd()
    settings = metric.settings(reference)
    bandwidth = settings["bandwidth"]

    def ours() -> np.ndarray:
        found = metric(reference, corpora, settings, [])
        return np.array([[e.estimates["mmd2_wide"], e.value, e.estimates["mmd2_narrow"]] for e in found])

    with threadpool_limits(1):
        ours()  # Compiles.
        seconds, values = timed(ours, repeats)
        notebook_seconds, expected = timed(lambda: _notebook(reference, corpora, bandwidth), repeats)
        careful_seconds, _ = timed(lambda: _careful(reference, corpora, bandwidth), repeats)
    apart = float(np.abs(values - expected).max())
    return [
        Row("rbf_kernel, per corpus", seconds, notebook_seconds, apart),
        Row("rbf_kernel, reference once", seconds, careful_seconds, apart),
    ]


def _samples() -> tuple[Sample, list[Sample]]:
    rng = np.random.default_rng(SEED)
    centre = rng.normal(size=DIMENSIONS)

    def draw(count: int, shift: float) -> Sample:
        x = rng.normal(size=(count, DIMENSIONS)) + shift * centre
        return Sample((x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32), np.arange(count))

    return draw(REFERENCE, 0.5), [draw(DOCUMENTS, 0.5 + 0.02 * i) for i in range(CORPORA)]


def _notebook(reference: Sample, corpora: list[Sample], bandwidth: float) -> np.ndarray:
    return np.array([[_mmd2(reference, c, bandwidth * f) for f in FACTORS] for c in corpora])


def _mmd2(reference: Sample, corpus: Sample, bandwidth: float) -> float:
    real, ours, gamma = reference.embeddings, corpus.embeddings, 1 / (2 * bandwidth**2)
    cross = rbf_kernel(real.astype(np.float64), ours.astype(np.float64), gamma=gamma).mean()
    return float(_within(real, gamma) + _within(ours, gamma) - 2 * cross)


def _careful(reference: Sample, corpora: list[Sample], bandwidth: float) -> np.ndarray:
    real = reference.embeddings
    gammas = [1 / (2 * (bandwidth * factor) ** 2) for factor in FACTORS]
    base = [_within(real, gamma) for gamma in gammas]
    return np.array(
        [
            [
                own + _within(c.embeddings, gamma) - 2 * rbf_kernel(real, c.embeddings, gamma=gamma).mean()
                for own, gamma in zip(base, gammas, strict=True)
            ]
            for c in corpora
        ]
    )


def _within(embeddings: np.ndarray, gamma: float) -> float:
    count = len(embeddings)
    return float(
        (rbf_kernel(embeddings.astype(np.float64), gamma=gamma).sum() - count) / (count * (count - 1))
    )


def table(rows: Sequence[Row]) -> str:
    """Return the rows as text."""
    lines = [
        f"MMD of {CORPORA} corpora x {DOCUMENTS} against {REFERENCE}, three bandwidths",
        f"{'peer':28} {'ours, s':>8} {'peer, s':>8} {'ratio':>6} {'apart':>9}  equal",
    ]
    lines += [
        f"{row.peer:28} {row.ours_seconds:8.3f} {row.peer_seconds:8.3f} {row.ratio:6.1f} "
        f"{row.largest_difference:9.1e}  {'yes' if row.equal else 'NO'}"
        for row in rows
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main(run, table)
