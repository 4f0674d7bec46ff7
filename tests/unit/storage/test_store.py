"""Objects verify themselves; the first answer stands."""

import threading
from pathlib import Path

import numpy as np
import pytest

from services.domain.artifact import ArtifactRef
from services.domain.corpus import Corpus
from services.domain.document import Document, Provenance
from services.domain.errors import DataLossError, InvalidInputError, NotFoundError
from services.domain.task import Task, TaskType
from services.storage.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def test_a_corpus_comes_back_as_it_was(store: Store) -> None:
    task = Task(TaskType.MULTI_LABEL, ("a", "b"))
    made = Provenance("g", "simulator", exemplar_ids=("x",), requested_labels=("a",), raw_text="raw")
    corpus = Corpus(
        task,
        (Document("1", "one", ("a",), "f", "claim"), Document("2", "two", ("a", "b"), "2", provenance=made)),
    )
    reference = store.put_corpus(corpus)
    assert store.get_corpus(reference) == corpus
    assert store.put_corpus(corpus) == reference
    assert reference.row_count == 2


def test_arrays_keep_names_types_and_metadata(store: Store) -> None:
    arrays = {"scores": np.eye(3, dtype=np.float32), "rows": np.arange(3)}
    reference = store.put_arrays(arrays, {"threshold": "0.25", "family": "tfidf_linear"})
    found, metadata = store.get_arrays(reference)
    assert metadata == {"threshold": "0.25", "family": "tfidf_linear"}
    assert found["rows"].dtype == np.int64
    assert np.array_equal(found["scores"], arrays["scores"])


def test_a_changed_byte_is_data_loss_and_quarantine_keeps_it(store: Store) -> None:
    reference = store.put_json({"a": 1})
    path = store.objects.path(reference.sha256)
    path.write_bytes(b'{"a":2}')
    with pytest.raises(DataLossError, match="damaged"):
        store.get_json(reference)
    aside = store.objects.quarantine(reference.sha256)
    assert aside.read_bytes() == b'{"a":2}'
    with pytest.raises(NotFoundError):
        store.get_json(reference)


def test_a_quarantined_answer_is_computed_again_and_stands(store: Store) -> None:
    specification = {"kind": "test"}
    first = store.computed(specification, lambda: store.put_json(1))
    store.objects.path(first.sha256).write_bytes(b"damaged")
    store.objects.quarantine(first.sha256)
    assert store.lookup(specification) is None
    second = store.computed(specification, lambda: store.put_json(1))
    assert store.get_json(second) == 1
    assert store.lookup(specification) == second


def test_of_many_writers_one_answer_stands(store: Store) -> None:
    barrier = threading.Barrier(8)
    answers: list[ArtifactRef] = []

    def write(i: int) -> None:
        barrier.wait()
        answers.append(store.publish({"q": 1}, store.put_json(i)))

    threads = [threading.Thread(target=write, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(answers)) == 1


@pytest.mark.parametrize("name", ["/etc/hostname", "../../secret", "", "A" * 64, "a" * 63])
def test_only_digests_name_objects(store: Store, name: str) -> None:
    with pytest.raises(InvalidInputError, match="64 lower-case"):
        store.objects.get(name)
    with pytest.raises(InvalidInputError):
        store.objects.has(name)


def test_a_damaged_key_is_data_loss(store: Store) -> None:
    store.publish({"q": 1}, store.put_json(1))
    (key,) = store.root.glob("keys/*/*.json")
    key.write_text("{")
    with pytest.raises(DataLossError, match="damaged"):
        store.lookup({"q": 1})


def test_no_temporary_files_remain(store: Store) -> None:
    store.put_json([1])
    store.put_json([1])
    assert not list(store.root.rglob(".tmp.*"))


def test_a_table_that_is_no_corpus_is_refused(store: Store) -> None:
    import pyarrow as pa

    reference = store.put_table(pa.table({"x": [1]}))
    with pytest.raises(InvalidInputError, match="no corpus"):
        store.get_corpus(reference)
