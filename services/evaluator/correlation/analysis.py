"""Every correlation of fidelity with gain that one report shows, judged together."""

from __future__ import annotations

from services.evaluator.correlation.inversion import judge_inversions
from services.evaluator.correlation.planning import (
    CorrelationAnalysis,
    CorrelationDifference,
    CorrelationSpec,
    GainCorrelation,
)
from services.evaluator.correlation.regimes import compare_regimes
from services.evaluator.correlation.samples import require_valid, samples
from services.evaluator.correlation.within import correlate


def analyse_correlations(spec: CorrelationSpec) -> CorrelationAnalysis:
    """Correlate every metric with the gain in every regime, and compare two regimes.

    Too few corpora, noise and signs that do not hold are answers with a reason, not errors.

    Raises:
        InvalidInputError: As `require_valid`.
    """
    require_valid(spec)
    correlations = tuple(
        _correlate(spec, metric, regime)
        for metric in range(len(spec.metrics))
        for regime in range(len(spec.regimes))
    )
    if not spec.first_regime:
        return CorrelationAnalysis(correlations, (), ())
    compared = [_compare(spec, metric) for metric in range(len(spec.metrics))]
    inversions = judge_inversions(spec.metrics, [pair for _, pair in compared])
    return CorrelationAnalysis(correlations, tuple(difference for difference, _ in compared), inversions)


def _correlate(spec: CorrelationSpec, metric: int, regime: int) -> GainCorrelation:
    (sample,) = samples(spec, metric, (regime,))
    return correlate(sample, spec.metrics[metric].name, spec.regimes[regime])


def _compare(
    spec: CorrelationSpec, metric: int
) -> tuple[CorrelationDifference, tuple[GainCorrelation, GainCorrelation]]:
    """Return the difference and the two correlations over the corpora of both regimes."""
    names = (spec.first_regime, spec.second_regime)
    first, second = samples(spec, metric, [spec.regimes.index(name) for name in names])
    name = spec.metrics[metric].name
    pair = (correlate(first, name, names[0]), correlate(second, name, names[1]))
    return compare_regimes(first, second, pair), pair
