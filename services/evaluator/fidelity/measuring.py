"""Fidelity of many corpora: the worker job behind MeasureFidelity.

A corpus is measured on at most as many documents as the reference has; metrics
that depend on the number of documents, at a common one (see `common_count`). No
corpus' numbers depend on which others are in the request, nor a metric's on which
other metrics are. A metric that takes more documents than there are is undefined
and says so; a corpus too small for every metric is refused.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from threadpoolctl import threadpool_limits

from services.domain.corpus import Corpus
from services.domain.errors import InvalidInputError
from services.domain.measurement import Measurement
from services.domain.seeds import stream
from services.evaluator.fidelity import METRICS, FidelityMetric, Sample
from services.evaluator.fidelity.common_count import (
    Found,
    Named,
    measure_at_common_count,
    measured_or_refused,
)
from services.evaluator.fidelity.floor_ceiling import Scale, draw, measure_scale
from services.evaluator.fidelity.samples import corpus_sample, family_names
from services.features.matrices import Matrix, check_comparable, read_matrix
from services.storage.store import Store

Report = Callable[[dict[str, Any]], None]
Done = Callable[[int], None]


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
        InvalidInputError: A corpus has fewer documents than any of the metrics
            needs, or embeddings do not fit their corpus.
        NotFoundError: No such metric.
    """
    names = tuple(payload["metrics"]) or METRICS.names()
    metrics = {name: METRICS.get(name) for name in names}
    reference, corpora, ceiling = _read(payload)
    for i, corpus in enumerate(corpora):
        _check_count(metrics, len(corpus.sample), f"corpora[{i}]")
    _check_count(metrics, len(reference), "reference")
    done = _progress(report, len(metrics) * len(corpora))
    with threadpool_limits(payload.get("threads", 1), "blas"):
        rows = _measure(metrics, reference, corpora, ceiling, int(payload["seed"]), done)
    return {"results": tuple(tuple(_measurement(name, row[name]) for name in names) for row in rows)}


def _measure(
    metrics: Mapping[str, FidelityMetric],
    reference: Sample,
    corpora: Sequence[Named],
    ceiling: Sample | None,
    seed: int,
    done: Done,
) -> list[dict[str, Found]]:
    """Return what each corpus' metrics found, by name."""
    reference = draw(reference, len(reference), stream(seed, "fidelity", "reference"))
    rows: list[dict[str, Found]] = [{} for _ in corpora]
    for name, metric in metrics.items():
        if not metric.depends_on_count:
            column = _free_of_count(name, metric, reference, corpora, ceiling, seed)
            for row, found in zip(rows, column, strict=True):
                row[name] = found
            done(len(corpora))
    dependent = {name: metric for name, metric in metrics.items() if metric.depends_on_count}
    if dependent:
        measured = measure_at_common_count(dependent, reference, corpora, ceiling, seed, done)
        for row, more in zip(rows, measured, strict=True):
            row.update(more)
    return rows


def _free_of_count(
    name: str,
    metric: FidelityMetric,
    reference: Sample,
    corpora: Sequence[Named],
    ceiling: Sample | None,
    seed: int,
) -> list[Found]:
    """Measure all corpora at once, each on as many documents as it has, at most the reference's."""
    rngs = [stream(seed, "fidelity", "corpus", corpus.name) for corpus in corpora]
    samples = [draw(c.sample, len(reference), rng) for c, rng in zip(corpora, rngs, strict=True)]
    if len(reference) < metric.minimum_count:
        return [Found(one, None) for one in measured_or_refused(metric, reference, samples, {}, rngs)]
    settings = metric.settings(reference)
    estimates = measured_or_refused(metric, reference, samples, settings, rngs)
    if not metric.has_scale:
        return [Found(estimate, None) for estimate in estimates]
    scales: dict[int, Scale | None] = {}
    counts = [min(estimate.sample_count, len(reference) // 2) for estimate in estimates]
    for count in set(counts):
        rng = stream(seed, "fidelity", "scale", name, count)
        scales[count] = measure_scale(metric, reference, ceiling, count, settings, rng)
    return [Found(estimate, scales[count]) for estimate, count in zip(estimates, counts, strict=True)]


def _read(payload: dict[str, Any]) -> tuple[Sample, list[Named], Sample | None]:
    store = Store(payload["store"])
    digest, vectors = payload["reference"], payload["reference_embeddings"]
    real, matrix = _corpus(store, digest, vectors, "reference_embeddings")
    if len(payload["corpora"]) != len(payload["embeddings"]):
        raise InvalidInputError(
            f"{len(payload['embeddings'])} embeddings for {len(payload['corpora'])} corpora",
            field="embeddings",
        )
    read = []
    for i, (digest, vectors) in enumerate(zip(payload["corpora"], payload["embeddings"], strict=True)):
        read.append((digest, *_corpus(store, digest, vectors, f"embeddings[{i}]")))
        check_comparable(matrix, read[i][2], f"embeddings[{i}]")
    names = family_names([real, *(corpus for _, corpus, _ in read)])
    corpora = [
        Named(digest, corpus_sample(corpus, rows.rows, real, f"embeddings[{i}]", names))
        for i, (digest, corpus, rows) in enumerate(read)
    ]
    reference = corpus_sample(real, matrix.rows, None, "reference_embeddings", names)
    return reference, corpora, _ceiling(store, payload, real, matrix)


def _ceiling(store: Store, payload: dict[str, Any], real: Corpus, matrix: Matrix) -> Sample | None:
    if not payload.get("ceiling"):
        return None
    far, rows = _corpus(store, payload["ceiling"], payload["ceiling_embeddings"], "ceiling_embeddings")
    check_comparable(matrix, rows, "ceiling_embeddings")
    return corpus_sample(far, rows.rows, real, "ceiling_embeddings", family_names([far, real]))


def _corpus(store: Store, digest: str, embeddings: str, field: str) -> tuple[Corpus, Matrix]:
    corpus = store.get_corpus(digest)
    return corpus, read_matrix(store, embeddings, len(corpus), field)


def _progress(report: Report, total: int) -> Done:
    finished = 0

    def done(count: int) -> None:
        nonlocal finished
        finished += count
        report({"activity": "corpora measured", "done_count": finished, "total_count": total})

    return done


def _measurement(name: str, found: Found) -> Measurement:
    estimate, scale = found
    estimates = dict(estimate.estimates)
    if scale is not None and estimate.value is not None:
        estimates |= {"floor": scale.floor, "floor_sd": scale.floor_sd}
        if scale.ceiling is not None:
            estimates["ceiling"] = scale.ceiling
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


def _check_count(metrics: Mapping[str, FidelityMetric], count: int, field: str) -> None:
    """Refuse what no metric can measure."""
    name = min(metrics, key=lambda name: metrics[name].minimum_count)
    if count < metrics[name].minimum_count:
        raise InvalidInputError(
            f"{name} needs at least {metrics[name].minimum_count} documents, and {field} has {count}: "
            "leave it out or add documents",
            field=field,
        )
