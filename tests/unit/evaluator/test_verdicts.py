"""Verdicts, corrections for many contrasts, requirements and detectable effects."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from services.domain.errors import InvalidInputError, PreconditionError
from services.domain.measurement import Interval
from services.evaluator.estimation import VarianceParts, satterthwaite
from services.evaluator.inference import Evidence, judge
from services.evaluator.influence import ArmScores
from services.evaluator.multiplicity import benjamini_hochberg, holm
from services.evaluator.planning import ContrastResult, Rules
from services.evaluator.power import Pilot, minimum_detectable_effect, planned_effect
from services.evaluator.verdicts import verdict_of

RULES = Rules(margin=0.02)
p_lists = st.lists(st.floats(0.0, 1.0), min_size=1, max_size=9).map(np.array)


def _evidence(
    name: str,
    effect: float,
    *,
    spread: float = 0.005,
    replicates: int = 8,
    families: int = 400,
    positives: int = 900,
    declared: bool = True,
) -> Evidence:
    """Differences that average to the effect, evenly spread, and quiet documents."""
    differences = effect + spread * np.linspace(-1.0, 1.0, replicates)
    influence = np.tile(np.linspace(-0.01, 0.01, families), (replicates, 1))
    control = ArmScores(np.zeros(replicates), np.zeros((replicates, families)))
    return Evidence(name, ArmScores(differences, influence), control, positives, declared)


def _judged(*evidence: Evidence, rules: Rules = RULES) -> list[ContrastResult]:
    return list(judge(evidence, rules))


@pytest.mark.parametrize(
    ("p", "effect", "low", "high", "verdict"),
    [
        (0.01, 0.05, 0.03, 0.07, "better"),
        (0.01, -0.05, -0.07, -0.03, "worse"),
        (0.20, 0.00, -0.01, 0.01, "equivalent"),
        (0.01, 0.01, 0.005, 0.015, "negligible"),
        (0.01, -0.01, -0.015, -0.005, "negligible"),
        (0.20, 0.01, -0.01, 0.03, "inconclusive"),
        (0.05, 0.05, 0.00, 0.10, "inconclusive"),
        (0.20, 0.00, -0.02, 0.02, "inconclusive"),
    ],
)
def test_verdict_follows_the_table(p: float, effect: float, low: float, high: float, verdict: str) -> None:
    assert verdict_of(p, effect, Interval(low, high, 0.90), RULES) == verdict


def test_holm_of_a_worked_example() -> None:
    assert holm(np.array([0.01, 0.04, 0.03, 0.005])) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_benjamini_hochberg_of_a_worked_example() -> None:
    adjusted = benjamini_hochberg(np.array([0.01, 0.04, 0.03, 0.005]))
    assert adjusted == pytest.approx([0.02, 0.04, 0.04, 0.02])


@given(p_lists)
def test_adjusted_p_values_keep_their_order_and_bounds(p_values: np.ndarray) -> None:
    order = np.argsort(p_values, kind="stable")
    for adjust in (holm, benjamini_hochberg):
        adjusted = adjust(p_values)
        assert (np.diff(adjusted[order]) >= 0).all()
        assert ((p_values <= adjusted + 1e-15) & (adjusted <= 1.0)).all()


@given(p_lists)
def test_benjamini_hochberg_agrees_with_scipy(p_values: np.ndarray) -> None:
    assert benjamini_hochberg(p_values) == pytest.approx(stats.false_discovery_control(p_values))


def test_holm_counts_declared_claims_only() -> None:
    strong, weak, explored = _judged(
        _evidence("a", 0.05), _evidence("b", 0.004), _evidence("c", 0.05, declared=False)
    )
    assert strong.p_value is not None and weak.p_value is not None
    assert strong.adjusted_p_value == pytest.approx(2 * strong.p_value)
    assert weak.adjusted_p_value == pytest.approx(weak.p_value)
    assert explored.adjusted_p_value == pytest.approx(explored.p_value)
    assert (strong.verdict, explored.verdict) == ("better", "exploratory")


def test_a_claim_that_cannot_be_tested_makes_no_other_one_easier() -> None:
    silent = ArmScores(np.zeros(8), np.zeros((8, 400)))
    alone, flat = _judged(_evidence("a", 0.05), Evidence("b", silent, silent, 900, True))
    assert alone.p_value is not None
    assert alone.adjusted_p_value == pytest.approx(2 * alone.p_value)
    assert flat.adjusted_p_value is None


@pytest.mark.parametrize(
    ("evidence", "reason"),
    [
        (_evidence("a", 0.05, replicates=4), "4 replicates, a verdict takes 5"),
        (_evidence("a", 0.05, families=199), "199 test families, a verdict takes 200"),
        (_evidence("a", 0.05, positives=29), "29 positive labels in the test, a verdict takes 30"),
    ],
)
def test_what_is_too_small_is_not_tested_and_says_why(evidence: Evidence, reason: str) -> None:
    (result,) = _judged(evidence)
    assert result.verdict == "not tested"
    assert reason in result.note
    assert result.interval95 is not None and result.adjusted_p_value is None


def test_a_small_test_of_the_audit_is_judged_and_called_small() -> None:
    rules = Rules(minimum_families=100)
    large, small = (_judged(_evidence("a", 0.05, families=n), rules=rules)[0] for n in (200, 150))
    assert (large.verdict, large.note) == ("better", "")
    assert (small.verdict, small.note) == ("better", "small test: 150 families")
    assert _judged(_evidence("a", 0.05, families=99), rules=rules)[0].verdict == "not tested"


def test_fixed_real_documents_give_a_conditional_verdict_from_one_run() -> None:
    (result,) = _judged(
        _evidence("a", 0.05, replicates=1), rules=Rules(fixed_real=True, minimum_replicates=1)
    )
    assert (result.verdict, result.conditional) == ("worse" if (result.effect or 0) < 0 else "better", True)
    assert "conditional on these training sets" in result.note


def test_one_run_without_that_reading_is_not_tested() -> None:
    (result,) = _judged(_evidence("a", 0.05, replicates=1))
    assert (result.verdict, result.conditional) == ("not tested", True)


def test_more_than_twelve_claims_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="13 declared claims; a report carries at most 12"):
        _judged(*[_evidence(str(i), 0.01) for i in range(13)])


def test_detectable_effect_adds_both_quantiles_after_holm() -> None:
    # Two one-sided tests: a verdict needs twice the smaller p below .05.
    expected = (stats.t.ppf(1 - 0.05 / 8, 7.5) + stats.t.ppf(0.80, 7.5)) * 0.01
    assert minimum_detectable_effect(0.01, 7.5, claims=4) == pytest.approx(expected)


def test_a_plan_takes_the_pilots_variances_at_their_upper_bound() -> None:
    between = 4e-4 * 3 / stats.chi2.ppf(0.20, 3) / 8
    documents = 0.02 * 199 / stats.chi2.ppf(0.20, 199) / 1000
    freedom = satterthwaite(between + documents, VarianceParts(between, documents, 0.0, 8, 1000))
    expected = minimum_detectable_effect((between + documents) ** 0.5, freedom)
    assert planned_effect(Pilot(4e-4, 0.02, 4, 200), 8, 1000) == pytest.approx(expected)


def test_more_replicates_find_smaller_effects() -> None:
    pilot = Pilot(4e-4, 0.02, 6, 200)
    assert planned_effect(pilot, 16, 1000) < planned_effect(pilot, 8, 1000)


def test_a_pilot_of_three_replicates_is_refused() -> None:
    with pytest.raises(PreconditionError, match="pilot of 3 replicates"):
        planned_effect(Pilot(1e-4, 0.02, 3, 200), 8, 1000)
