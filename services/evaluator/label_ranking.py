"""Threshold-free scores: how far above the wrong labels the right ones are ranked."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.evaluator.classification import BoolMatrix, FloatMatrix, Floats, require_same_shape


class LabelRanking(NamedTuple):
    """Label-ranking average precision, document by document.

    Attributes:
        per_document: Shape (n,) in 0..1; NaN for documents without labels.
        tie_rate: Share of the true labels whose score equals that of a wrong label of the same
            document, before ties are broken; None without true labels.
    """

    per_document: Floats
    tie_rate: float | None

    @property
    def value(self) -> float | None:
        """Mean over the documents that have labels; None where none has."""
        defined = ~np.isnan(self.per_document)
        return float(self.per_document[defined].mean()) if defined.any() else None


def label_ranking(truth: BoolMatrix, scores: FloatMatrix, prevalence: Floats | None = None) -> LabelRanking:
    """Rank the labels of every document and average the precision at its true labels.

    Args:
        truth: Shape (n, L).
        scores: Shape (n, L), higher is likelier.
        prevalence: Shape (L,), share of each label in training. Equal scores (labels that were
            never trained all get the same) are ranked by it. What is still equal counts as
            ranked last, as in scikit-learn.

    Source: Tsoumakas, Katakis and Vlahavas (2010), Mining multi-label data, section 5.
    """
    require_same_shape(truth.shape, scores.shape)
    weight = np.zeros(truth.shape[1]) if prevalence is None else prevalence
    columns = np.argsort(-weight, kind="stable")
    order = columns[np.argsort(-scores[:, columns], axis=1, kind="stable")]
    ranked_truth = np.take_along_axis(truth, order, axis=1)
    ranked = np.take_along_axis(scores, order, axis=1)
    same_score = ranked[:, 1:] == ranked[:, :-1]
    same = same_score & (weight[order[:, 1:]] == weight[order[:, :-1]])
    last = _last_of_group(same)
    hits = np.take_along_axis(ranked_truth.cumsum(axis=1), last, axis=1)
    precision = np.where(ranked_truth, hits / (last + 1.0), 0.0).sum(axis=1)
    labels = truth.sum(axis=1)
    per_document = np.full(len(truth), np.nan)
    np.divide(precision, labels, out=per_document, where=labels > 0)
    return LabelRanking(per_document, _tie_rate(ranked_truth, same_score))


def micro_average_precision(truth: BoolMatrix, scores: FloatMatrix) -> float | None:
    """Return average precision over all (document, label) pairs ranked together.

    Equal scores enter together. None where nothing is true.
    """
    require_same_shape(truth.shape, scores.shape)
    order = np.argsort(-scores, axis=None)
    hits = truth.ravel()[order].cumsum()
    ranked = scores.ravel()[order]
    if not len(hits) or hits[-1] == 0:
        return None
    ends = np.append(np.flatnonzero(ranked[1:] != ranked[:-1]), len(ranked) - 1)
    recall = hits[ends] / hits[-1]
    return float((np.diff(recall, prepend=0.0) * hits[ends] / (ends + 1.0)).sum())


def _last_of_group(same_as_previous: BoolMatrix) -> NDArray[np.int64]:
    """Return, for every rank, the last rank that is tied with it; shape (n, L)."""
    documents, gaps = same_as_previous.shape
    ends = np.broadcast_to(np.arange(gaps + 1), (documents, gaps + 1)).copy()
    ends[:, :-1][same_as_previous] = gaps
    return np.minimum.accumulate(ends[:, ::-1], axis=1)[:, ::-1]


def _tie_rate(ranked_truth: BoolMatrix, same_as_previous: BoolMatrix) -> float | None:
    total = int(ranked_truth.sum())
    if total == 0:
        return None
    if not same_as_previous.any():
        return 0.0
    starts = np.hstack([np.ones((len(ranked_truth), 1), dtype=np.bool_), ~same_as_previous])
    group = starts.ravel().cumsum() - 1
    hits = np.bincount(group, weights=ranked_truth.ravel())
    mixed = hits < np.bincount(group)
    return float(hits[mixed].sum() / total)
