"""MiniLM beside latent semantics: two inner products in one."""

from collections.abc import Sequence

import numpy as np
import pytest

from services.domain.corpus import Corpus
from services.domain.document import Document
from services.domain.errors import InvalidInputError
from services.domain.task import Task, TaskType
from services.features.encoders import Embeddings
from services.features.encoders.lsa import Lsa
from services.features.encoders.minilm_lsa import Joined, MiniLmLsa
from services.features.store import embed_corpora, open_encoder
from services.storage.store import Store

TRAINING = (
    "wheel chair with powered wheels",
    "powered wheel for a chair",
    "hearing aid with microphone",
    "microphone array for hearing",
    "braille display for reading",
    "reading aid with braille keys",
)


class Angles:
    """Unit vectors by a text's length; texts with a hash have none."""

    description, dimensions = "for tests", 2

    def __init__(self, revision: str, turn: float) -> None:
        self.revision, self._turn = revision, turn

    def encode(self, texts: Sequence[str]) -> Embeddings:
        angles = np.array([len(text) * self._turn for text in texts], np.float32)
        known = np.array([["#" not in text] for text in texts])
        return np.where(known, np.stack([np.cos(angles), np.sin(angles)], axis=1), 0).astype(np.float32)


def stored(store: Store, texts: Sequence[str]) -> str:
    documents = tuple(Document(f"d{i}", text, ("a",), f"f{i}") for i, text in enumerate(texts))
    return store.put_corpus(Corpus(Task(TaskType.MULTI_LABEL, ("a",)), documents)).sha256


@pytest.mark.parametrize("share", [0.5, 0.2])
def test_inner_product_is_the_weighted_mean_of_both(share: float) -> None:
    one, two = Angles("one/1", 0.3), Angles("two/1", 1.1)
    texts = ["a", "bcd", "efghi"]
    found = Joined("", "x/1", one, two, share).encode(texts)
    expected = (
        share * one.encode(texts) @ one.encode(texts).T
        + (1 - share) * two.encode(texts) @ two.encode(texts).T
    )
    np.testing.assert_allclose(found @ found.T, expected, atol=1e-6)


def test_text_that_one_half_does_not_know_has_the_other_half_at_full_length() -> None:
    class Blind(Angles):
        def encode(self, texts: Sequence[str]) -> Embeddings:
            return np.zeros((len(texts), 2), np.float32)

    one = Angles("one/1", 0.3)
    found = Joined("", "x/1", one, Blind("two/1", 0), 0.5).encode(["abc"])
    np.testing.assert_allclose(found, np.concatenate([one.encode(["abc"]), [[0, 0]]], axis=1), atol=1e-6)
    assert not Joined("", "x/1", Blind("b/1", 0), Blind("c/1", 0), 0.5).encode(["#"]).any()


def test_only_training_texts_are_learned_from() -> None:
    pair = MiniLmLsa(Angles("one/1", 0.3), Lsa(4))
    learned = pair.fit(TRAINING)
    np.testing.assert_array_equal(learned["components"], Lsa(4).fit(TRAINING)["components"])


def test_revision_names_halves_share_and_training_corpus(store: Store) -> None:
    corpus, other = stored(store, TRAINING), stored(store, TRAINING[:5])
    first, second = (open_encoder(store, "minilm_lsa", one).revision for one in (corpus, other))
    assert first != second
    assert first.startswith("minilm_lsa/1/0.5/minilm/1/")
    assert "+lsa/1/384/" in first


def test_unseen_corpus_is_embedded_in_the_space_of_the_training_corpus(store: Store) -> None:
    training = stored(store, TRAINING)
    alone = ["a powered wheel chair", "zygomorphic quux"]
    with_others = [*alone, "voice control for a lamp", "lamp with voice"]
    fit_on = store.put_corpus(store.get_corpus(training))
    first, second = (
        store.get_arrays(
            embed_corpora(
                store, [store.put_corpus(store.get_corpus(stored(store, texts)))], "minilm_lsa", fit_on
            )[0]
        )[0]["embeddings"]
        for texts in (alone, with_others)
    )
    # Nothing about the space comes from the texts that are embedded.
    assert first.tobytes() == second[:2].tobytes()
    assert first.shape == (2, 384 + 5)
    assert not first[1, 384:].any()


def test_training_texts_are_asked_for(store: Store) -> None:
    with pytest.raises(InvalidInputError, match="give fit_on"):
        open_encoder(store, "minilm_lsa")
