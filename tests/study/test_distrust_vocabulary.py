"""The row twin is no control if it may use fewer words than the treatment says again."""

from dataclasses import replace

import numpy as np

from services.classifier.training import train
from services.domain.corpus import Corpus
from services.domain.document import Document, Provenance
from services.domain.plan import Part
from services.storage.store import Store
from tests.unit.classifier.separable import MULTI, part, plan, separable_corpus, separable_spec, whole

COUNT = 60


def documents_with_rare_words() -> Corpus:
    """Every document has three words of its own, as short texts do."""
    corpus = separable_corpus(MULTI, COUNT, "real")
    rare = (" ".join([d.text, *(f"own{i}x{k}" for k in range(3))]) for i, d in enumerate(corpus.documents))
    return Corpus(MULTI, tuple(replace(d, text=text) for d, text in zip(corpus.documents, rare, strict=True)))


def in_another_order(real: Corpus) -> Corpus:
    """The same words: to a bag of words the same documents, to a comparison of texts others."""
    rng = np.random.default_rng(4)
    documents = tuple(
        Document(
            f"again-{d.id}",
            " ".join(np.array(d.text.split())[rng.permutation(len(d.text.split()))]),
            d.labels,
            d.family,
            provenance=Provenance("g", "reorder", strategy="paraphrase", source_id=d.id),
        )
        for d in real.documents
    )
    return Corpus(MULTI, documents)


def test_copies_in_another_word_order_score_as_copies_do(store: Store) -> None:
    real = documents_with_rare_words()
    pool, again = store.put_corpus(real), store.put_corpus(in_another_order(real))
    spec = replace(
        separable_spec(store, MULTI, "tfidf_linear"),
        segments=(pool, again),
        plans=(
            plan(whole(pool), whole(again, scored=False)),
            plan(Part(pool.sha256, np.arange(COUNT), np.full(COUNT, 2, np.float32), scored=True)),
        ),
    )
    treatment, twin = [
        store.get_arrays(found)[0]["test_scores"]
        for found in train({"store": str(store.root), "spec": spec}, lambda _: None)["results"]
    ]
    # What is left is idf, which sees twice as many texts.
    assert np.abs(treatment - twin).max() < 0.02


def test_copies_by_weight_are_copies_by_weight(store: Store) -> None:
    """The comparison above can hold: with every word in two documents nothing differs but idf."""
    real = separable_corpus(MULTI, COUNT, "real")
    pool, again = store.put_corpus(real), store.put_corpus(in_another_order(real))
    spec = replace(
        separable_spec(store, MULTI, "tfidf_linear"),
        segments=(pool, again),
        plans=(plan(whole(pool), whole(again, scored=False)), plan(part(pool, range(COUNT), weight=2.0))),
    )
    treatment, twin = [
        store.get_arrays(found)[0]["test_scores"]
        for found in train({"store": str(store.root), "spec": spec}, lambda _: None)["results"]
    ]
    assert np.abs(treatment - twin).max() < 0.02
