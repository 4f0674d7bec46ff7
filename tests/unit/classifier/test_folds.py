"""Folds by family: nobody helps to score a relative."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.classifier.folds import NEVER_HELD_OUT, assign_folds, fold_weights, left_out
from services.domain.errors import InvalidInputError

FAMILIES = [f"f{i // 2}" for i in range(20)]
ALL = np.ones(20, bool)


def test_a_family_is_held_out_as_a_whole() -> None:
    fold = assign_folds(FAMILIES, ALL, 5, seed=1)
    assert (fold[0::2] == fold[1::2]).all()
    assert np.bincount(fold).tolist() == [4, 4, 4, 4, 4]


def test_copies_and_paraphrases_go_with_their_source() -> None:
    families = [*FAMILIES, "f3", "f7", "synthetic-1"]
    scored = np.append(ALL, [False] * 3)
    fold = assign_folds(families, scored, 5, seed=1)
    assert (fold[20], fold[21]) == (fold[6], fold[14])
    assert fold[22] == NEVER_HELD_OUT


@given(st.permutations(range(20)), st.integers(0, 2**62), st.integers(0, 8))
def test_folds_of_real_families_are_the_same_in_every_arm(
    order: list[int], seed: int, synthetic: int
) -> None:
    alone = assign_folds(FAMILIES, ALL, 5, seed)
    arm = [FAMILIES[i] for i in order] + [f"s{i}" for i in range(synthetic)]
    fold = assign_folds(arm, np.append(ALL, np.zeros(synthetic, bool)), 5, seed)
    assert fold[:20].tolist() == alone[order].tolist()


def test_the_seed_deals_anew() -> None:
    assert (assign_folds(FAMILIES, ALL, 5, 1) != assign_folds(FAMILIES, ALL, 5, 2)).any()


def test_fewer_families_than_folds_make_fewer_folds() -> None:
    assert sorted(set(assign_folds(["a", "b", "c"], ALL[:3], 5, 1).tolist())) == [0, 1, 2]


def test_one_family_alone_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="two families"):
        assign_folds(["a", "a"], ALL[:2], 5, 1)


def test_weights_are_zero_exactly_in_the_fold_held_out() -> None:
    fold = np.array([0, NEVER_HELD_OUT, 1])
    weights = fold_weights(np.array([1, 2, 3], np.float32), left_out(fold, ["a", "x", "b"], [(), (), ()]))
    assert weights.tolist() == [[1, 0, 1], [2, 2, 2], [3, 3, 0]]


def test_a_row_made_of_documents_goes_out_with_each_of_them() -> None:
    fold = np.array([0, 1, 2, NEVER_HELD_OUT, NEVER_HELD_OUT])
    donors = [(), (), (), ("a", "c"), ("elsewhere",)]
    out = left_out(fold, ["a", "b", "c", "made of both", "made of neither"], donors)
    assert out[3].tolist() == [True, False, True]
    assert not out[4].any()
    assert (out[:3] == np.eye(3, dtype=bool)).all()


def test_without_scored_rows_there_is_one_weighting() -> None:
    fold = assign_folds(["a", "b"], np.zeros(2, bool), 5, 1)
    out = left_out(fold, ["a", "b"], [(), ()])
    assert fold_weights(np.ones(2, np.float32), out).shape == (2, 1)
