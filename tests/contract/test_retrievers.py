"""Every registered retriever keeps the promise of the protocol."""

import numpy as np
import pytest

from services.domain.labels import label_masks
from services.retrieval.retrievers import RETRIEVERS, Items, Retriever


def items(seed: int, count: int) -> Items:
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(count, 6))
    unit = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    texts = tuple(f"text {i % 7} of kind {i % 5}" for i in range(count))
    return Items(texts, label_masks(rng.random((count, 5)) < 0.4), unit)


def repeated(some: Items, times: int) -> Items:
    assert some.embeddings is not None
    return Items(some.texts * times, np.tile(some.masks, (times, 1)), np.tile(some.embeddings, (times, 1)))


DOCUMENTS, QUERIES = items(1, 40), items(2, 30)


@pytest.fixture(params=RETRIEVERS.names())
def retriever(request: pytest.FixtureRequest) -> Retriever:
    return RETRIEVERS.get(request.param)


def test_lists_hold_distinct_documents_best_first(retriever: Retriever) -> None:
    found = retriever.index(DOCUMENTS).search(QUERIES, 10)
    assert found.positions.shape == found.scores.shape == (30, 10)
    assert all(len(set(row)) == 10 for row in found.positions)
    assert (np.diff(found.scores, axis=1) <= 0).all()


def test_depth_beyond_the_documents_returns_them_all(retriever: Retriever) -> None:
    found = retriever.index(DOCUMENTS).search(QUERIES, 41)
    np.testing.assert_array_equal(np.sort(found.positions, axis=1), np.tile(np.arange(40), (30, 1)))


def test_shorter_list_is_the_beginning_of_a_longer_one(retriever: Retriever) -> None:
    index = retriever.index(DOCUMENTS)
    np.testing.assert_array_equal(
        index.search(QUERIES, 3).positions, index.search(QUERIES, 20).positions[:, :3]
    )


def test_query_does_not_depend_on_its_neighbours(retriever: Retriever) -> None:
    index, assembled = retriever.index(DOCUMENTS), QUERIES
    assert assembled.embeddings is not None
    alone = Items(assembled.texts[4:5], assembled.masks[4:5], assembled.embeddings[4:5])
    np.testing.assert_array_equal(
        index.search(alone, 10).positions[0], index.search(assembled, 10).positions[4]
    )


def test_ties_go_to_the_earlier_document(retriever: Retriever) -> None:
    # Every document stands there thirty times: no ranking can tell the copies apart.
    found = retriever.index(repeated(DOCUMENTS, 30)).search(QUERIES, 12)
    for row, scores in zip(found.positions, found.scores, strict=True):
        for place in range(1, 12):
            assert scores[place] < scores[place - 1] or row[place] > row[place - 1]
    assert (found.positions[:, 0] < 40).all()


def test_retriever_says_what_it_is(retriever: Retriever) -> None:
    assert retriever.description.endswith(".")
    assert retriever.version
