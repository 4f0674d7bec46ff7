"""Two regimes over the same corpora: published examples, simulations and what is refused."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from services.domain.errors import InvalidInputError
from services.domain.seeds import stream
from services.evaluator.correlation.analysis import analyse_correlations
from services.evaluator.correlation.inversion import inversion_power, sign_p_values
from services.evaluator.correlation.planning import (
    CorpusPoint,
    CorrelatedMetric,
    CorrelationAnalysis,
    CorrelationSpec,
    Fidelity,
    RegimeGain,
)
from services.evaluator.correlation.reconstruction import reconstruct
from services.evaluator.correlation.regimes import meng_z, zou_interval

REGIMES = ("n=40", "n=400")


def _normals(rho: float, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return fidelity, and gains that correlate with it by rho and -rho."""
    x, e1, e2 = rng.normal(size=(3, count))
    rest = np.sqrt(1 - rho**2)
    return x, rho * x + rest * e1, -rho * x + rest * e2


def _spec(
    fidelities: list[np.ndarray], first: np.ndarray, second: np.ndarray, signs: tuple[int, ...] = (1,)
) -> CorrelationSpec:
    corpora = tuple(
        CorpusPoint(
            f"g{i}",
            "s",
            tuple(Fidelity(float(x[i])) for x in fidelities),
            tuple(RegimeGain(gain=float(y[i]), standard_error=0.0) for y in (first, second)),
        )
        for i in range(len(first))
    )
    metrics = tuple(CorrelatedMetric(f"m{j}", sign) for j, sign in enumerate(signs))
    return CorrelationSpec(metrics, REGIMES, corpora, *REGIMES)


def _planted(count: int = 14, signs: tuple[int, ...] = (1,)) -> CorrelationAnalysis:
    x, first, second = _normals(0.9, count, stream(5, "planted"))
    return analyse_correlations(_spec([x] * len(signs), first, second, signs))


def test_the_interval_of_the_difference_is_zous_example() -> None:
    # Zou (2007), overlapping correlations: r12 = .396, r13 = .179, r23 = .088, n = 66.
    interval = zou_interval(0.396, 0.179, 0.088, 66)
    assert (interval.low, interval.high) == pytest.approx((-0.093, 0.517), abs=5e-4)


def test_the_test_of_the_difference_is_mengs_example() -> None:
    # Meng, Rosenthal and Rubin (1992): r = .63 and -.03, -.19 between the predictors, N = 15.
    assert meng_z(0.63, -0.03, -0.19, 15) == pytest.approx(1.68, abs=5e-3)


def test_interval_and_test_mirror_when_the_regimes_change_places() -> None:
    forward, backward = zou_interval(0.7, 0.1, 0.3, 20), zou_interval(0.1, 0.7, 0.3, 20)
    assert (forward.low, forward.high) == pytest.approx((-backward.high, -backward.low))
    assert meng_z(0.7, 0.1, 0.3, 20) == pytest.approx(-meng_z(0.1, 0.7, 0.3, 20))


def test_dependence_between_the_gains_narrows_the_interval() -> None:
    widths = [i.high - i.low for i in (zou_interval(0.6, 0.4, between, 30) for between in (0.3, 0.6, 0.9))]
    assert widths[0] > widths[1] > widths[2]


def test_the_interval_of_the_difference_covers_it() -> None:
    rng, covered, studies = stream(7, "zou"), 0, 2000
    for _ in range(studies):
        r = np.corrcoef(_normals(0.6, 14, rng))
        interval = zou_interval(r[0, 1], r[0, 2], r[1, 2], 14)
        covered += interval.low <= 1.2 <= interval.high
    assert 0.93 <= covered / studies <= 0.975


def test_the_papers_numbers_are_rebuilt_under_their_label() -> None:
    found = reconstruct(0.95, 14, -0.73, 14)
    assert found.z == pytest.approx(6.474, abs=5e-4)
    assert (found.interval95.low, found.interval95.high) == pytest.approx((0.958, 0.9985), abs=5e-4)
    assert found.p_value < 0.001
    assert found.label == "reconstruction" and "dependent samples as independent" in found.note


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ((1.0, 14, 0.2, 14), "first_r"),
        ((0.1, 14, np.nan, 14), "second_r"),
        ((0.1, 3, 0.2, 14), "first_count"),
    ],
)
def test_what_cannot_be_rebuilt_is_refused(arguments: tuple[float, int, float, int], field: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        reconstruct(*arguments)
    assert caught.value.field == field


def test_signs_agree_with_scipys_one_sided_tests() -> None:
    x, y, _ = _normals(0.5, 11, stream(9, "signs"))
    r = float(np.corrcoef(x, y)[0, 1])
    expected = [stats.pearsonr(x, y, alternative=side).pvalue for side in ("greater", "less")]
    assert sign_p_values(r, 11, 1) == pytest.approx(expected)


def test_a_planted_inversion_is_found_with_everything_beside_it() -> None:
    analysis = _planted()
    (inversion,), (difference,) = analysis.inversions, analysis.differences
    assert inversion.inverted and inversion.refused == ""
    assert difference.first_pearson is not None and difference.second_pearson is not None
    assert difference.difference == pytest.approx(difference.first_pearson - difference.second_pearson)
    assert difference.interval95 is not None and difference.interval95.low > 0.0
    assert difference.p_value is not None and difference.p_value < 0.001
    rebuilt = reconstruct(difference.first_pearson, 14, difference.second_pearson, 14)
    assert difference.reconstruction == rebuilt
    weaker = max(
        sign_p_values(difference.first_pearson, 14, 1)[0], sign_p_values(difference.second_pearson, 14, 1)[1]
    )
    assert inversion.p_value == pytest.approx(weaker)


def test_the_direction_counts_and_naming_none_costs_a_factor_of_two() -> None:
    right, wrong, none = _planted(signs=(1, -1, 0)).inversions
    assert right.p_value is not None and wrong.p_value is not None and none.p_value is not None
    assert wrong.p_value > 0.99 and not wrong.inverted
    assert none.p_value == pytest.approx(2 * right.p_value)


def test_holm_runs_over_all_metrics_and_refused_ones_stay_in() -> None:
    x, first, second = _normals(0.9, 14, stream(5, "planted"))
    constant = np.full(14, 0.2)
    found = analyse_correlations(_spec([x, constant, constant], first, second, (1, 1, 1))).inversions
    assert found[0].p_value is not None
    assert found[0].adjusted_p_value == pytest.approx(3 * found[0].p_value)
    assert (found[1].p_value, found[1].inverted) == (None, False) and "does not vary" in found[1].refused


def test_nine_corpora_have_a_difference_but_no_inversion() -> None:
    analysis = _planted(9)
    assert analysis.differences[0].p_value is not None
    (inversion,) = analysis.inversions
    assert inversion.refused == "9 corpora in both regimes, an inversion takes 10"
    assert (inversion.p_value, inversion.inverted) == (None, False)
    assert inversion.power == pytest.approx(inversion_power(0.7, 9))


def test_three_generators_are_an_answer_with_reasons() -> None:
    analysis = _planted(3)
    assert all("3 corpora" in one.refused for one in analysis.correlations)
    assert "n=40: 3 corpora" in analysis.differences[0].refused
    assert analysis.differences[0].difference is None and analysis.differences[0].reconstruction is None


def test_a_correlation_that_rests_on_one_generator_refuses_the_difference() -> None:
    rng = stream(5, "flip")
    x, first, _ = _normals(0.9, 12, rng)
    flat = rng.normal(size=12)
    flat -= x * (x @ flat) / (x @ x)
    analysis = analyse_correlations(_spec([x], first, flat))
    assert "n=400: the sign does not survive" in analysis.differences[0].refused
    assert analysis.differences[0].interval95 is None and not analysis.inversions[0].inverted


def test_only_corpora_of_both_regimes_are_compared() -> None:
    x, first, second = _normals(0.9, 14, stream(5, "planted"))
    spec = _spec([x], first, second)
    lacking = replace(spec.corpora[0], gains=(spec.corpora[0].gains[0], RegimeGain()))
    analysis = analyse_correlations(replace(spec, corpora=(lacking, *spec.corpora[1:])))
    assert [one.corpus_count for one in analysis.correlations] == [14, 13]
    assert analysis.differences[0].corpus_count == 13
    assert analysis.differences[0].first_pearson == pytest.approx(np.corrcoef(x[1:], first[1:])[0, 1])


def test_no_comparison_is_made_where_none_is_asked() -> None:
    x, first, second = _normals(0.9, 14, stream(5, "planted"))
    found = analyse_correlations(replace(_spec([x], first, second), first_regime="", second_regime=""))
    assert len(found.correlations) == 2 and (found.differences, found.inversions) == ((), ())


@pytest.mark.parametrize(("count", "simulated"), [(6, 0.30), (8, 0.50), (10, 0.65), (14, 0.84)])
def test_power_comes_near_what_was_simulated(count: int, simulated: float) -> None:
    assert inversion_power(0.7, count) == pytest.approx(simulated, abs=0.015)


def test_power_agrees_with_a_simulation_of_its_own() -> None:
    rng, shown, studies = stream(13, "power"), 0, 4000
    strategies = np.repeat([0, 1], 6)
    for _ in range(studies):
        x, first, second = (
            v - np.array([v[:6].mean(), v[6:].mean()])[strategies] for v in _normals(0.7, 12, rng)
        )
        r1, r2 = np.corrcoef(x, first)[0, 1], np.corrcoef(x, second)[0, 1]
        shown += max(sign_p_values(r1, 12, 2)[0], sign_p_values(r2, 12, 2)[1]) < 0.05
    assert inversion_power(0.7, 12, 2) == pytest.approx(shown / studies, abs=0.025)


@pytest.mark.parametrize(("rho", "count", "field"), [(0.0, 10, "correlation"), (0.5, 3, "count")])
def test_power_of_no_design_is_refused(rho: float, count: int, field: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        inversion_power(rho, count, 2)
    assert caught.value.field == field
