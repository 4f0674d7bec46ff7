"""The feature store encodes every text once and resumes after a kill."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from services.domain.artifact import ArtifactRef
from services.domain.corpus import Corpus
from services.domain.digest import spec_digest
from services.domain.document import Document
from services.domain.errors import InvalidInputError, NotFoundError, PreconditionError
from services.domain.task import Task, TaskType
from services.features import store as feature_store
from services.features.encoders import ENCODERS, Embeddings
from services.features.matrices import Matrix, check_comparable, read_matrix
from services.storage.store import Store

TASK = Task(TaskType.MULTI_LABEL, ("a", "b"))


class CountingEncoder:
    """Remembers what it encoded; a text's vector depends on its length alone."""

    description = "for tests"
    revision = "counting/1"
    dimensions = 3

    def __init__(self) -> None:
        self.encoded: list[str] = []
        self.fails_after = 10**9

    def encode(self, texts: Sequence[str]) -> Embeddings:
        if len(self.encoded) >= self.fails_after:
            raise KeyboardInterrupt
        self.encoded.extend(texts)
        angles = np.array([len(text) for text in texts], dtype=np.float32)
        return np.stack([np.cos(angles), np.sin(angles), np.zeros_like(angles)], axis=1)


@pytest.fixture
def encoder(monkeypatch: pytest.MonkeyPatch) -> CountingEncoder:
    made = CountingEncoder()
    monkeypatch.setattr(ENCODERS, "get", lambda name: made)
    monkeypatch.setattr(feature_store.plan_chunks, "__defaults__", (4,))
    return made


def stored(store: Store, *texts: str) -> ArtifactRef:
    documents = tuple(Document(f"d{i}", text, ("a",), f"f{i}") for i, text in enumerate(texts))
    return store.put_corpus(Corpus(TASK, documents))


def rows(store: Store, reference: ArtifactRef) -> np.ndarray:
    return store.get_arrays(reference)[0]["embeddings"]


def test_text_shared_by_two_corpora_is_encoded_once(tmp_path: Path, encoder: CountingEncoder) -> None:
    store = Store(tmp_path)
    corpora = [stored(store, "x", "yy", "x"), stored(store, "yy", "zzz")]
    first, second = feature_store.embed_corpora(store, corpora, "counting")
    assert sorted(encoder.encoded) == ["x", "yy", "zzz"]
    np.testing.assert_array_equal(rows(store, first)[1], rows(store, second)[0])
    assert (first.row_count, second.row_count) == (3, 2)


def test_sibling_matrix_is_reused(tmp_path: Path, encoder: CountingEncoder) -> None:
    store = Store(tmp_path)
    old, new = stored(store, "x", "yy"), stored(store, "yy", "zzz")
    feature_store.embed_corpora(store, [old], "counting")
    feature_store.embed_corpora(store, [old, new], "counting")
    assert encoder.encoded == ["x", "yy", "zzz"]


def test_killed_job_repeats_one_chunk_at_most(tmp_path: Path, encoder: CountingEncoder) -> None:
    store = Store(tmp_path)
    corpus = stored(store, *("t" * (i + 1) for i in range(10)))
    encoder.fails_after = 8
    with pytest.raises(KeyboardInterrupt):
        feature_store.embed_corpora(store, [corpus], "counting")
    encoder.fails_after = 10**9
    feature_store.embed_corpora(store, [corpus], "counting")
    assert len(encoder.encoded) == 10


def test_kill_between_matrices_encodes_nothing_again(tmp_path: Path, encoder: CountingEncoder) -> None:
    store = Store(tmp_path)
    corpora = [stored(store, *"abc"), stored(store, *(c * 2 for c in "defgh"))]
    both = feature_store.embed_corpora(store, corpora, "counting")
    key = {"kind": "embeddings", "encoder": encoder.revision, "corpus": corpora[1].sha256}
    store.keys.path(spec_digest(key)).unlink()
    assert feature_store.embed_corpora(store, corpora, "counting") == both
    assert len(encoder.encoded) == 8


def test_shards_share_the_work_and_the_last_job_only_assembles(
    tmp_path: Path, encoder: CountingEncoder
) -> None:
    store = Store(tmp_path)
    corpus = stored(store, *("t" * (i + 1) for i in range(10)))
    payload: dict[str, Any] = {"store": str(tmp_path), "corpora": [corpus.sha256], "encoder": "counting"}
    reports: list[dict[str, Any]] = []
    for shard in (0, 1):
        feature_store.embed({**payload, "shard": shard, "of": 2}, reports.append)
    assert len(encoder.encoded) == 10
    assert [r["done_count"] for r in reports] == [4, 6, 4]
    found = feature_store.embed(payload, reports.append)["embeddings"]
    assert found[0]["row_count"] == 10
    assert len(encoder.encoded) == 10


def test_vector_that_is_not_finite_names_its_row(tmp_path: Path, encoder: CountingEncoder) -> None:
    encoder.encode = lambda texts: np.array([[1, 0], [np.nan, 0]], np.float32)  # type: ignore[method-assign]
    with pytest.raises(InvalidInputError, match="row 1"):
        feature_store.encode_chunk(encoder, ["x", "y"])


def test_stored_matrix_with_nan_is_refused(tmp_path: Path) -> None:
    store = Store(tmp_path)
    reference = store.put_arrays({"embeddings": np.full((3, 2), np.inf, np.float32)}, {})
    with pytest.raises(InvalidInputError, match="row 0") as caught:
        read_matrix(store, reference, 3, "embeddings")
    assert caught.value.field == "embeddings[0]"


def test_matrix_of_another_size_is_refused(tmp_path: Path) -> None:
    store = Store(tmp_path)
    reference = store.put_arrays({"embeddings": np.ones((3, 2), np.float32)}, {})
    with pytest.raises(InvalidInputError, match="3 embeddings for 4 documents"):
        read_matrix(store, reference, 4, "embeddings")


def test_vectors_of_two_encoders_are_not_compared() -> None:
    one, other = Matrix(np.ones((2, 2), np.float32), "x/1"), Matrix(np.ones((2, 2), np.float32), "x/2")
    with pytest.raises(PreconditionError, match="two encoders"):
        check_comparable(one, other, "embeddings")
    with pytest.raises(InvalidInputError, match="3 dimensions where 2"):
        check_comparable(one, Matrix(np.ones((2, 3), np.float32), "x/1"), "embeddings")


def test_training_texts_are_asked_for_and_refused_where_useless(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with pytest.raises(InvalidInputError, match="give fit_on"):
        feature_store.open_encoder(store, "lsa")
    with pytest.raises(InvalidInputError, match="leave fit_on out"):
        feature_store.open_encoder(store, "minilm", "0" * 64)
    with pytest.raises(NotFoundError, match="lsa, minilm"):
        feature_store.open_encoder(store, "word2vec")
