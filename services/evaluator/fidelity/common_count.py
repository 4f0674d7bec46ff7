"""Metrics that depend on the number of documents, measured where numbers are equal.

Of the reference as of a corpus at most half as many documents as the reference
has are drawn: this is what floor and ceiling can be measured on. A value is the
mean over ten draws of both sides. All metrics see the same draws and the same
splits, so that what they share is computed once.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from services.domain.measurement import Interval
from services.domain.seeds import stream
from services.evaluator.fidelity import Estimate, FidelityMetric, Sample, Settings
from services.evaluator.fidelity.floor_ceiling import Prepared, Scale, draw, measure_scales

DRAWS = 10

Metrics = Mapping[str, FidelityMetric]


class Named(NamedTuple):
    """A corpus under the name its random draws go by."""

    name: str
    sample: Sample


class Found(NamedTuple):
    """A metric's estimate and its scale, None without one."""

    estimate: Estimate
    scale: Scale | None


def measure_at_common_count(
    metrics: Metrics,
    reference: Sample,
    corpora: Sequence[Named],
    ceiling: Sample | None,
    seed: int,
    done: Callable[[int], None],
) -> list[dict[str, Found]]:
    """Measure every corpus by every metric, by name.

    Args:
        metrics: Those that depend on the number of documents.
        reference: All of it, in random order.
        corpora: Whole; draws of one are the same whichever others there are.
        ceiling: Documents far from real text; None for made-up ones.
        seed: Decides draws and splits.
        done: Gets how many measurements were finished, corpus after corpus.
    """
    most = max(len(reference) // 2, 2)
    settings = {name: metric.settings(reference) for name, metric in metrics.items()}
    halves = [draw(reference, most, stream(seed, "fidelity", "reference", i)) for i in range(DRAWS)]
    scales: dict[int, dict[str, Scale | None]] = {}
    results = []
    for corpus in corpora:
        count = min(len(corpus.sample), most)
        if count not in scales:
            scales[count] = _scales(metrics, settings, reference, ceiling, count, seed)
        pairs = list(_pairs(halves, corpus, count, seed))
        found = {}
        for name, metric in metrics.items():
            rng = stream(seed, "fidelity", "corpus", corpus.name, name)
            found[name] = Found(_over_draws(metric, settings[name], pairs, rng), scales[count].get(name))
        results.append(found)
        done(len(metrics))
    return results


def measured_or_refused(
    metric: FidelityMetric,
    reference: Sample,
    corpora: Sequence[Sample],
    settings: Settings,
    rngs: Sequence[np.random.Generator],
) -> list[Estimate]:
    """Measure those corpora that are large enough, and say of the others that they are not."""
    enough = [min(len(reference), len(corpus)) >= metric.minimum_count for corpus in corpora]
    kept = [corpus for corpus, large in zip(corpora, enough, strict=True) if large]
    measured = iter(
        metric(reference, kept, settings, [r for r, large in zip(rngs, enough, strict=True) if large])
        if kept
        else ()
    )
    return [
        next(measured) if large else _too_few(metric, min(len(reference), len(corpus)))
        for corpus, large in zip(corpora, enough, strict=True)
    ]


def _over_draws(
    metric: FidelityMetric,
    settings: Settings,
    pairs: Sequence[tuple[Sample, Sample]],
    rng: np.random.Generator,
) -> Estimate:
    return _mean(
        [
            measured_or_refused(metric, real, [written], settings, [own])[0]
            for (real, written), own in zip(pairs, rng.spawn(len(pairs)), strict=True)
        ]
    )


def _too_few(metric: FidelityMetric, count: int) -> Estimate:
    reason = f"{count} documents a side, fewer than {metric.minimum_count}"
    if metric.depends_on_count:
        reason += "; at most half of the reference is compared"
    return Estimate(None, count, undefined_reason=reason)


def _pairs(halves: Sequence[Sample], corpus: Named, count: int, seed: int) -> Iterator[tuple[Sample, Sample]]:
    """Yield equally many documents of the reference and of a corpus, ten times."""
    rng = stream(seed, "fidelity", "corpus", corpus.name)
    larger = len(corpus.sample) > count
    drawn = [draw(corpus.sample, count, rng) for _ in range(DRAWS if larger else 1)]
    for i, half in enumerate(halves):
        yield half if len(half) == count else half.take(np.arange(count)), drawn[i % len(drawn)]


def _scales(
    metrics: Metrics,
    settings: Mapping[str, Settings],
    reference: Sample,
    ceiling: Sample | None,
    count: int,
    seed: int,
) -> dict[str, Scale | None]:
    scaled = {name: metric for name, metric in metrics.items() if metric.has_scale}
    prepared = [
        Prepared(metric, settings[name], stream(seed, "fidelity", "scale", name, count))
        for name, metric in scaled.items()
    ]
    splits = stream(seed, "fidelity", "splits", count)
    count = min(count, len(reference) // 2)
    return dict(zip(scaled, measure_scales(prepared, reference, ceiling, count, splits), strict=True))


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
    return Estimate(value, first.sample_count, interval, estimates=_mean_parts(estimates))


def _mean_parts(estimates: Sequence[Estimate]) -> dict[str, float]:
    """Average what all draws have beside their values."""
    shared = [name for name in estimates[0].estimates if all(name in e.estimates for e in estimates)]
    return {name: float(np.mean([e.estimates[name] for e in estimates])) for name in shared}
