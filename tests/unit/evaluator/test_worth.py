"""Worth in real documents on rulers whose answers are known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression

from services.domain.errors import InvalidInputError
from services.evaluator.estimation import estimate_difference
from services.evaluator.influence import ArmScores
from services.evaluator.planning import Rules, WorthResult
from services.evaluator.worth import RulerPoint, isotonic, worth_in_documents

RULES = Rules()
# Half-width of every interval on these rulers: only documents vary, and only the treatment's.
FAMILIES = 401


def _arm(score: float, spread: float = 0.0) -> ArmScores:
    influence = np.tile(spread * np.linspace(-1.0, 1.0, FAMILIES), (5, 1))
    return ArmScores(np.full(5, score), influence)


def _ruler(*scores: float) -> list[RulerPoint]:
    lengths = (0.0, 80.0, 160.0, 320.0, 640.0)
    return [RulerPoint(x, _arm(score)) for x, score in zip(lengths, scores, strict=False)]


def _worth(score: float, *ruler: float, spread: float = 0.1) -> WorthResult:
    return worth_in_documents("w", _arm(score, spread), _ruler(*ruler), RULES, 900)


def _half_width(spread: float = 0.1) -> float:
    interval = estimate_difference(_arm(0.0, spread), _arm(0.0)).interval(0.95)
    return (interval.high - interval.low) / 2


def test_worth_is_read_between_rungs_in_a_straight_line() -> None:
    result = _worth(0.35, 0.30, 0.34, 0.36, 0.40, 0.44)
    assert result.worth == pytest.approx(120.0)
    assert not result.less_than_none and not result.more_than_cap


def test_interval_holds_what_the_difference_does_not_exclude() -> None:
    result = _worth(0.38, 0.30, 0.34, 0.36, 0.40, 0.44)
    half = _half_width()
    assert 0.001 < half < 0.01
    # Between 160 and 320 the ruler rises by .04 in 160 documents.
    assert result.worth == pytest.approx(240.0)
    assert result.low == pytest.approx(240.0 - half * 4000, abs=1e-6)
    assert result.high == pytest.approx(240.0 + half * 4000, abs=1e-6)


def test_a_falling_ruler_is_levelled_first() -> None:
    result = _worth(0.37, 0.30, 0.36, 0.34, 0.39)
    # Rungs 80 and 160 pool to .35; .37 lies halfway from there to .39.
    assert result.worth == pytest.approx(240.0)


def test_below_the_row_twin_is_an_answer() -> None:
    result = _worth(0.20, 0.30, 0.34, 0.36)
    assert (result.worth, result.less_than_none, result.low, result.high) == (None, True, None, 0.0)


def test_above_the_last_rung_is_an_answer() -> None:
    result = _worth(0.50, 0.30, 0.34, 0.36)
    assert (result.worth, result.more_than_cap, result.low, result.high) == (None, True, 160.0, None)


def test_ends_that_reach_beyond_the_ruler_are_open() -> None:
    result = _worth(0.32, 0.30, 0.34, spread=2.0)
    assert result.worth == pytest.approx(40.0)
    assert result.low is None and result.high is None


def test_a_sharp_score_still_lies_in_its_interval() -> None:
    result = _worth(0.3111, 0.30, 0.34, spread=0.0)
    assert (result.worth, result.low, result.high) == pytest.approx((22.2, 22.2, 22.2))


def test_replicates_below_the_floor_are_noted() -> None:
    points = [
        RulerPoint(x, ArmScores(np.array([y, y]), np.zeros((2, 300)))) for x, y in ((0, 0.3), (80, 0.4))
    ]
    treatment = ArmScores(np.array([0.34, 0.36]), np.zeros((2, 300)))
    result = worth_in_documents("w", treatment, points, RULES, 900)
    assert result.worth == pytest.approx(40.0)
    assert "2 replicates, a verdict takes 5" in result.note


def test_a_ruler_of_one_rung_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="two rungs or more of different lengths"):
        worth_in_documents("w", _arm(0.3), _ruler(0.3), RULES, 900)


@given(st.lists(st.floats(-1.0, 1.0), min_size=1, max_size=8).map(np.array))
def test_levelling_agrees_with_scikit_learn(values: np.ndarray) -> None:
    expected = IsotonicRegression().fit_transform(np.arange(len(values)), values)
    assert isotonic(values) == pytest.approx(expected, abs=1e-9)


@given(st.floats(0.25, 0.50), st.floats(0.0, 0.02))
def test_a_higher_score_is_worth_no_less(score: float, lead: float) -> None:
    ruler = (0.30, 0.34, 0.33, 0.40)
    lower, higher = (_rank(_worth(s, *ruler)) for s in (score, score + lead))
    assert lower <= higher + 1e-9


def _rank(result: WorthResult) -> float:
    return {(True, False): -1.0, (False, True): 1e9}.get(
        (result.less_than_none, result.more_than_cap), result.worth if result.worth is not None else np.nan
    )
