"""Made-up documents: nothing in common, and as much of everything as real ones have."""

from dataclasses import replace

import numpy as np

from services.evaluator.fidelity import Sample
from services.evaluator.fidelity.unrelated import dealt_labels, random_texts, stand_in, unrelated


def test_vectors_have_unit_length_and_no_direction() -> None:
    vectors = unrelated(400, 5, np.random.default_rng(6)).embeddings
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    assert np.abs(vectors.mean(axis=0)).max() < 0.1


def test_words_are_as_many_and_all_new() -> None:
    counts = np.array([3, 0, 1, 40])
    texts = random_texts(counts, np.random.default_rng(1))
    words = [text.split() for text in texts]
    assert [len(some) for some in words] == counts.tolist()
    assert len({word for some in words for word in some}) == 44


def test_labels_are_as_many_and_equally_often() -> None:
    labels = np.zeros((4000, 4), dtype=bool)
    labels[:, 0] = True
    labels[:2000, 1] = True
    dealt = dealt_labels(labels, np.random.default_rng(2))
    assert (dealt.sum(axis=1) == labels.sum(axis=1)).all()
    np.testing.assert_allclose(dealt.mean(axis=0), 1.5 / 4, atol=0.04)


def test_vectors_are_the_same_with_and_without_words() -> None:
    real = Sample(
        np.eye(3, dtype=np.float32), np.arange(3), texts=("a", "b c", "d"), labels=np.eye(3, dtype=bool)
    )
    bare, full = (stand_in(real, np.random.default_rng(3), needs) for needs in ((), ("texts", "labels")))
    np.testing.assert_array_equal(bare.embeddings, full.embeddings)
    assert bare.texts is None and full.texts is not None and full.labels is not None


def test_what_a_sample_lacks_is_not_made_up() -> None:
    real = replace(unrelated(4, 3, np.random.default_rng(4)), texts=None)
    assert stand_in(real, np.random.default_rng(5), ("texts", "labels")).texts is None
