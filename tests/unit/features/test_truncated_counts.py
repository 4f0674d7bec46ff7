"""Texts longer than an encoder reads are counted, cheaply, and the count reaches the result."""

import json
import time
from dataclasses import replace

import numpy as np
import pytest

from services.classifier.training import train
from services.features.encoders import Truncating
from services.features.encoders.minilm import MiniLm
from services.features.encoders.minilm_lsa import MiniLmLsa
from services.features.minilm_files import load_tokenizer, model_folder
from services.storage.store import Store
from tests.unit.classifier.separable import MULTI, embed, separable_corpus, separable_spec

WORDS = ("wheelchair", "a", "with", "Sensor's", "x-ray", "42", "é", "人", "_", "!?")


def test_the_count_is_that_of_the_tokenizer() -> None:
    rng = np.random.default_rng(5)
    texts = [" ".join(rng.choice(WORDS, n)) for n in rng.integers(1, 120, 200)]
    overflowing = [bool(e.overflowing) for e in load_tokenizer(model_folder(), 64).encode_batch(texts)]
    assert 0 < sum(overflowing) < len(texts)
    assert MiniLm().count_truncated(texts) == sum(overflowing)


@pytest.mark.parametrize("words", [61, 62, 63])
def test_two_tokens_are_kept_for_the_ends(words: int) -> None:
    assert MiniLm().count_truncated(["wheel " * words]) == (words > 62)


def test_texts_of_100_000_words_are_counted_at_once() -> None:
    texts = ["word " * 100_000] * 50
    started = time.process_time()
    assert MiniLm().count_truncated(texts) == 50
    assert time.process_time() - started < 5


def test_of_two_halves_the_one_that_cuts_counts() -> None:
    pair = MiniLmLsa()
    restored = pair.restore(pair.fit(["a wheel chair", "a hearing aid", "a wheel and an aid"]), "d")
    assert isinstance(restored, Truncating)
    assert restored.count_truncated(["wheel " * 100, "a wheel"]) == 1


@pytest.mark.parametrize(("counts", "expected"), [((3, 2), 5.0), ((3, None), None)])
def test_a_frozen_encoders_result_says_how_many_were_cut(
    counts: tuple[int | None, int | None], expected: float | None, store: Store
) -> None:
    spec = separable_spec(store, MULTI, "frozen_encoder")
    corpora = (separable_corpus(MULTI, 60, "train"), separable_corpus(MULTI, 40, "test"))
    vectors = {
        store.put_corpus(c).sha256: store.put_arrays(
            {"embeddings": embed(c)}, {} if count is None else {"truncated_texts": str(count)}
        )
        for c, count in zip(corpora, counts, strict=True)
    }
    spec = replace(spec, embeddings=vectors, plans=spec.plans[:1])
    (result,) = train({"store": str(store.root), "spec": spec}, lambda _: None)["results"]
    assert json.loads(store.get_arrays(result)[1]["estimates"]).get("truncated_in_corpora") == expected
