"""Ranking metrics that agree with trec_eval, query by query."""

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.domain.errors import InvalidInputError

Doubles = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

NAMES = ("ndcg", "recall")
GAINS = ("linear", "exponential")
_METRIC = re.compile(r"(?P<name>[a-z]+)(\((?P<option>[a-z]+)=(?P<setting>[a-z0-9.]+)\))?@(?P<depth>\d{1,6})")


@dataclass(frozen=True, slots=True)
class RankingMetric:
    """A metric of ranked lists, cut at a depth.

    Args:
        name: "ndcg" or "recall".
        depth: Ranks that count.
        gain: "linear", the similarity itself, or "exponential", 2^J - 1 (ndcg).
        threshold: A document is relevant when its gain is positive and at least this (recall).
    """

    name: str
    depth: int
    gain: str = "linear"
    threshold: float = 0.0


@dataclass(frozen=True, slots=True)
class Scored:
    """One value per query; where `defined` is false there is none, and 0 stands in its place."""

    values: Doubles
    defined: Flags


def parse_metric(text: str, field: str = "metrics") -> RankingMetric:
    """Return the metric that a text like "ndcg@10" names.

    Options stand in brackets: "ndcg(gain=exponential)@10", "recall(rel=0.5)@100".

    Raises:
        InvalidInputError: No such metric or option, or a depth below 1.
    """
    match = _METRIC.fullmatch(text)
    if match is None or match["name"] not in NAMES:
        raise InvalidInputError(
            f"{text!r} is no ranking metric; examples: ndcg@10, ndcg(gain=exponential)@10, recall@10",
            field=field,
        )
    depth = int(match["depth"])
    if depth < 1:
        raise InvalidInputError(f"{text!r}: the depth has to be at least 1", field=field)
    match match["name"], match["option"], match["setting"]:
        case name, None, None:
            return RankingMetric(name, depth)
        case "ndcg", "gain", gain if gain in GAINS:
            return RankingMetric("ndcg", depth, gain)
        case "recall", "rel", threshold:
            return RankingMetric("recall", depth, threshold=_threshold(threshold, text, field))
    raise InvalidInputError(
        f"{text!r}: ndcg takes gain=linear or gain=exponential, recall takes rel=0.5 and the like",
        field=field,
    )


def ndcg(gains: Doubles, ideal: Doubles, gain: str = "linear") -> Scored:
    """Return the discounted cumulative gain over the ideal one.

    A query without relevant documents has no ideal list: its value is undefined.

    Args:
        gains: Shape (queries, depth), of the found documents in order; 0 beyond the end.
        ideal: Shape (queries, depth), the largest gains there are.
        gain: "linear" or "exponential".

    Source: Järvelin & Kekäläinen (2002), with trec_eval's discount log2(rank + 1).
    """
    best = _discounted(ideal, gain)
    defined = best > 0
    return Scored(np.divide(_discounted(gains, gain), best, out=np.zeros_like(best), where=defined), defined)


def recall(gains: Doubles, relevant_counts: npt.NDArray[np.int64], threshold: float = 0.0) -> Scored:
    """Return the share of relevant documents found; undefined where there are none."""
    found = ((gains > 0) & (gains >= threshold)).sum(axis=1).astype(np.float64)
    defined = relevant_counts > 0
    return Scored(np.divide(found, relevant_counts, out=np.zeros_like(found), where=defined), defined)


def strictly_falling(scores: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Lower tied scores by the least step, so that no evaluator can reorder them.

    trec_eval sorts by score and breaks ties by document name; a list whose ties were
    broken by position would be scored as another list.

    Args:
        scores: Shape (queries, depth), not rising along a list; NaN beyond its end.
    """
    fallen = scores.astype(np.float32)
    for rank in range(1, fallen.shape[1]):
        below = np.nextafter(fallen[:, rank - 1], np.float32(-np.inf))
        fallen[:, rank] = np.minimum(fallen[:, rank], below)
    return fallen


def _discounted(gains: Doubles, gain: str) -> Doubles:
    scaled = np.exp2(gains) - 1 if gain == "exponential" else gains
    discount = 1 / np.log2(np.arange(2, gains.shape[1] + 2))
    return np.asarray(scaled @ discount, dtype=np.float64)


def _threshold(text: str, metric: str, field: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value <= 1:
        raise InvalidInputError(f"{metric!r}: rel has to lie in (0, 1]", field=field)
    return value
