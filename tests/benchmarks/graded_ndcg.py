"""nDCG@10 on graded label overlap, against scipy's Jaccard distances and ir_measures.

Queries search a large collection; the run is given, so that only the relevance
judgements and the metric are timed. The peers get a share of the queries and their
time is scaled up: their cost is linear in queries.
"""

from collections.abc import Callable
from importlib import metadata
from typing import NamedTuple

import ir_measures
import numpy as np
from ir_measures import Qrel, ScoredDoc, nDCG
from scipy.spatial.distance import cdist
from threadpoolctl import threadpool_limits

from services.domain.labels import label_masks
from services.retrieval.qrels import gains_of, ideal_lists
from services.retrieval.ranking import ndcg
from tests.benchmarks.comparison import Comparison, Table
from tests.benchmarks.timing import Timed, in_turns

REPEATS = 3
LABELS = 64
DEPTH = 10
GRADES = 1000
SEED = 20260101
NO_ONE = np.empty(0, dtype=np.int64)


class Size(NamedTuple):
    """Queries, documents, and the queries that the peers get."""

    queries: int = 2000
    documents: int = 100_000
    peers: int = 20


FULL = Size()


class Task(NamedTuple):
    """Label sets, and the documents that each query found."""

    queries: np.ndarray
    documents: np.ndarray
    found: np.ndarray

    def part(self, queries: int) -> "Task":
        return Task(self.queries[:queries], self.documents, self.found[:queries])


def run(repeats: int = REPEATS, size: Size = FULL) -> Table:
    """Score the same lists by ours, by ir_measures and by scipy with a sort."""
    task = _task(size)
    part = task.part(size.peers)
    with threadpool_limits(1):
        _ours(task)  # Compiles.
        ours, measured, ranked = in_turns(
            repeats, lambda: _ours(task), lambda: _measured(part), lambda: _sorted(part)
        )
    graded = _ours(part, lambda gains: np.rint(gains * GRADES))
    sides = (
        # ir_measures knows whole grades only, so it is held against ours in whole grades.
        ("ir_measures", measured, _apart(measured, graded), 200.0),
        ("a sort", ranked, _apart(ranked, ours.result[: size.peers]), None),
    )
    rows = tuple(
        Comparison(
            f"{size.queries} queries × {size.documents} documents × {LABELS} labels",
            f"`cdist(…, 'jaccard')` and {how}; {size.peers} queries, scaled to all",
            ours.seconds,
            side.seconds * size.queries / size.peers,
            apart,
            1e-9,
            "largest ΔnDCG",
            goal,
        )
        for how, side, apart, goal in sides
    )
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in ("scipy", "ir_measures"))
    return Table("Graded nDCG", rows, repeats, versions)


def _task(size: Size) -> Task:
    rng = np.random.default_rng(SEED)

    def label_sets(count: int) -> np.ndarray:
        # Between one and six labels each: the first of a random order.
        ranks = rng.random((count, LABELS)).argsort(axis=1)
        return np.asarray(ranks < rng.integers(1, 7, count)[:, None])

    found = rng.integers(0, size.documents, (size.queries, DEPTH))
    found += np.arange(DEPTH) - found % DEPTH  # Distinct within a list.
    return Task(label_sets(size.queries), label_sets(size.documents), found)


def _ours(task: Task, grade: Callable[[np.ndarray], np.ndarray] = np.asarray) -> np.ndarray:
    queries, documents = label_masks(task.queries), label_masks(task.documents)
    ideal = ideal_lists(queries, documents, [NO_ONE] * len(queries), DEPTH)
    return ndcg(grade(gains_of(queries, documents, task.found)), grade(ideal.gains)).values


def _sorted(task: Task) -> np.ndarray:
    similarity = 1 - cdist(task.queries, task.documents, "jaccard")
    best = -np.sort(-similarity, axis=1)[:, :DEPTH]
    discount = 1 / np.log2(np.arange(2, DEPTH + 2))
    gains = np.take_along_axis(similarity, task.found, axis=1)
    return np.asarray((gains @ discount) / (best @ discount))


def _measured(task: Task) -> np.ndarray:
    similarity = 1 - cdist(task.queries, task.documents, "jaccard")
    grades = np.rint(similarity * GRADES).astype(int)
    qrels = [
        Qrel(str(q), str(d), int(grades[q, d]))
        for q in range(len(task.queries))
        for d in np.flatnonzero(grades[q])
    ]
    ranked = [
        ScoredDoc(str(q), str(d), float(-rank))
        for q in range(len(task.queries))
        for rank, d in enumerate(task.found[q])
    ]
    values = {m.query_id: m.value for m in ir_measures.iter_calc([nDCG @ DEPTH], qrels, ranked)}
    return np.array([values[str(q)] for q in range(len(task.queries))])


def _apart(side: Timed, ours: np.ndarray) -> float:
    return float(np.abs(side.result - ours).max())
