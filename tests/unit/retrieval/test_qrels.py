"""Ideal lists from distinct label masks equal those from every document."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.domain.labels import jaccard, label_masks
from services.retrieval.qrels import gains_of, ideal_lists, popcount


def masks(rng: np.random.Generator, count: int, labels: int) -> np.ndarray:
    return label_masks(rng.random((count, labels)) < 0.15)


@given(st.integers(0, 2**32 - 1), st.sampled_from([3, 64, 65, 130]))
@settings(max_examples=25, deadline=None)
def test_ideal_is_the_sorted_similarity_of_eligible_documents(seed: int, labels: int) -> None:
    rng = np.random.default_rng(seed)
    queries, documents = masks(rng, 12, labels), masks(rng, 40, labels)
    left_out = tuple(np.flatnonzero(rng.random(40) < 0.2) for _ in range(12))
    found = ideal_lists(queries, documents, left_out, 10, threshold=0.5)
    similarity = jaccard(queries, documents)
    for query, rows in enumerate(left_out):
        eligible = np.delete(similarity[query], rows)
        np.testing.assert_allclose(found.gains[query], np.sort(eligible)[::-1][:10])
        assert found.relevant_counts[query] == (eligible >= 0.5).sum()


def test_few_documents_leave_zeros_at_the_end() -> None:
    one = label_masks(np.array([[True, False]]))
    found = ideal_lists(one, one, (np.empty(0, dtype=np.int64),), 4)
    np.testing.assert_array_equal(found.gains, [[1, 0, 0, 0]])


def test_own_family_is_not_part_of_the_ideal() -> None:
    documents = label_masks(np.array([[True, False], [True, True]]))
    found = ideal_lists(documents[:1], documents, (np.array([0]),), 2)
    np.testing.assert_array_equal(found.gains, [[0.5, 0]])
    assert found.relevant_counts[0] == 1


def test_found_documents_have_the_gain_of_their_overlap() -> None:
    rng = np.random.default_rng(1)
    queries, documents = masks(rng, 5, 70), masks(rng, 9, 70)
    positions = np.array([[0, 3, -1]] * 5)
    expected = jaccard(queries, documents)
    np.testing.assert_allclose(gains_of(queries, documents, positions)[:, :2], expected[:, [0, 3]])
    assert not gains_of(queries, documents, positions)[:, 2].any()


def test_two_empty_label_sets_share_nothing() -> None:
    empty = label_masks(np.zeros((1, 5), dtype=bool))
    assert ideal_lists(empty, empty, (np.empty(0, dtype=np.int64),), 1).gains[0, 0] == 0


@pytest.mark.parametrize("word", [0, 1, 2**63, 2**64 - 1, 0x123456789ABCDEF0])
def test_popcount_counts_bits(word: int) -> None:
    assert popcount(np.uint64(word)) == word.bit_count()
