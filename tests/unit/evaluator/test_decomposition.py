"""Where a gain comes from: sums that hold exactly, contrasts, and shares with Fieller's interval."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from services.domain.errors import InvalidInputError
from services.domain.seeds import stream
from services.evaluator.decomposition import CellScores, GainDecomposition, decompose_gain
from services.evaluator.gain_terms import ARMS, BUDGETS, CONTRASTS, PARTS, TERMS, THRESHOLD_RULES
from services.evaluator.shares import fieller_g, fieller_ratio, over_replicates

CELLS = tuple(itertools.product(ARMS, BUDGETS, THRESHOLD_RULES))
Scores = dict[tuple[str, str, str], np.ndarray]


def _random(seed: int, replicates: int = 6, spread: float = 0.2) -> Scores:
    rng = stream(seed, "cells")
    return {cell: 0.5 + spread * rng.normal(size=replicates) for cell in CELLS}


def _decomposed(scores: Scores) -> GainDecomposition:
    return decompose_gain([CellScores(*cell, tuple(values.tolist())) for cell, values in scores.items()])


def _effect(found: GainDecomposition, name: str) -> float:
    effect = found.term(name).effect
    assert effect is not None
    return effect


def _clear_gain(replicates: int = 8) -> Scores:
    """Scores with a gain of .5 that is known well."""
    scores = _random(1, replicates, spread=0.005)
    for cell in CELLS:
        if cell[0] == "real_only":
            scores[cell] = scores[cell] - 0.5
    return scores


def test_the_weights_of_the_three_parts_sum_to_the_gain_exactly() -> None:
    total: dict[tuple[str, str, str], float] = {}
    for name in ("calibration", "budget", "documents"):
        for cell, weight in PARTS[name].items():
            total[cell] = total.get(cell, 0.0) + weight
    assert {cell: weight for cell, weight in total.items() if weight} == PARTS["gain"]


@given(st.integers(0, 2**32 - 1))
def test_the_three_parts_sum_to_the_gain(seed: int) -> None:
    found = _decomposed(_random(seed))
    parts = sum(_effect(found, name) for name in ("calibration", "budget", "documents"))
    assert parts == pytest.approx(_effect(found, "gain"), abs=1e-14)


def test_parts_of_a_worked_example() -> None:
    v = {
        ("real_only", "small", "0.5"): 0.10,
        ("synthesis", "large", "0.5"): 0.70,
        ("real_only", "small", "tuned"): 0.30,
        ("real_only", "large", "tuned"): 0.34,
        ("synthesis", "small", "tuned"): 0.36,
        ("synthesis", "large", "tuned"): 0.50,
        ("row_twin", "large", "tuned"): 0.35,
        ("eda_twin", "large", "tuned"): 0.37,
        ("paraphrase", "large", "tuned"): 0.41,
        ("row_twin", "large", "0.5"): 0.55,
    }
    found = _decomposed({cell: np.array([value]) for cell, value in v.items()})
    expected = {
        "gain": 0.60,
        "tuned_gain": 0.20,
        "calibration": 0.40,
        "budget": 0.09,
        "documents": 0.11,
        "budget_first": 0.04,
        "budget_last": 0.14,
        "documents_first": 0.06,
        "documents_last": 0.16,
        "interaction": 0.10,
        "volume": 0.45,
        "replication": 0.01,
        "surface": 0.02,
        "rewriting": 0.06,
        "synthesis": 0.15,
    }
    assert {name: _effect(found, name) for name in expected} == pytest.approx(expected)
    assert found.term("synthesis").interval95 is None
    assert found.term("synthesis").note == "one replicate: no interval"
    own = found.term("synthesis_own_budget")
    assert own.effect is None and own.note == "not run: synthesis own tuned, row_twin own tuned"


def test_intervals_are_those_of_a_paired_t_test() -> None:
    scores = _random(4)
    term = _decomposed(scores).term("synthesis")
    first, second = (scores[arm, "large", "tuned"] for arm in ("synthesis", "row_twin"))
    expected = stats.ttest_rel(first, second)
    assert term.interval95 is not None and term.interval90 is not None
    for interval, level in ((term.interval95, 0.95), (term.interval90, 0.90)):
        low, high = expected.confidence_interval(level)
        assert (interval.low, interval.high) == pytest.approx((low, high))


def test_terms_come_complete_and_in_order() -> None:
    assert tuple(term.name for term in _decomposed(_random(2)).terms) == TERMS == (*PARTS, *CONTRASTS)


def test_the_papers_volume_share_is_rebuilt() -> None:
    # Real only .120, a control of the same volume .678, augmented .702.
    luck = 0.001 * np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
    half = {
        ("real_only", "small", "0.5"): 0.120 + luck,
        ("row_twin", "large", "0.5"): 0.678 - luck,
        ("synthesis", "large", "0.5"): 0.702 + luck[::-1] * 2,
    }
    term = _decomposed(half).term("volume")
    assert term.share == pytest.approx((0.678 - 0.120) / (0.702 - 0.120))
    assert term.share == pytest.approx(0.9588, abs=5e-5)
    assert term.share_interval95 is not None
    assert term.share_interval95.low < 0.9588 < term.share_interval95.high


def test_shares_are_given_of_a_clear_gain_and_not_of_contrasts() -> None:
    found = _decomposed(_clear_gain())
    assert found.shares_refused == "" and found.fieller_g is not None and found.fieller_g < 0.2
    shares = [found.term(name).share for name in ("calibration", "budget", "documents")]
    assert sum(share for share in shares if share is not None) == pytest.approx(1.0)
    assert all(found.term(name).share is None for name in CONTRASTS)


def test_shares_are_never_clipped() -> None:
    scores = _clear_gain()
    scores["real_only", "large", "tuned"] = scores["real_only", "large", "tuned"] - 2.0
    found = _decomposed(scores)
    budget, documents = found.term("budget_first"), found.term("documents_last")
    assert budget.share is not None and budget.share < -1.0
    assert documents.share is not None and documents.share > 1.0
    assert budget.share_interval95 is not None and budget.share_interval95.high < 0.0


def test_no_share_of_a_gain_that_may_be_nothing() -> None:
    scores = _random(3, spread=0.01)
    found = _decomposed(scores)
    assert "lower 95 % bound" in found.shares_refused and "Fieller's g" in found.shares_refused
    assert all(term.share is None and term.share_interval95 is None for term in found.terms)
    assert found.term("documents").effect is not None


def test_no_share_of_a_gain_known_badly() -> None:
    # Mean .5, t SE = .3: the bound .2 is above .02, but g = .36.
    error = 0.3 / stats.t.ppf(0.975, 3)
    spread = error * 2 * np.array([-1.0, -1.0, 1.0, 1.0]) / np.sqrt(4 / 3)
    zero = np.zeros(4)
    found = _decomposed({("synthesis", "large", "0.5"): 0.5 + spread, ("real_only", "small", "0.5"): zero})
    assert found.fieller_g == pytest.approx(0.36)
    assert found.shares_refused == "Fieller's g is 0.36, shares take less than 0.2"


def test_replicates_that_agree_have_no_interval_and_no_shares() -> None:
    found = _decomposed({cell: np.full(5, 0.1 * i) for i, cell in enumerate(CELLS)})
    assert found.term("gain").interval95 is None and found.term("gain").standard_error == 0.0
    assert "do not differ" in found.term("gain").note
    assert found.shares_refused == "the gain has no interval over replicates"


def test_a_gain_that_was_not_run_is_said_so() -> None:
    found = _decomposed(
        {("synthesis", "large", "tuned"): np.ones(3), ("row_twin", "large", "tuned"): np.zeros(3)}
    )
    assert found.term("gain").note.startswith("not run: synthesis large 0.5")
    assert found.shares_refused == "the gain was not run" and found.fieller_g is None
    assert found.term("synthesis").effect == 1.0


def test_fiellers_interval_holds_the_ratios_a_t_test_accepts() -> None:
    rng = stream(5, "fieller")
    top, bottom = 0.3 + 0.05 * rng.normal(size=7), 0.6 + 0.05 * rng.normal(size=7)
    interval = fieller_ratio(top, bottom).interval
    assert interval is not None
    for end in (interval.low, interval.high):
        assert stats.ttest_1samp(top - end * bottom, 0.0).pvalue == pytest.approx(0.05)
    for ratio in np.linspace(0.0, 1.2, 61):
        inside = interval.low < ratio < interval.high
        assert inside == (stats.ttest_1samp(top - ratio * bottom, 0.0).pvalue > 0.05)


def test_a_denominator_without_error_leaves_the_numerators_interval() -> None:
    top = np.array([0.1, 0.2, 0.4])
    ratio, plain = fieller_ratio(top, np.full(3, -0.5)), over_replicates(top).interval(0.95)
    assert ratio.interval is not None and plain is not None
    assert (ratio.interval.low, ratio.interval.high) == pytest.approx((-2 * plain.high, -2 * plain.low))


def test_a_denominator_that_may_be_nothing_leaves_no_interval() -> None:
    bottom = np.array([0.1, -0.1, 0.2])
    assert fieller_g(bottom) > 1.0
    assert fieller_ratio(np.ones(3), bottom).interval is None


def test_fiellers_interval_covers_the_share() -> None:
    rng, covered, studies = stream(6, "coverage"), 0, 3000
    for _ in range(studies):
        common, own = rng.normal(size=(2, 6))
        gain = 0.10 + 0.02 * common
        interval = fieller_ratio(0.04 + 0.01 * common + 0.01 * own, gain).interval
        covered += interval is not None and interval.low <= 0.4 <= interval.high
    assert 0.935 <= covered / studies <= 0.965


@pytest.mark.parametrize(
    ("cells", "field"),
    [
        ([], "cells"),
        ([CellScores("twin", "large", "0.5", (0.1,))], "cells[0].arm"),
        ([CellScores("row_twin", "l", "0.5", (0.1,))], "cells[0].budget"),
        ([CellScores("row_twin", "large", "argmax", (0.1,))], "cells[0].threshold_rule"),
        ([CellScores("row_twin", "large", "0.5", (0.1, np.inf))], "cells[0].scores"),
        ([CellScores("row_twin", "large", "0.5", ())], "cells[0].scores"),
        ([CellScores("row_twin", "large", "0.5", (0.1,))] * 2, "cells[1]"),
        (
            [
                CellScores("row_twin", "large", "0.5", (0.1,)),
                CellScores("synthesis", "large", "0.5", (0.1, 0.2)),
            ],
            "cells[1].scores",
        ),
    ],
)
def test_what_is_no_cell_names_its_field(cells: list[CellScores], field: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        decompose_gain(cells)
    assert caught.value.field == field
