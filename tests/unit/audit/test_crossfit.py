import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.auditing.crossfit import (
    MERGED_THRESHOLD,
    FoldScores,
    merge_scores,
    merged_threshold,
    rescaled,
    split_families,
    without_families,
)
from services.domain.errors import InvalidInputError

FAMILIES = [f"f{i // 3}" for i in range(40)]


def test_every_document_is_tested_once_and_no_family_is_cut() -> None:
    folds = split_families(FAMILIES, 5, np.random.default_rng(0))
    assert sorted(np.concatenate([fold.test for fold in folds]).tolist()) == list(range(40))
    for fold in folds:
        assert {FAMILIES[i] for i in fold.train}.isdisjoint(FAMILIES[i] for i in fold.test)


def test_more_folds_than_families_are_refused() -> None:
    with pytest.raises(
        InvalidInputError, match="5 folds by family need at least 5 families, and there are 2"
    ):
        split_families(["a", "b", "a"], 5, np.random.default_rng(0))


def test_what_was_written_from_a_fold_leaves_with_it() -> None:
    assert without_families(["f1", "own", "f2"], {"f1"}).tolist() == [1, 2]


@given(
    st.lists(st.floats(0, 1, width=32), min_size=1, max_size=20),
    st.floats(0, 1, width=32),
)
def test_rescaling_decides_as_the_fold_did(scores: list[float], threshold: float) -> None:
    before = np.array(scores, dtype=np.float32)
    after = rescaled(before, threshold)
    assert ((after >= MERGED_THRESHOLD) == (before >= np.float32(threshold))).all()


@given(st.lists(st.floats(0, 1, width=32), min_size=2, max_size=20), st.floats(0.01, 0.99))
def test_rescaling_keeps_the_order(scores: list[float], threshold: float) -> None:
    before = np.sort(np.array(scores, dtype=np.float32))
    assert (np.diff(rescaled(before, threshold)) >= 0).all()


def test_merged_scores_stand_in_the_order_of_the_documents() -> None:
    parts = [
        FoldScores(np.array([2, 0]), np.array([[0.9], [0.1]], dtype=np.float32), 0.5),
        FoldScores(np.array([1]), np.array([[0.2]], dtype=np.float32), 0.2),
    ]
    np.testing.assert_allclose(merge_scores(parts, 3), [[0.1], [0.5], [0.9]])


def test_a_fold_without_a_threshold_leaves_the_whole_without_one() -> None:
    with_one = FoldScores(np.array([0]), np.array([[0.2]], dtype=np.float32), 0.2)
    without = FoldScores(np.array([1]), np.array([[0.2]], dtype=np.float32), None, "no positive label")
    assert merged_threshold([with_one]) == (MERGED_THRESHOLD, "")
    assert merged_threshold([with_one, without]) == (
        None,
        "1 of 2 folds have no threshold: no positive label",
    )
    np.testing.assert_allclose(merge_scores([with_one, without], 2), [[0.5], [0.2]])


def test_a_document_tested_twice_is_refused() -> None:
    part = FoldScores(np.array([0, 0]), np.zeros((2, 1), dtype=np.float32), 0.5)
    with pytest.raises(InvalidInputError, match="exactly once"):
        merge_scores([part], 2)
