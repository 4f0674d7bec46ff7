"""F1 and label ranking against worked numbers and scikit-learn."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import average_precision_score, f1_score, label_ranking_average_precision_score

from services.domain.errors import InvalidInputError
from services.evaluator.classification import (
    at_argmax,
    at_threshold,
    count_labels,
    macro_f1,
    micro_f1,
    per_label_f1,
    require_finite,
)
from services.evaluator.label_ranking import label_ranking, micro_average_precision

TRUTH = np.array([[1, 0, 0], [1, 1, 0], [0, 1, 0]], dtype=bool)
PREDICTED = np.array([[1, 1, 0], [1, 0, 0], [0, 1, 0]], dtype=bool)

indicators = arrays(np.bool_, st.tuples(st.integers(2, 9), st.just(4)))


def test_micro_f1_of_a_worked_example() -> None:
    # tp 3, predicted 4, true 4
    assert micro_f1(count_labels(TRUTH, PREDICTED)) == pytest.approx(2 * 3 / 8)


def test_labels_without_any_positive_have_no_f1() -> None:
    values = per_label_f1(count_labels(TRUTH, PREDICTED))
    assert values[:2] == pytest.approx([1.0, 0.5])
    assert np.isnan(values[2])


def test_macro_f1_counts_labels_with_support_only() -> None:
    assert macro_f1(count_labels(TRUTH, PREDICTED)) == pytest.approx(0.75)


def test_nothing_true_and_nothing_predicted_is_undefined_not_zero() -> None:
    nothing = np.zeros((3, 2), dtype=bool)
    assert micro_f1(count_labels(nothing, nothing)) is None
    assert macro_f1(count_labels(nothing, nothing)) is None


def test_micro_f1_can_pool_a_common_label_set() -> None:
    common = np.array([False, True, True])
    assert micro_f1(count_labels(TRUTH, PREDICTED), common) == pytest.approx(0.5)


def test_a_score_at_the_threshold_is_a_prediction() -> None:
    assert at_threshold(np.array([[0.3, 0.29]]), 0.3).tolist() == [[True, False]]


def test_argmax_predicts_one_label_a_document() -> None:
    assert at_argmax(np.array([[0.1, 0.9], [0.5, 0.5]])).tolist() == [[False, True], [True, False]]


@given(indicators, st.integers(0, 2**32 - 1))
def test_f1_agrees_with_scikit_learn(truth: np.ndarray, seed: int) -> None:
    predicted = np.random.default_rng(seed).random(truth.shape) < 0.5
    counts = count_labels(truth, predicted)
    supported = np.flatnonzero(truth.any(axis=0))
    if truth.any() or predicted.any():
        assert micro_f1(counts) == pytest.approx(f1_score(truth, predicted, average="micro", zero_division=0))
    if len(supported):
        expected = f1_score(truth, predicted, average="macro", labels=supported, zero_division=0)
        assert macro_f1(counts) == pytest.approx(expected)


def test_different_truth_is_refused_with_both_shapes() -> None:
    with pytest.raises(InvalidInputError, match=r"3 documents by 3 labels.*2 documents by 3 labels"):
        count_labels(TRUTH, PREDICTED[:2])


def test_a_score_that_is_not_a_number_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="1 of 2 scores of the treatment"):
        require_finite(np.array([0.1, np.nan]), "the treatment")


def test_label_ranking_of_a_worked_example() -> None:
    # ranks of the true label: 2 and 3
    truth = np.array([[1, 0, 0], [0, 0, 1]], dtype=bool)
    ranking = label_ranking(truth, np.array([[0.75, 0.5, 1.0], [1.0, 0.2, 0.1]]))
    assert ranking.value == pytest.approx((1 / 2 + 1 / 3) / 2)
    assert ranking.tie_rate == 0.0


@given(indicators, st.integers(0, 2**32 - 1))
def test_label_ranking_agrees_with_scikit_learn(truth: np.ndarray, seed: int) -> None:
    # Few distinct scores, so that ties occur.
    scores = np.random.default_rng(seed).integers(0, 3, truth.shape) / 2
    labelled = truth.any(axis=1)
    if labelled.any():
        expected = label_ranking_average_precision_score(truth[labelled], scores[labelled])
        assert label_ranking(truth, scores).value == pytest.approx(expected)


def test_documents_without_labels_are_left_out_of_the_ranking() -> None:
    truth = np.array([[1, 0], [0, 0]], dtype=bool)
    ranking = label_ranking(truth, np.array([[0.9, 0.1], [0.5, 0.4]]))
    assert ranking.value == 1.0
    assert np.isnan(ranking.per_document[1])


def test_equal_scores_are_ranked_by_prevalence_and_counted() -> None:
    truth = np.array([[1, 0, 0]], dtype=bool)
    scores = np.array([[0.0, 0.0, 1.0]])
    common = label_ranking(truth, scores, np.array([0.5, 0.1, 0.2]))
    rare = label_ranking(truth, scores, np.array([0.1, 0.5, 0.2]))
    assert (common.value, rare.value) == (1 / 2, 1 / 3)
    assert common.tie_rate == rare.tie_rate == 1.0


def test_ties_of_equal_prevalence_count_as_ranked_last() -> None:
    truth = np.array([[1, 0]], dtype=bool)
    assert label_ranking(truth, np.zeros((1, 2)), np.array([0.3, 0.3])).value == 0.5


@settings(max_examples=50)
@given(indicators, st.integers(0, 2**32 - 1))
def test_micro_average_precision_agrees_with_scikit_learn(truth: np.ndarray, seed: int) -> None:
    scores = np.random.default_rng(seed).integers(0, 5, truth.shape) / 4
    if truth.any():
        expected = average_precision_score(truth.ravel(), scores.ravel())
        assert micro_average_precision(truth, scores) == pytest.approx(expected)
    else:
        assert micro_average_precision(truth, scores) is None


def test_a_study_of_score_matrices_is_scored_within_a_minute() -> None:
    rng = np.random.default_rng(5)
    truth, scores = rng.random((1200, 64)) < 0.05, rng.random((1200, 64), dtype=np.float32)
    started = time.process_time()
    for _ in range(5):
        count_labels(truth, at_threshold(scores, 0.5))
        label_ranking(truth, scores)
        micro_average_precision(truth, scores)
    # 1,400 matrices of a full study in 60 s of one core, doubled for a busy machine.
    assert time.process_time() - started < 2 * 5 * 60 / 1400
