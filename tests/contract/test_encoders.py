"""Every registered encoder keeps the promise of the protocol."""

from pathlib import Path

import numpy as np
import pytest

from services.domain.corpus import Corpus
from services.domain.document import Document
from services.domain.task import Task, TaskType
from services.features.encoders import ENCODERS, Encoder, FittedEncoder
from services.features.store import open_encoder
from services.storage.store import Store

WORDS = [
    "powered",
    "wheel",
    "chair",
    "hearing",
    "aid",
    "microphone",
    "braille",
    "display",
    "sensor",
    "motor",
    "grip",
    "lever",
    "screen",
    "voice",
]
TEXTS = [" ".join(np.random.default_rng(i).choice(WORDS, 4 + i % 9)) for i in range(40)]


@pytest.fixture(params=ENCODERS.names())
def encoder(request: pytest.FixtureRequest, tmp_path: Path) -> Encoder:
    store = Store(tmp_path)
    if not isinstance(ENCODERS.get(request.param), FittedEncoder):
        return open_encoder(store, request.param)
    documents = tuple(Document(f"d{i}", text, ("a",), f"f{i}") for i, text in enumerate(TEXTS))
    corpus = store.put_corpus(Corpus(Task(TaskType.MULTI_LABEL, ("a",)), documents))
    return open_encoder(store, request.param, corpus.sha256)


def test_vectors_have_unit_length_and_the_promised_shape(encoder: Encoder) -> None:
    vectors = encoder.encode(TEXTS)
    assert vectors.dtype == np.float32
    assert vectors.shape == (len(TEXTS), encoder.dimensions)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_vector_does_not_depend_on_its_neighbours(encoder: Encoder) -> None:
    vectors = encoder.encode(TEXTS)
    order = np.random.default_rng(5).permutation(len(TEXTS))[:23]
    assert encoder.encode([TEXTS[i] for i in order]).tobytes() == vectors[order].tobytes()


def test_equal_texts_have_equal_vectors(encoder: Encoder) -> None:
    twice = encoder.encode([TEXTS[3], TEXTS[8], TEXTS[3]])
    np.testing.assert_array_equal(twice[0], twice[2])


def test_encoder_says_what_it_is(encoder: Encoder) -> None:
    assert encoder.description
    assert encoder.revision.count("/") >= 1
