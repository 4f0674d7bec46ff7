"""What a search is worth: the worker job behind EvaluateIndex."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

from services.domain.artifact import ArtifactRef
from services.domain.errors import InvalidInputError
from services.domain.measurement import Interval, Measurement
from services.retrieval.collection import Collection, load_queries, relatives
from services.retrieval.index import GREATEST_DEPTH, Index, open_index, rank
from services.retrieval.qrels import gains_of, ideal_lists
from services.retrieval.ranking import RankingMetric, Scored, ndcg, parse_metric, recall
from services.retrieval.specification import RetrievalEvaluation
from services.storage.store import Store

READINGS = ("real_only", "all")
LEVEL = 0.95
NO_RELEVANT = "no query has a relevant document"

Report = Callable[[dict[str, Any]], None]


def evaluate(payload: dict[str, Any], report: Report) -> dict[str, Any]:
    """Search with every query and score the lists.

    Args:
        payload: store, index_id, queries, query_embeddings, metrics, reading.
        report: Unused; an evaluation is one step.

    Returns:
        evaluation: a RetrievalEvaluation.
    """
    store, metrics, reading = Store(payload["store"]), payload["metrics"], payload["reading"]
    index = open_index(store, payload["index_id"])
    queries = load_queries(
        store, payload["queries"], payload["query_embeddings"], index.collection, index.task
    )
    scored = score(index, queries, metrics, reading)
    measurements = tuple(_measurement(name, scored[name], queries.families) for name in metrics)
    arrays: dict[str, np.ndarray] = {"defined": np.logical_and.reduce([s.defined for s in scored.values()])}
    for name, one in scored.items():
        arrays |= {name: one.values, f"{name}.defined": one.defined}
    kept = store.put_arrays(
        arrays, {"queries": payload["queries"], "index": payload["index_id"], "reading": reading}
    )
    return {"evaluation": RetrievalEvaluation(measurements, ArtifactRef.stored(kept.sha256, len(queries)))}


def score(index: Index, queries: Collection, metrics: Sequence[str], reading: str) -> dict[str, Scored]:
    """Return every metric's value per query.

    Under "real_only" synthetic documents take ranks, but neither they nor their
    absence can earn anything: gains and the ideal lists are those of real documents.

    Raises:
        InvalidInputError: Unknown metric or reading, none at all, or too great a depth.
    """
    if reading not in READINGS:
        raise InvalidInputError(f"the reading is {' or '.join(READINGS)}, not {reading!r}", field="reading")
    if not metrics:
        raise InvalidInputError("name at least one metric, for example ndcg@10", field="metrics")
    parsed = {name: parse_metric(name, f"metrics[{i}]") for i, name in enumerate(metrics)}
    if max(metric.depth for metric in parsed.values()) > GREATEST_DEPTH:
        raise InvalidInputError(f"metrics reach at most to rank {GREATEST_DEPTH}", field="metrics")
    scoring = _Scoring.of(index, queries, max(metric.depth for metric in parsed.values()), reading)
    return {name: scoring.score(metric) for name, metric in parsed.items()}


@dataclass(frozen=True, slots=True)
class _Scoring:
    """Gains of the found documents, and what the ideal lists are drawn from.

    Args:
        gains: Shape (queries, depth).
        queries: Shape (queries, words), label masks.
        scored: Shape (scored documents, words), label masks.
        left_out: Per query the scored documents it must not find.
    """

    gains: npt.NDArray[np.float64]
    queries: npt.NDArray[np.uint64]
    scored: npt.NDArray[np.uint64]
    left_out: tuple[npt.NDArray[np.int64], ...]

    @classmethod
    def of(cls, index: Index, queries: Collection, depth: int, reading: str) -> "_Scoring":
        documents = index.collection
        counts = np.ones(len(documents), dtype=bool) if reading == "all" else ~documents.synthetic
        ranking = rank(index, queries, depth)
        gains = gains_of(queries.items.masks, documents.items.masks, ranking.positions)
        gains[~counts[ranking.positions]] = 0
        place = np.cumsum(counts) - 1
        left_out = tuple(place[rows[counts[rows]]] for rows in relatives(documents, queries))
        return cls(gains, queries.items.masks, documents.items.masks[counts], left_out)

    def score(self, metric: RankingMetric) -> Scored:
        ideal = ideal_lists(self.queries, self.scored, self.left_out, metric.depth, metric.threshold)
        gains = self.gains[:, : metric.depth]
        if metric.name == "ndcg":
            return ndcg(gains, ideal.gains, metric.gain)
        return recall(gains, ideal.relevant_counts, metric.threshold)


def _measurement(name: str, scored: Scored, families: Sequence[str]) -> Measurement:
    values = scored.values[scored.defined]
    estimates = {"queries": float(len(scored.defined))}
    if not len(values):
        return Measurement(name, None, 0, undefined_reason=NO_RELEVANT, estimates=estimates)
    interval = _interval(values, np.array(families)[scored.defined])
    return Measurement(name, float(values.mean()), len(values), interval=interval, estimates=estimates)


def _interval(values: npt.NDArray[np.float64], families: npt.NDArray[np.str_]) -> Interval | None:
    """Return a t interval of the mean over query families, or None for a single family."""
    _, code = np.unique(families, return_inverse=True)
    sums = np.bincount(code, values - values.mean())
    count = len(sums)
    if count < 2:
        return None
    error = np.sqrt(count / (count - 1) * np.square(sums).sum()) / len(values)
    half = float(stats.t.ppf(0.5 + LEVEL / 2, count - 1) * error)
    return Interval(float(values.mean()) - half, float(values.mean()) + half, LEVEL)
