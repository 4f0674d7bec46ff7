import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.auditing.replicates import Split, disjoint_rows, redraw_real, rung_sizes

FAMILIES = [f"f{i // 2}" for i in range(60)]


@given(st.integers(0, 10_000))
def test_no_family_is_on_both_sides_of_a_replicate(seed: int) -> None:
    split = redraw_real(FAMILIES, np.random.default_rng(seed))
    kept = {FAMILIES[i] for i in split.kept}
    assert kept.isdisjoint(FAMILIES[i] for i in split.left_out)
    assert len(kept) == 20
    assert sorted([*split.kept, *split.left_out]) == list(range(60))


def _splits(count: int) -> list[Split]:
    return [redraw_real(FAMILIES, np.random.default_rng(seed)) for seed in range(count)]


def test_subsamples_are_disjoint_and_equal() -> None:
    hands = disjoint_rows([f"own{i}" for i in range(83)], FAMILIES, _splits(8), np.random.default_rng(0))
    rows = np.concatenate(hands)
    assert len(set(rows.tolist())) == len(rows) == 80
    assert {len(hand) for hand in hands} == {10}


def test_a_paraphrase_follows_its_source() -> None:
    splits = _splits(4)
    synthetic = [FAMILIES[i % 60] for i in range(240)]
    hands = disjoint_rows(synthetic, FAMILIES, splits, np.random.default_rng(1))
    for hand, split in zip(hands, splits, strict=True):
        held = {FAMILIES[i] for i in split.kept}
        assert {synthetic[row] for row in hand} <= held
    assert len(hands[0]) >= 45


def test_a_part_of_a_hand_is_no_piece_of_the_file() -> None:
    """Files are often ordered by topic; hands are cut to a common count."""
    hands = disjoint_rows([f"own{i}" for i in range(800)], FAMILIES, _splits(4), np.random.default_rng(0))
    for hand in hands:
        assert hand[:100].max() > 700
        assert 300 < hand[:100].mean() < 500


def test_fewer_rows_than_replicates_leave_no_subsample() -> None:
    hands = disjoint_rows(["x"] * 3, FAMILIES, _splits(8), np.random.default_rng(0))
    assert {len(hand) for hand in hands} == {0}


@pytest.mark.parametrize(
    ("synthetic", "left_out", "sizes"),
    [(375, 333, (47, 94, 188, 333)), (80, 1000, (10, 20, 40, 80)), (1, 10, (1,)), (100, 0, ())],
)
def test_rungs_are_shares_capped_by_the_pool(synthetic: int, left_out: int, sizes: tuple[int, ...]) -> None:
    assert rung_sizes(synthetic, left_out) == sizes
