"""The retrieval service over its wire, with inline data and with real documents."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from services.domain.corpus import Corpus
from services.domain.document import Document
from services.domain.errors import InvalidInputError, NotFoundError
from services.domain.task import Task, TaskType
from services.features.store import embed_corpora
from services.retrieval.client import IndexSpec, RetrievalClient, SegmentRows
from services.retrieval.ranking import ndcg
from services.retrieval.service import register
from services.storage.store import Store
from tests.conftest import InProcess

TASK = Task(TaskType.MULTI_LABEL, ("wheels", "hearing"))


def inline(name: str, *labels: str) -> Corpus:
    return Corpus(
        TASK,
        tuple(
            Document(f"{name}{i}", f"{name} {i}", (label,), f"{name}{i}") for i, label in enumerate(labels)
        ),
    )


def test_index_is_built_searched_scored_and_deleted(store: Store, service_address: InProcess) -> None:
    client = RetrievalClient(service_address(register))
    assert [r.name for r in client.list_retrievers()] == ["dense", "jaccard"]
    documents = store.put_corpus(inline("d", "wheels", "hearing", "hearing"))
    index = client.build_index(IndexSpec("jaccard", (SegmentRows(documents),), TASK))
    queries = inline("q", "hearing", "wheels")
    lists = client.search(index, queries, depth=2)
    assert [(one.query_id, one.hits[0].document_id) for one in lists] == [("q0", "d1"), ("q1", "d0")]
    for reading in ("real_only", "all"):
        evaluation = client.evaluate_index(index, queries, reading=reading)
        assert [m.value for m in evaluation.measurements] == [1.0, 1.0]
        assert store.get_arrays(evaluation.per_query)[0]["ndcg@10"].tolist() == [1.0, 1.0]
    assert client.delete_index(index)
    assert not client.delete_index(index)
    with pytest.raises(NotFoundError, match="build it first"):
        client.search(index, queries)


def test_bad_requests_name_their_field(store: Store, service_address: InProcess) -> None:
    client = RetrievalClient(service_address(register))
    documents = store.put_corpus(inline("d", "wheels"))
    index = client.build_index(IndexSpec("jaccard", (SegmentRows(documents),), TASK))
    with pytest.raises(InvalidInputError, match="between 1 and") as caught:
        client.search(index, documents, depth=0)
    assert caught.value.field == "depth"
    with pytest.raises(InvalidInputError, match="needs embeddings"):
        client.build_index(IndexSpec("dense", (SegmentRows(documents),), TASK))
    with pytest.raises(NotFoundError, match="dense, jaccard"):
        client.build_index(IndexSpec("colbert", (SegmentRows(documents),), TASK))


@pytest.mark.realdata
def test_dense_search_on_cranfield_scores_as_it_should(
    realdata: Path, store: Store, service_address: InProcess
) -> None:
    folder, task = realdata / "ir_cranfield", Task(TaskType.MULTI_LABEL, ("x",))
    with gzip.open(folder / "docs.jsonl.gz", "rt") as lines:
        rows = [row for row in map(json.loads, lines) if row["text"].strip()]
    wanted = [json.loads(line) for line in (folder / "queries.jsonl").read_text().splitlines()]
    documents = Corpus(task, tuple(Document(r["id"], r["text"], ("x",), r["id"]) for r in rows))
    queries = Corpus(task, tuple(Document(r["id"], r["text"], ("x",), f"query {r['id']}") for r in wanted))
    stored = [store.put_corpus(documents), store.put_corpus(queries)]
    vectors = embed_corpora(store, stored, "lsa", fit_on=stored[0])
    client = RetrievalClient(service_address(register))
    index = client.build_index(IndexSpec("dense", (SegmentRows(stored[0], (), vectors[0]),), task))
    lists = client.search(index, stored[1], vectors[1], depth=10)
    assert [one.query_id for one in lists] == [r["id"] for r in wanted]
    grades: dict[str, dict[str, float]] = {}
    for query, _, document, grade in map(str.split, (folder / "qrels.trec.txt").read_text().splitlines()):
        grades.setdefault(query, {})[document] = float(int(grade) > 0)
    gains = np.array([[grades[one.query_id].get(h.document_id, 0.0) for h in one.hits] for one in lists])
    ideal = np.array(
        [np.pad(sorted(grades[one.query_id].values(), reverse=True), (0, 10))[:10] for one in lists]
    )
    scores = ndcg(gains, ideal)
    # Mixing up the two numberings of the queries scores below .05.
    assert 0.3 < scores.values[scores.defined].mean() < 0.6
