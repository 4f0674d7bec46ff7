"""The tuned threshold is the best there is, and says when there is none."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from services.classifier.thresholds import tune_threshold

COARSE = st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75, 1.0])
SCORES = arrays(np.float32, (6, 3), elements=COARSE.map(np.float32))


def micro_f1(scores: np.ndarray, truth: np.ndarray, threshold: float) -> float:
    predicted = scores >= threshold
    return float(2 * (predicted & truth).sum() / (predicted.sum() + truth.sum()))


@given(SCORES, arrays(bool, (6, 3)))
def test_no_other_threshold_has_a_higher_micro_f1(scores: np.ndarray, truth: np.ndarray) -> None:
    truth[0, 0] = True
    found = tune_threshold(scores, truth).value
    assert found is not None
    best = max(micro_f1(scores, truth, t) for t in np.unique(scores))
    assert abs(micro_f1(scores, truth, found) - best) < 1e-12


def test_threshold_lies_halfway_to_the_next_score() -> None:
    scores = np.array([[0.9, 0.5], [0.25, 0.0]], np.float32)
    assert tune_threshold(scores, scores > 0.4).value == 0.375


def test_equal_scores_are_not_parted() -> None:
    scores = np.array([[0.5, 0.5, 0.5, 0.25]], np.float32)
    assert tune_threshold(scores, np.array([[True, False, False, False]])).value == 0.375


def test_among_equally_good_ones_the_highest_is_taken() -> None:
    scores = np.array([[0.8, 0.4, 0.2, 0.1]], np.float32)
    # 2/3 at the first score alone and at three of four.
    assert tune_threshold(scores, np.array([[True, False, False, True]])).value == np.float32(0.6)


def test_neighbouring_floats_are_told_apart() -> None:
    low = np.float32(0.3)
    scores = np.array([[np.nextafter(low, np.float32(1)), low]], np.float32)
    found = tune_threshold(scores, np.array([[True, False]])).value
    assert found is not None
    assert (scores >= found).tolist() == [[True, False]]


def test_all_accepted_at_the_lowest_score() -> None:
    scores = np.array([[0.8, 0.2]], np.float32)
    assert tune_threshold(scores, np.array([[True, True]])).value == np.float32(0.2)


def test_no_positives_no_threshold() -> None:
    found = tune_threshold(np.ones((2, 2), np.float32), np.zeros((2, 2), bool))
    assert found.value is None
    assert "no positive" in found.undefined_reason


def test_no_scored_documents_no_threshold() -> None:
    found = tune_threshold(np.zeros((0, 2), np.float32), np.zeros((0, 2), bool))
    assert found.value is None
    assert "no documents" in found.undefined_reason
