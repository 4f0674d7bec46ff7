"""Correlations within strategies: by hand, against scipy, and every reason to refuse one."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from services.domain.errors import InvalidInputError
from services.domain.seeds import stream
from services.evaluator.correlation.analysis import analyse_correlations
from services.evaluator.correlation.planning import (
    CorpusPoint,
    CorrelatedMetric,
    CorrelationSpec,
    Fidelity,
    GainCorrelation,
    RegimeGain,
)
from services.evaluator.correlation.samples import Sample
from services.evaluator.correlation.within import fisher_interval, gain_reliability, partial_r, spearman

RISING = tuple(float(x) for x in range(10))
# Rises with the fidelity, and no generator decides that.
GAINS = (0.1, 0.0, 0.3, 0.2, 0.5, 0.4, 0.7, 0.6, 0.9, 0.8)


def _spec(
    fidelity: tuple[float, ...], gains: tuple[float, ...], strategies: str = "", error: float = 0.01
) -> CorrelationSpec:
    corpora = tuple(
        CorpusPoint(
            f"g{i}", strategies[i : i + 1] or "s", (Fidelity(x),), (RegimeGain(gain=y, standard_error=error),)
        )
        for i, (x, y) in enumerate(zip(fidelity, gains, strict=True))
    )
    return CorrelationSpec((CorrelatedMetric("mmd2"),), ("n=80",), corpora)


def _only(spec: CorrelationSpec) -> GainCorrelation:
    (found,) = analyse_correlations(spec).correlations
    return found


def _sample(fidelity: np.ndarray, gain: np.ndarray, strategies: np.ndarray) -> Sample:
    names = np.arange(len(gain)).astype(np.str_)
    return Sample(fidelity, gain, np.zeros(len(gain)), strategies, names, 0)


def test_one_strategy_agrees_with_scipy() -> None:
    found = _only(_spec(RISING, GAINS))
    expected = stats.pearsonr(RISING, GAINS)
    low, high = expected.confidence_interval(0.95)
    assert found.pearson == pytest.approx(expected.statistic)
    assert found.interval95 is not None
    assert (found.interval95.low, found.interval95.high) == pytest.approx((low, high))
    assert found.spearman == pytest.approx(stats.spearmanr(RISING, GAINS).statistic)
    assert (found.corpus_count, found.strategy_count, found.refused, found.note) == (10, 1, "", "")


def test_two_strategies_are_the_partial_correlation_given_their_indicator() -> None:
    rng = stream(3, "partial")
    strategies = np.repeat([0, 1], [5, 7])
    x, y = rng.normal(size=(2, 12)) + 4.0 * strategies
    (rxy, rxs), rys = np.corrcoef([x, y, strategies])[0, 1:], np.corrcoef(y, strategies)[0, 1]
    expected = (rxy - rxs * rys) / np.sqrt((1 - rxs**2) * (1 - rys**2))
    assert partial_r(x, y, strategies) == pytest.approx(expected)
    interval = fisher_interval(expected, 12, 2)
    assert interval.high == pytest.approx(np.tanh(np.arctanh(expected) + 1.959964 / np.sqrt(8)))


@given(st.floats(-50.0, 50.0), st.floats(-50.0, 50.0))
def test_what_a_strategy_adds_to_all_its_corpora_changes_nothing(fidelity: float, gain: float) -> None:
    strategies = "aaaaabbbbb"
    shifted = _spec(
        tuple(x + fidelity * (i > 4) for i, x in enumerate(RISING)),
        tuple(y + gain * (i > 4) for i, y in enumerate(GAINS)),
        strategies,
    )
    plain, moved = _only(_spec(RISING, GAINS, strategies)), _only(shifted)
    assert moved.pearson == pytest.approx(plain.pearson)
    assert moved.reliability == pytest.approx(plain.reliability)


def test_an_offset_between_strategies_is_no_correlation() -> None:
    # Within both strategies the gain falls; pooled it rises.
    fidelity = (1.0, 2.0, 3.0, 4.0, 5.0, 11.0, 12.0, 13.0, 14.0, 15.0)
    gains = (0.5, 0.3, 0.4, 0.1, 0.2, 5.5, 5.3, 5.4, 5.1, 5.2)
    found = _only(_spec(fidelity, gains, "aaaaabbbbb"))
    assert np.corrcoef(fidelity, gains)[0, 1] > 0.9
    assert found.pearson == pytest.approx(-0.8) and found.spearman == pytest.approx(-0.8)


def test_ranks_within_strategies_share_ties() -> None:
    x = np.array([1.0, 1.0, 2.0, 3.0, 9.0, 8.0, 8.0, 7.0])
    y = np.array([-1.0, -0.9, -2.0, -3.1, -8.9, -8.0, -8.1, -7.0])
    strategies = np.repeat([0, 1], 4)
    ranked = [np.concatenate([stats.rankdata(v[:4]), stats.rankdata(v[4:])]) for v in (x, y)]
    # Ranks 1.5 1.5 3 4 | 4 2.5 2.5 1 against 3 4 2 1 | 1 3 2 4.
    assert spearman(_sample(x, y, strategies)) == pytest.approx(-9.0 / np.sqrt(9.0 * 10.0))
    assert spearman(_sample(x, y, strategies)) == pytest.approx(partial_r(ranked[0], ranked[1], strategies))


def test_reliability_of_a_worked_example() -> None:
    # Gains 1, 3 | 2, 6: squared deviations 1 + 1 + 4 + 4 over 4 - 2 degrees of freedom = 5.
    sample = _sample(np.arange(4.0), np.array([1.0, 3.0, 2.0, 6.0]), np.array([0, 0, 1, 1]))
    sample = replace(sample, squared_errors=np.array([1.0, 2.0, 3.0, 4.0]))
    assert gain_reliability(sample) == pytest.approx(1.0 - 2.5 / 5.0)


def test_replicates_and_their_summary_are_the_same_gain() -> None:
    # s^2 = .01 over three replicates.
    summary = _spec(RISING, GAINS, error=0.1 / np.sqrt(3))
    corpora = tuple(
        replace(point, gains=(RegimeGain((y - 0.1, y, y + 0.1)),))
        for point, y in zip(summary.corpora, GAINS, strict=True)
    )
    found, expected = _only(replace(summary, corpora=corpora)), _only(summary)
    assert found.pearson == pytest.approx(expected.pearson)
    assert found.reliability == pytest.approx(expected.reliability)


def test_three_generators_are_refused_with_the_reason() -> None:
    found = _only(_spec(RISING[:3], GAINS[:3]))
    assert (found.pearson, found.interval95, found.spearman, found.leave_one_out_low) == (None,) * 4
    assert found.refused == "3 corpora within strategies, a correlation takes 8"


@pytest.mark.parametrize("count", [0, 1, 2])
def test_hardly_any_corpora_are_refused_too(count: int) -> None:
    assert f"{count if count > 1 else 0} corpora" in _only(_spec(RISING[:count], GAINS[:count])).refused


def test_noise_as_large_as_the_spread_is_refused_with_the_reliability() -> None:
    found = _only(_spec(RISING, GAINS, error=0.4))
    variance = np.var(GAINS, ddof=1)
    assert found.reliability == pytest.approx(1.0 - 0.16 / variance)
    assert found.reliability is not None and found.reliability < 0.0
    assert found.pearson is None and "reliability is -0.75" in found.refused


def test_an_unknown_reliability_is_refused() -> None:
    spec = _spec(RISING, GAINS)
    blind = replace(spec.corpora[4], gains=(RegimeGain((0.5,)),))
    found = _only(replace(spec, corpora=(*spec.corpora[:4], blind, *spec.corpora[5:])))
    assert found.reliability is None and "reliability of the gain is unknown" in found.refused


def test_a_sign_that_rests_on_one_generator_is_refused() -> None:
    fidelity = (*RISING[:9], 40.0)
    gains = (0.8, 0.9, 0.6, 0.7, 0.4, 0.5, 0.2, 0.3, 0.0, 5.0)
    found = _only(_spec(fidelity, gains))
    assert found.pearson is None and "leaving out g9" in found.refused
    assert found.leave_one_out_low is not None and found.leave_one_out_high is not None
    assert found.leave_one_out_low < 0.0 < found.leave_one_out_high


def test_a_generator_leaves_with_all_its_corpora() -> None:
    spec = _spec((*RISING[:4], *RISING[:4], 5.0, 6.0), (*GAINS[:4], *GAINS[:4], 0.2, 0.9), "aaaabbbbab")
    corpora = tuple(
        replace(p, generator=f"g{i % 4}" if i < 8 else p.generator) for i, p in enumerate(spec.corpora)
    )
    found = _only(replace(spec, corpora=corpora))
    assert (found.corpus_count, found.generator_count, found.strategy_count) == (10, 6, 2)
    assert "10 corpora of 6 generators are clustered" in found.note
    without = []
    for name in {p.generator for p in corpora}:
        kept = [p for p in corpora if p.generator != name]
        x, y = ([p.fidelities[0].value for p in kept], [p.gains[0].gain for p in kept])
        codes = np.array([p.strategy == "b" for p in kept], dtype=np.int64)
        without.append(partial_r(np.array(x), np.array(y), codes))
    assert found.leave_one_out_low == pytest.approx(min(r for r in without if r is not None))
    assert found.leave_one_out_high == pytest.approx(max(r for r in without if r is not None))


def test_corpora_on_one_line_or_without_spread_have_no_interval() -> None:
    assert "one line" in _only(_spec(RISING, tuple(2 * x for x in RISING))).refused
    assert "does not vary" in _only(_spec(RISING, (0.3,) * 10)).refused
    assert "does not vary" in _only(_spec((0.1,) * 10, GAINS)).refused


def test_corpora_without_a_value_and_alone_in_their_strategy_are_left_out_and_counted() -> None:
    spec = _spec((*RISING, 3.0, 4.0), (*GAINS, 0.1, 0.2), "aaaaaaaaaaab")
    undefined = replace(spec.corpora[10], fidelities=(Fidelity(None),))
    found = _only(replace(spec, corpora=(*spec.corpora[:10], undefined, spec.corpora[11])))
    assert found.corpus_count == 10 and "2 corpora lack a value" in found.note
    assert found.pearson == pytest.approx(np.corrcoef(RISING, GAINS)[0, 1])


def test_the_interval_covers_the_true_correlation() -> None:
    rng, rho, studies = stream(11, "coverage"), 0.6, 3000
    strategies = np.repeat([0, 1], 6)
    covered = 0
    for _ in range(studies):
        x = rng.normal(size=12)
        y = rho * x + np.sqrt(1 - rho**2) * rng.normal(size=12)
        r = partial_r(x + 3.0 * strategies, y - 2.0 * strategies, strategies)
        assert r is not None
        interval = fisher_interval(r, 12, 2)
        covered += interval.low <= rho <= interval.high
    assert 0.935 <= covered / studies <= 0.965


def _bad() -> dict[str, tuple[CorrelationSpec, str]]:
    good = _spec(RISING, GAINS)
    first = good.corpora[0]

    def starting(**parts: object) -> CorrelationSpec:
        return replace(good, corpora=(replace(first, **parts), *good.corpora[1:]))  # type: ignore[arg-type]

    def gaining(**parts: object) -> CorrelationSpec:
        return starting(gains=(RegimeGain(**parts),))  # type: ignore[arg-type]

    return {
        "nan fidelity": (starting(fidelities=(Fidelity(np.nan),)), "corpora[0].fidelities[0].value"),
        "infinite gain": (gaining(gain=np.inf, standard_error=0.1), "corpora[0].gains[0].gain"),
        "nan replicate": (gaining(replicates=(0.1, np.nan)), "corpora[0].gains[0].replicates"),
        "nan error": (gaining(gain=0.1, standard_error=np.nan), "corpora[0].gains[0].standard_error"),
        "negative error": (gaining(gain=0.1, standard_error=-0.1), "corpora[0].gains[0].standard_error"),
        "error alone": (gaining(standard_error=0.1), "corpora[0].gains[0].standard_error"),
        "gain twice": (gaining(replicates=(0.1, 0.2), gain=0.1), "corpora[0].gains[0].replicates"),
        "missing metric": (starting(fidelities=()), "corpora[0].fidelities"),
        "missing regime": (starting(gains=()), "corpora[0].gains"),
        "corpus twice": (starting(generator="g3"), "corpora[3].generator"),
        "no metric": (replace(good, metrics=()), "metrics"),
        "nameless metric": (replace(good, metrics=(CorrelatedMetric(""),)), "metrics[0].name"),
        "regime twice": (replace(good, regimes=("a", "a")), "regimes[1]"),
        "sign": (replace(good, metrics=(CorrelatedMetric("m", 2),)), "metrics[0].expected_sign"),
        "unknown regime": (replace(good, first_regime="n=80", second_regime="n=9"), "second_regime"),
        "half a comparison": (replace(good, second_regime="n=80"), "first_regime"),
        "one regime": (replace(good, first_regime="n=80", second_regime="n=80"), "second_regime"),
    }


@pytest.mark.parametrize("name", _bad())
def test_what_cannot_be_correlated_names_its_field(name: str) -> None:
    spec, field = _bad()[name]
    with pytest.raises(InvalidInputError) as caught:
        analyse_correlations(spec)
    assert caught.value.field == field
