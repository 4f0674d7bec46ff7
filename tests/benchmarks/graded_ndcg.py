"""nDCG@10 on graded label overlap, against scipy's Jaccard distances and ir_measures.

Queries search a large collection; the run is given, so that only the relevance
judgements and the metric are timed. The peers get a share of the queries and their
time is scaled up: their cost is linear in queries. CPU seconds of one thread. Run
with `python -m tests.benchmarks.jaccard [repeats]`; fails only where values differ.
"""

from collections.abc import Sequence
from typing import NamedTuple

import ir_measures
import numpy as np
from ir_measures import Qrel, ScoredDoc, nDCG
from scipy.spatial.distance import cdist
from threadpoolctl import threadpool_limits

from services.domain.labels import label_masks
from services.retrieval.qrels import gains_of, ideal_lists
from services.retrieval.ranking import ndcg
from tests.benchmarks.timing import main, timed

QUERIES = 1200
DOCUMENTS = 50_000
LABELS = 64
DEPTH = 10
PEER_QUERIES = 20
GRADES = 1000
SEED = 20260101
NO_ONE = np.empty(0, dtype=np.int64)


class Row(NamedTuple):
    """One peer: medians of CPU seconds over the repeats, and how far values are apart."""

    peer: str
    ours_seconds: float
    peer_seconds: float
    largest_difference: float
    tolerance: float

    @property
    def ratio(self) -> float:
        return self.peer_seconds / self.ours_seconds

    @property
    def equal(self) -> bool:
        return self.largest_difference <= self.tolerance


class Task(NamedTuple):
    """Label sets, and the documents that each query found."""

    queries: np.ndarray
    documents: np.ndarray
    found: np.ndarray


def run(repeats: int = 5) -> list[Row]:
    """Score the same lists by ours, by scipy and by ir_measures."""
    task = _task()
    with threadpool_limits(1):
        _ours(task)  # Compiles.
        seconds, ours = timed(lambda: _ours(task), repeats)
        rows = []
        # ir_measures knows whole grades only, hence its tolerance.
        for name, peer, tolerance in (
            ("scipy cdist, sort", _scipy, 1e-9),
            ("scipy, ir_measures", _measured, 2e-3),
        ):
            peer_seconds, values = timed(lambda peer=peer: peer(task), repeats)  # type: ignore[misc]
            apart = float(np.abs(values - ours[:PEER_QUERIES]).max())
            rows.append(Row(name, seconds, peer_seconds * QUERIES / PEER_QUERIES, apart, tolerance))
    return rows


def _task() -> Task:
    rng = np.random.default_rng(SEED)

    def label_sets(count: int) -> np.ndarray:
        indicator = np.zeros((count, LABELS), dtype=bool)
        for row, size in enumerate(rng.integers(1, 7, count)):
            indicator[row, rng.choice(LABELS, size, replace=False)] = True
        return indicator

    found = rng.integers(0, DOCUMENTS, (QUERIES, DEPTH))
    found += np.arange(DEPTH) - found % DEPTH  # Distinct within a list.
    return Task(label_sets(QUERIES), label_sets(DOCUMENTS), found)


def _ours(task: Task) -> np.ndarray:
    queries, documents = label_masks(task.queries), label_masks(task.documents)
    ideal = ideal_lists(queries, documents, [NO_ONE] * len(queries), DEPTH)
    return ndcg(gains_of(queries, documents, task.found), ideal.gains).values


def _scipy(task: Task) -> np.ndarray:
    similarity = 1 - cdist(task.queries[:PEER_QUERIES], task.documents, "jaccard")
    best = -np.sort(-similarity, axis=1)[:, :DEPTH]
    discount = 1 / np.log2(np.arange(2, DEPTH + 2))
    gains = np.take_along_axis(similarity, task.found[:PEER_QUERIES], axis=1)
    return np.asarray((gains @ discount) / (best @ discount))


def _measured(task: Task) -> np.ndarray:
    similarity = 1 - cdist(task.queries[:PEER_QUERIES], task.documents, "jaccard")
    grades = np.rint(similarity * GRADES).astype(int)
    qrels = [
        Qrel(str(q), str(d), int(grades[q, d]))
        for q in range(PEER_QUERIES)
        for d in np.flatnonzero(grades[q])
    ]
    ranked = [
        ScoredDoc(str(q), str(d), float(-rank))
        for q in range(PEER_QUERIES)
        for rank, d in enumerate(task.found[q])
    ]
    values = {m.query_id: m.value for m in ir_measures.iter_calc([nDCG @ DEPTH], qrels, ranked)}
    return np.array([values[str(q)] for q in range(PEER_QUERIES)])


def table(rows: Sequence[Row]) -> str:
    """Return the rows as text."""
    lines = [
        f"nDCG@{DEPTH} of {QUERIES} queries over {DOCUMENTS} documents with {LABELS} labels",
        f"{'peer':28} {'ours, s':>8} {'peer, s':>8} {'ratio':>6} {'apart':>9}  equal",
    ]
    lines += [
        f"{row.peer:28} {row.ours_seconds:8.3f} {row.peer_seconds:8.1f} {row.ratio:6.0f} "
        f"{row.largest_difference:9.1e}  {'yes' if row.equal else 'NO'}"
        for row in rows
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main(run, table)
