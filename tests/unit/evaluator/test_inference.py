"""The t procedure, worked by hand and against scipy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from services.domain.errors import InvalidInputError
from services.evaluator.estimation import estimate_difference, variance_parts
from services.evaluator.inference import Evidence, judge
from services.evaluator.influence import (
    ArmScores,
    Families,
    UndefinedScoreError,
    arm_scores,
    mean_terms,
    micro_f1_terms,
    number_families,
)
from services.evaluator.planning import Rules
from services.evaluator.unit_means import contrast_of_means

LENIENT = Rules(minimum_replicates=2, minimum_families=2, minimum_positives=1, minimum_queries=2)


def _scores(values: list[float], influence: list[list[float]]) -> ArmScores:
    return ArmScores(np.array(values), np.array(influence))


def _null(replicates: int, families: int) -> ArmScores:
    return ArmScores(np.zeros(replicates), np.zeros((replicates, families)))


def test_influence_sums_hits_and_sizes_of_each_family_first() -> None:
    truth = np.array([[1, 0], [1, 1], [0, 1]], dtype=bool)
    predicted = np.array([[1, 0], [0, 1], [1, 0]], dtype=bool)
    families = number_families(["a", "a", "b"])
    scores = arm_scores([micro_f1_terms(truth, predicted, families)])
    # family a: 2tp 4, den 5; family b: 2tp 0, den 2; F = 4/7, mean den 3.5
    assert scores.values == pytest.approx([4 / 7])
    assert scores.influence == pytest.approx(np.array([[(4 - 4 / 7 * 5) / 3.5, (0 - 4 / 7 * 2) / 3.5]]))


def test_influence_of_a_mean_is_the_deviation_from_it() -> None:
    values = np.array([0.2, 0.4, 0.9])
    scores = arm_scores([mean_terms(values, Families(np.arange(3), 3))])
    assert scores.influence[0] == pytest.approx(values - 0.5)


@given(st.integers(0, 2**32 - 1))
def test_influences_of_micro_f1_average_to_zero(seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth, predicted = rng.random((2, 12, 3)) < 0.5
    truth[0, 0] = True
    families = Families(rng.integers(0, 5, 12), 5)
    assert arm_scores([micro_f1_terms(truth, predicted, families)]).influence.mean() == pytest.approx(0.0)


def test_a_score_of_nothing_true_and_nothing_predicted_is_undefined() -> None:
    nothing = np.zeros((2, 2), dtype=bool)
    with pytest.raises(UndefinedScoreError, match="0/0"):
        arm_scores([micro_f1_terms(nothing, nothing, Families(np.arange(2), 2))])


def test_variance_of_a_worked_example() -> None:
    # D = .10, .20: s2_r = .005. Mean influences -.1, .1: V_doc = (.02 / 1) / 2 = .01.
    # Deviations from them are .1 four times: V_int = .04 / (1 * 1) / (2 * 2) = .01.
    parts = variance_parts(np.array([0.10, 0.20]), np.array([[-0.2, 0.2], [0.0, 0.0]]))
    assert parts.replicates == pytest.approx(0.0025)
    assert parts.documents == pytest.approx(0.01)
    assert parts.interaction == pytest.approx(0.01)


def test_degrees_of_freedom_follow_satterthwaite_between_the_bounds() -> None:
    # Mean influences -.3, .1, .2: V_doc = .14 / 2 / 3; both replicates alike: V_int = 0.
    treatment = _scores([0.10, 0.20], [[-0.3, 0.1, 0.2], [-0.3, 0.1, 0.2]])
    estimate = estimate_difference(treatment, _null(2, 3))
    variance = 0.0025 + 0.14 / 6
    assert estimate.effect == pytest.approx(0.15)
    assert estimate.variance == pytest.approx(variance)
    expected = variance**2 / (0.0025**2 / 1 + (0.14 / 6) ** 2 / 2)
    assert 1.0 < expected < 2.5
    assert estimate.degrees_of_freedom == pytest.approx(min(expected, 2.0))


def test_interaction_above_the_documents_part_leaves_the_replicates_alone() -> None:
    treatment = _scores([0.1, 0.2], [[-0.4, 0.4], [0.4, -0.4]])
    estimate = estimate_difference(treatment, _null(2, 2))
    assert estimate.variance == pytest.approx(0.0025)
    assert estimate.degrees_of_freedom == 1.0


def test_interval_and_p_agree_with_a_paired_t_test_when_documents_do_not_vary() -> None:
    rng = np.random.default_rng(3)
    differences = rng.normal(0.02, 0.01, 8)
    treatment = ArmScores(differences, np.zeros((8, 50)))
    estimate = estimate_difference(treatment, _null(8, 50))
    expected = stats.ttest_1samp(differences, 0.0)
    low, high = expected.confidence_interval(0.95)
    assert estimate.degrees_of_freedom == 7.0
    assert estimate.p_value == pytest.approx(expected.pvalue)
    assert (estimate.interval(0.95).low, estimate.interval(0.95).high) == pytest.approx((low, high))


def test_replicates_that_agree_leave_a_conditional_reading() -> None:
    influence = [[-0.1, 0.1, 0.0]] * 5
    estimate = estimate_difference(_scores([0.3] * 5, influence), _null(5, 3))
    assert estimate.conditional
    assert estimate.degrees_of_freedom == 2.0
    assert estimate.variance == pytest.approx(0.02 / 2 / 3)


def test_one_replicate_is_read_over_test_families_alone() -> None:
    estimate = estimate_difference(_scores([0.3], [[-0.1, 0.1, 0.0]]), _null(1, 3))
    assert estimate.conditional
    assert estimate.standard_error == pytest.approx(np.sqrt(0.02 / 2 / 3))
    assert estimate.degrees_of_freedom == 2.0


def test_identical_arms_are_not_tested() -> None:
    (result,) = judge([Evidence("same", _null(5, 300), _null(5, 300), 900, True)], Rules())
    assert result.verdict == "not tested"
    assert result.p_value is None and result.interval95 is None
    assert "no variance" in result.note


def test_swapping_the_sides_mirrors_the_result() -> None:
    rng = np.random.default_rng(8)
    first, second = (ArmScores(rng.random(5), rng.normal(size=(5, 9))) for _ in range(2))
    forward, backward = estimate_difference(first, second), estimate_difference(second, first)
    assert forward.effect == -backward.effect
    assert forward.p_greater == pytest.approx(backward.p_less)


def test_unpaired_replicates_are_refused_with_both_counts() -> None:
    with pytest.raises(InvalidInputError, match="5 replicates over 9 families and control 4 replicates"):
        estimate_difference(_null(5, 9), _null(4, 9))


def test_queries_without_relevant_documents_are_no_units() -> None:
    rng = np.random.default_rng(4)
    treatment, control = rng.random((2, 6, 40))
    defined = np.arange(40) < 30
    treatment[:, ~defined] = 7.0
    families = Families(np.arange(40) // 2, 20)
    result = contrast_of_means(treatment, control, families, LENIENT, defined=defined)
    assert result.effect == pytest.approx((treatment - control)[:, defined].mean())
    assert (result.positive_count, result.test_family_count) == (30, 15)


def test_a_contrast_without_any_defined_query_has_no_effect_but_a_reason() -> None:
    families = Families(np.arange(4), 4)
    nothing = np.zeros(4, dtype=bool)
    result = contrast_of_means(np.ones((5, 4)), np.zeros((5, 4)), families, LENIENT, defined=nothing)
    assert result.effect is None and result.verdict == "not tested"
    assert "no unit" in result.note
