"""All classification metrics of one set of predictions, as measurements."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from services.domain.artifact import ArtifactRef
from services.domain.errors import NotFoundError
from services.domain.measurement import Measurement
from services.domain.task import TaskType
from services.evaluator.classification import (
    LabelCounts,
    at_argmax,
    at_threshold,
    count_labels,
    macro_f1,
    micro_f1,
    per_label_f1,
)
from services.evaluator.encoding import measurement_to_json
from services.evaluator.label_ranking import label_ranking, micro_average_precision
from services.evaluator.predictions import Predictions, Truth, load_predictions, load_truth
from services.storage.store import Store

VERSION = 1
UNLABELLED = "no document has a label"
NOTHING = "nothing is true and nothing predicted (0/0)"


class Decided(NamedTuple):
    """Predictions under one threshold rule; no counts where the rule has no threshold."""

    rule: str
    threshold: float | None
    counts: LabelCounts | None
    documents: int
    undefined_reason: str = ""


class Value(NamedTuple):
    """A metric's value, the reason should it be None, and what else was counted."""

    metric: str
    value: float | None
    reason: str
    estimates: dict[str, float]


def measure_predictions(truth: Truth, predictions: Predictions, metrics: Sequence[str]) -> list[Measurement]:
    """Measure one set of predictions under every threshold rule its task has.

    Multi-label: "tuned" and "0.5". Single-label: "argmax".

    Raises:
        NotFoundError: Unknown metric.
    """
    require_metrics(metrics)
    decided = _decisions(truth, predictions)
    measured: list[Measurement] = []
    for metric in metrics:
        if metric in THRESHOLDED:
            for one in decided:
                measured += _measure(metric, one, truth)
        else:
            measured.append(THRESHOLD_FREE[metric](truth, predictions))
    return measured


def require_metrics(metrics: Sequence[str]) -> None:
    """Raise for a metric that nobody knows."""
    for metric in metrics:
        if metric not in DESCRIPTIONS:
            raise NotFoundError(
                f"no prediction metric {metric!r}; there are: {', '.join(sorted(DESCRIPTIONS))}",
                name=metric,
                kind="metrics",
                field="metrics",
            )


def score(payload: dict[str, Any], report: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """Worker job: measure sets of predictions, each filed in the store under its own key."""
    store = Store(payload["store"])
    metrics = list(payload["metrics"]) or sorted(DESCRIPTIONS)
    require_metrics(metrics)
    truth = load_truth(store, payload["truth"])
    results, total = [], len(payload["predictions"])
    for done, sha256 in enumerate(payload["predictions"], start=1):
        results.append(_stored_scores(store, truth, sha256, metrics))
        report({"activity": "predictions scored", "done_count": done, "total_count": total})
    return {"results": results}


def _stored_scores(store: Store, truth: Truth, sha256: str, metrics: list[str]) -> Any:
    key = {
        "what": "prediction_scores",
        "version": VERSION,
        "truth": truth.sha256,
        "predictions": sha256,
        "metrics": metrics,
    }

    def compute() -> ArtifactRef:
        predictions = load_predictions(store, sha256, truth)
        return store.put_json(
            [measurement_to_json(m) for m in measure_predictions(truth, predictions, metrics)]
        )

    return store.get_json(store.computed(key, compute))


def _decisions(truth: Truth, predictions: Predictions) -> list[Decided]:
    documents = len(truth.indicator)
    if truth.type is TaskType.SINGLE_LABEL:
        counts = count_labels(truth.indicator, at_argmax(predictions.scores))
        return [Decided("argmax", None, counts, documents)]
    if predictions.threshold is None:
        tuned = Decided("tuned", None, None, documents, f"no threshold: {predictions.threshold_undefined}")
    else:
        tuned = _at(truth, predictions, "tuned", predictions.threshold)
    return [tuned, _at(truth, predictions, "0.5", 0.5)]


def _at(truth: Truth, predictions: Predictions, rule: str, threshold: float) -> Decided:
    counts = count_labels(truth.indicator, at_threshold(predictions.scores, threshold))
    return Decided(rule, threshold, counts, len(truth.indicator))


def _micro(counts: LabelCounts, truth: Truth) -> list[Value]:
    estimates = {
        "true_positives": float(counts.true_positives.sum()),
        "predicted": float(counts.predicted.sum()),
        "positives": float(counts.positives.sum()),
    }
    return [Value("micro_f1", micro_f1(counts), NOTHING, estimates)]


def _macro(counts: LabelCounts, truth: Truth) -> list[Value]:
    supported = {"labels": float((counts.positives > 0).sum())}
    return [Value("macro_f1", macro_f1(counts), "no label occurs in the test", supported)]


def _per_label(counts: LabelCounts, truth: Truth) -> list[Value]:
    return [
        Value(
            f"per_label_f1/{label}",
            None if np.isnan(value) else float(value),
            NOTHING,
            {"positives": float(n)},
        )
        for label, value, n in zip(truth.labels, per_label_f1(counts), counts.positives, strict=True)
    ]


def _measure(metric: str, one: Decided, truth: Truth) -> list[Measurement]:
    if one.counts is None:
        return [Measurement(metric, None, one.documents, one.rule, one.undefined_reason)]
    cut = {} if one.threshold is None else {"threshold": one.threshold}
    return [
        _measurement(value, one.rule, one.documents, cut) for value in THRESHOLDED[metric](one.counts, truth)
    ]


def _lrap(truth: Truth, predictions: Predictions) -> Measurement:
    ranking = label_ranking(truth.indicator, predictions.scores, predictions.prevalence)
    defined = int((~np.isnan(ranking.per_document)).sum())
    estimates = {"documents_without_labels": float(len(truth.indicator) - defined)}
    if ranking.tie_rate is not None:
        estimates["tie_rate"] = ranking.tie_rate
    return _measurement(Value("lrap", ranking.value, UNLABELLED, estimates), "threshold_free", defined, {})


def _average_precision(truth: Truth, predictions: Predictions) -> Measurement:
    value = micro_average_precision(truth.indicator, predictions.scores)
    count = len(truth.indicator)
    return _measurement(Value("micro_average_precision", value, UNLABELLED, {}), "threshold_free", count, {})


def _measurement(value: Value, rule: str, count: int, settings: dict[str, float]) -> Measurement:
    return Measurement(
        value.metric,
        value.value,
        count,
        threshold_rule=rule,
        undefined_reason="" if value.value is not None else value.reason,
        estimates={**value.estimates, **settings},
    )


THRESHOLDED: dict[str, Callable[[LabelCounts, Truth], list[Value]]] = {
    "micro_f1": _micro,
    "macro_f1": _macro,
    "per_label_f1": _per_label,
}
THRESHOLD_FREE: dict[str, Callable[[Truth, Predictions], Measurement]] = {
    "lrap": _lrap,
    "micro_average_precision": _average_precision,
}
DESCRIPTIONS = {
    "micro_f1": "F1 pooled over all labels, at the tuned threshold and at 0.5, or of the best label.",
    "macro_f1": "Mean F1 over the labels that occur in the test.",
    "per_label_f1": "F1 of each label, one measurement a label.",
    "lrap": "Label-ranking average precision; ties are broken by training prevalence.",
    "micro_average_precision": "Average precision over all pairs of document and label.",
}
