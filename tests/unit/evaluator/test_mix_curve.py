"""Mix curves: the keep-set by hand and by simulation, the optimum's height, uneven noise."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from services.domain.errors import InvalidInputError
from services.domain.seeds import stream
from services.evaluator.crossed_layout import (
    hartley_p,
    keep_margin,
    residuals,
    studentized_range,
    variance_ratio,
)
from services.evaluator.mix_curve import MixCurve, MixScores, analyse_mix, held_out_height

# Three shares in five replicates: one far below, two close together.
EXAMPLE = np.array(
    [
        [0.30, 0.32, 0.34, 0.30, 0.34],
        [0.52, 0.52, 0.50, 0.51, 0.50],
        [0.50, 0.48, 0.51, 0.51, 0.50],
    ]
)


def _curve(scores: np.ndarray) -> MixCurve:
    shares = np.linspace(0.0, 1.0, len(scores))
    return analyse_mix(
        [MixScores(float(x), tuple(row.tolist())) for x, row in zip(shares, scores, strict=True)]
    )


def test_the_keep_set_follows_tukeys_margin() -> None:
    curve = _curve(EXAMPLE)
    rows, columns = EXAMPLE.mean(axis=1), EXAMPLE.mean(axis=0)
    squares = sum(
        (EXAMPLE[j, r] - rows[j] - columns[r] + EXAMPLE.mean()) ** 2 for j in range(3) for r in range(5)
    )
    sd = np.sqrt(squares / 8)
    assert curve.residual_sd == pytest.approx(sd) and curve.degrees_of_freedom == 8
    # The tabulated upper .05 point of the studentized range for 3 means and 8 df is 4.041.
    assert curve.margin == pytest.approx(4.041 * sd / np.sqrt(5), rel=1e-3)
    assert [p.standing for p in curve.points] == ["worse", "best", "not shown worse"]
    assert curve.kept == (0.5, 1.0)
    assert [p.mean for p in curve.points] == pytest.approx(rows.tolist())


def test_two_shares_are_a_paired_t_test() -> None:
    first, second = stream(1, "pair").normal(size=(2, 7))
    _, freedom, margin = keep_margin(np.array([first, second]))
    expected = stats.t.ppf(0.975, 6) * np.std(first - second, ddof=1) / np.sqrt(7)
    assert freedom == 6
    assert margin == pytest.approx(expected)


@given(st.floats(-0.3, 0.3))
def test_a_replicates_luck_moves_nothing(luck: float) -> None:
    lucky = EXAMPLE + luck * np.array([1.0, 0.0, -1.0, 2.0, 0.0])
    assert _curve(lucky).margin == pytest.approx(_curve(EXAMPLE).margin)
    assert _curve(lucky).variance_ratio == pytest.approx(_curve(EXAMPLE).variance_ratio)
    assert _curve(lucky).kept == _curve(EXAMPLE).kept


def test_the_order_of_the_shares_does_not_matter() -> None:
    shares = [MixScores(x, tuple(row.tolist())) for x, row in zip((0.0, 0.5, 1.0), EXAMPLE, strict=True)]
    assert analyse_mix(shares[::-1]) == analyse_mix(shares)


def test_flat_curves_keep_every_share() -> None:
    rng, studies = stream(2, "flat"), 1500
    for shares, replicates in ((5, 5), (11, 8)):
        scores = rng.normal(size=(studies, shares, replicates)) + 3 * rng.normal(
            size=(studies, 1, replicates)
        )
        held = 0
        for one in scores:
            means = one.mean(axis=1)
            held += bool((means >= means.max() - keep_margin(one)[2]).all())
        assert held / studies >= 0.93


def test_the_best_share_by_far_stands_alone() -> None:
    noise = 0.01 * stream(3, "peak").normal(size=(5, 8))
    curve = _curve(np.array([0.3, 0.7, 0.5, 0.4, 0.2])[:, None] + noise)
    assert curve.kept == (0.25,)


def test_height_is_read_in_the_replicate_that_did_not_choose() -> None:
    # Without r1, row two leads (.5 to .2): .1; without r2, row one (.9 to .1): .0; without r3, row one: .4.
    scores = np.array([[0.9, 0.0, 0.4], [0.1, 0.6, 0.4]])
    assert held_out_height(scores) == pytest.approx((0.1 + 0.0 + 0.4) / 3)


def test_held_out_height_is_not_too_high_on_flat_curves() -> None:
    scores = stream(4, "height").normal(size=(1500, 6, 5))
    honest = np.mean([held_out_height(one) for one in scores])
    highest = np.mean(scores.mean(axis=2).max(axis=1))
    assert abs(honest) < 0.04
    assert highest > 0.4


def test_uneven_noise_is_refused_and_even_noise_rarely() -> None:
    rng = stream(5, "uneven")
    uneven = rng.normal(size=(6, 8)) * np.array([12.0, 1.0, 1.0, 1.0, 1.0, 1.0])[:, None]
    curve = _curve(uneven)
    assert curve.variance_ratio is not None and curve.variance_ratio > 4.0
    assert "a keep-set allows 4:1" in curve.refused
    assert {p.standing for p in curve.points} == {"not judged"}
    assert curve.kept == () and curve.margin is None and curve.height is not None
    even = [variance_ratio(one) for one in rng.normal(size=(1000, 6, 8))]
    assert np.mean([ratio is not None and ratio > 4.0 and p < 0.05 for ratio, p in even]) < 0.07
    # The ratio alone would refuse most studies with nothing wrong.
    assert np.mean([ratio is not None and ratio > 4.0 for ratio, _ in even]) > 0.4


@pytest.mark.parametrize(("point", "count", "freedom"), [(6.34, 5, 10), (6.92, 6, 10), (9.70, 5, 7)])
def test_the_chance_of_a_variance_ratio_is_hartleys_table(point: float, count: int, freedom: int) -> None:
    assert hartley_p(point, count, freedom) == pytest.approx(0.05, abs=5e-4)


def test_the_ratio_of_two_variances_is_an_f_test_on_both_sides() -> None:
    assert hartley_p(5.0, 2, 7) == pytest.approx(2 * stats.f.sf(5.0, 7, 7), abs=1e-6)


def test_a_ratio_that_chance_explains_is_noted() -> None:
    rng = stream(6, "noted")
    for one in rng.normal(size=(50, 6, 6)):
        ratio, p = variance_ratio(one)
        if ratio is not None and ratio > 4.0 and p > 0.05:
            curve = _curve(one)
            break
    assert curve.refused == "" and f"variances differ {ratio:.1f}:1" in curve.note


def test_too_few_replicates_are_refused_with_their_number() -> None:
    curve = _curve(EXAMPLE[:, :4])
    assert curve.refused == "4 replicates, a keep-set takes 5"
    assert (curve.margin, curve.height, curve.variance_ratio, curve.replicate_count) == (None, None, None, 4)
    assert [p.mean for p in curve.points] == pytest.approx(EXAMPLE[:, :4].mean(axis=1).tolist())


def test_scores_that_never_vary_are_refused() -> None:
    assert "no variance" in _curve(np.tile([[0.1], [0.5], [0.3]], (1, 6))).refused


def test_a_share_that_alone_does_not_vary_has_no_ratio() -> None:
    scores = np.array([[1.0, -1.0, 2.0, -2.0, 0.0], [-1.0, 1.0, -2.0, 2.0, 0.0], [0.0] * 5])
    assert residuals(scores)[2] == pytest.approx(np.zeros(5))
    curve = _curve(scores)
    assert curve.variance_ratio is None and "do not vary while others' do" in curve.refused


def test_the_studentized_range_is_the_tabulated_one() -> None:
    assert studentized_range(5, 20) == pytest.approx(4.232, abs=1e-3)


@pytest.mark.parametrize(
    ("shares", "field"),
    [
        ([MixScores(0.5, (0.1, 0.2))], "shares"),
        ([MixScores(0.5, (0.1,)), MixScores(1.5, (0.1,))], "shares[1].real_share"),
        ([MixScores(0.5, (0.1,)), MixScores(np.nan, (0.1,))], "shares[1].real_share"),
        ([MixScores(0.5, (0.1,)), MixScores(0.5, (0.1,))], "shares[1].real_share"),
        ([MixScores(0.5, (0.1,)), MixScores(0.7, (np.nan,))], "shares[1].scores"),
        ([MixScores(0.5, (0.1, 0.2)), MixScores(0.7, (0.1,))], "shares[1].scores"),
        ([MixScores(0.5, ()), MixScores(0.7, ())], "shares[0].scores"),
    ],
)
def test_what_is_no_curve_names_its_field(shares: list[MixScores], field: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        analyse_mix(shares)
    assert caught.value.field == field
