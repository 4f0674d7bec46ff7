"""Fidelity of many corpora: the worker job behind MeasureFidelity.

A corpus is measured on at most as many documents as the reference has; metrics
that depend on the number of documents, on at most half as many, which is what
their floor and ceiling can be measured on, and then as the mean of ten draws. No
corpus' numbers depend on which others are in the request.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from services.domain.corpus import Corpus
from services.domain.errors import InvalidInputError
from services.domain.measurement import Interval, Measurement
from services.domain.seeds import stream
from services.evaluator.fidelity import METRICS, Estimate, FidelityMetric, Sample, Settings
from services.evaluator.fidelity.floor_ceiling import Scale, draw, measure_scale
from services.evaluator.fidelity.samples import corpus_sample
from services.features.matrices import Matrix, check_comparable, read_matrix
from services.storage.store import Store

DRAWS = 10

Report = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, slots=True)
class _Measured:
    """A corpus under the name its random draws go by."""

    name: str
    sample: Sample


def measure(payload: dict[str, Any], report: Report) -> dict[str, Any]:
    """Measure corpora against a reference.

    Args:
        payload: store; reference, reference_embeddings, corpora, embeddings,
            optionally ceiling with ceiling_embeddings (digests); metrics (all
            where empty); seed; optionally threads.
        report: Gets activity, done_count and total_count, in corpora times metrics.

    Returns:
        results: per corpus a tuple of Measurements, in the order of the metrics.

    Raises:
        InvalidInputError: A corpus has fewer documents than a metric needs, or
            embeddings do not fit their corpus.
        NotFoundError: No such metric.
    """
    names = tuple(payload["metrics"]) or METRICS.names()
    metrics = [METRICS.get(name) for name in names]
    reference, corpora, ceiling = _read(payload)
    columns = []
    total = len(names) * len(corpora)
    with threadpool_limits(payload.get("threads", 1), "blas"):
        for name, metric in zip(names, metrics, strict=True):
            columns.append(_measure_metric(name, metric, reference, corpora, ceiling, int(payload["seed"])))
            done = len(columns) * len(corpora)
            report({"activity": "corpora measured", "done_count": done, "total_count": total})
    return {"results": tuple(zip(*columns, strict=True))}


def _read(payload: dict[str, Any]) -> tuple[Sample, list[_Measured], Sample | None]:
    store = Store(payload["store"])
    real, matrix = _corpus(
        store, payload["reference"], payload["reference_embeddings"], "reference_embeddings"
    )
    if len(payload["corpora"]) != len(payload["embeddings"]):
        raise InvalidInputError(
            f"{len(payload['embeddings'])} embeddings for {len(payload['corpora'])} corpora",
            field="embeddings",
        )
    corpora = []
    for i, (digest, embeddings) in enumerate(zip(payload["corpora"], payload["embeddings"], strict=True)):
        corpus, rows = _corpus(store, digest, embeddings, f"embeddings[{i}]")
        check_comparable(matrix, rows, f"embeddings[{i}]")
        corpora.append(_Measured(digest, corpus_sample(corpus, rows.rows, real, f"embeddings[{i}]")))
    ceiling = None
    if payload.get("ceiling"):
        far, rows = _corpus(store, payload["ceiling"], payload["ceiling_embeddings"], "ceiling_embeddings")
        check_comparable(matrix, rows, "ceiling_embeddings")
        ceiling = corpus_sample(far, rows.rows, real, "ceiling_embeddings")
    return corpus_sample(real, matrix.rows, None, "reference_embeddings"), corpora, ceiling


def _corpus(store: Store, digest: str, embeddings: str, field: str) -> tuple[Corpus, Matrix]:
    corpus = store.get_corpus(digest)
    return corpus, read_matrix(store, embeddings, len(corpus), field)


def _measure_metric(
    name: str,
    metric: FidelityMetric,
    reference: Sample,
    corpora: Sequence[_Measured],
    ceiling: Sample | None,
    seed: int,
) -> list[Measurement]:
    for i, corpus in enumerate(corpora):
        _check_count(name, metric, len(corpus.sample), f"corpora[{i}]")
    _check_count(name, metric, len(reference), "reference")
    reference = draw(reference, len(reference), stream(seed, "fidelity", "reference"))
    settings = metric.settings(reference)
    estimates = _estimates(metric, reference, corpora, settings, seed)
    if not metric.has_scale:
        return [_measurement(name, estimate, None) for estimate in estimates]
    scales: dict[int, Scale | None] = {}
    counts = [min(estimate.sample_count, len(reference) // 2) for estimate in estimates]
    for count in set(counts):
        rng = stream(seed, "fidelity", "scale", name, count)
        scales[count] = measure_scale(metric, reference, ceiling, count, settings, rng)
    return [_measurement(name, e, scales[count]) for e, count in zip(estimates, counts, strict=True)]


def _estimates(
    metric: FidelityMetric, reference: Sample, corpora: Sequence[_Measured], settings: Settings, seed: int
) -> list[Estimate]:
    rngs = [stream(seed, "fidelity", "corpus", corpus.name) for corpus in corpora]
    if not metric.depends_on_count:
        samples = [draw(c.sample, len(reference), rng) for c, rng in zip(corpora, rngs, strict=True)]
        return list(metric(reference, samples, settings, rngs))
    most = max(len(reference) // 2, metric.minimum_count)
    found = []
    for corpus, rng in zip(corpora, rngs, strict=True):
        draws = [draw(corpus.sample, most, rng) for _ in range(DRAWS if len(corpus.sample) > most else 1)]
        found.append(_mean(metric(reference, draws, settings, rng.spawn(len(draws)))))
    return found


def _mean(estimates: Sequence[Estimate]) -> Estimate:
    """Average over draws; the interval is the average one, moved to the average value."""
    values = [e.value for e in estimates if e.value is not None]
    if len(values) < len(estimates):
        return next(e for e in estimates if e.value is None)
    value, first = float(np.mean(values)), estimates[0]
    intervals = [e.interval for e in estimates if e.interval is not None]
    interval = None
    if len(intervals) == len(estimates):
        half = float(np.mean([(i.high - i.low) / 2 for i in intervals]))
        interval = Interval(value - half, value + half, intervals[0].level)
    return Estimate(value, first.sample_count, interval, estimates=first.estimates)


def _measurement(name: str, estimate: Estimate, scale: Scale | None) -> Measurement:
    estimates = dict(estimate.estimates)
    if scale is not None and estimate.value is not None:
        estimates |= {"floor": scale.floor, "floor_sd": scale.floor_sd, "ceiling": scale.ceiling}
        normalised = scale.normalised(estimate.value)
        if normalised is not None:
            estimates["normalised"] = normalised
    return Measurement(
        metric=name,
        value=estimate.value,
        sample_count=estimate.sample_count,
        undefined_reason=estimate.undefined_reason,
        interval=estimate.interval,
        estimates=estimates,
    )


def _check_count(name: str, metric: FidelityMetric, count: int, field: str) -> None:
    if count < metric.minimum_count:
        raise InvalidInputError(
            f"{name} needs at least {metric.minimum_count} documents, and {field} has {count}: "
            "leave it out or add documents",
            field=field,
        )
