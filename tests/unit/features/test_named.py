"""Encoders by the names that designs and requests give them."""

import numpy as np
import pytest

from flows.design import Design, load_design
from services.domain.corpus import Corpus
from services.domain.document import Document
from services.domain.errors import NotFoundError
from services.domain.task import Task, TaskType
from services.features.minilm_files import model_folder
from services.features.named import is_checkpoint, is_fitted
from services.features.sentence_encoder import SentenceEncoder
from services.features.store import embed_corpora
from services.storage.store import Store


def test_a_checkpoint_by_name_embeds_corpora_as_its_encoder_does(store: Store) -> None:
    texts = ("a folding wheelchair", "a hearing aid with two microphones")
    documents = tuple(Document(f"d{i}", text, ("a",), f"d{i}") for i, text in enumerate(texts))
    corpus = store.put_corpus(Corpus(Task(TaskType.MULTI_LABEL, ("a",)), documents))
    folder = model_folder()
    (matrix,) = embed_corpora(store, [corpus], str(folder))
    found, _ = store.get_arrays(matrix)
    assert np.array_equal(next(iter(found.values())), SentenceEncoder(folder).encode(texts))


def test_a_name_with_a_slash_is_asked_of_no_registry() -> None:
    assert is_checkpoint("owner/name") and not is_fitted("owner/name")
    assert is_fitted("lsa") and not is_checkpoint("lsa")
    assert Design(**{**load_design("smoke").model_dump(), "encoder": "owner/Name-v1.5"}).encoder
    with pytest.raises(NotFoundError):
        is_fitted("lsaa")
