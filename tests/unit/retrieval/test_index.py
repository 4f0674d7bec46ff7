"""Indexes: who is found, who is left out, and what is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from services.domain.artifact import ArtifactRef
from services.domain.corpus import Corpus
from services.domain.document import Document, Provenance
from services.domain.errors import InvalidInputError, NotFoundError, PreconditionError
from services.domain.task import Task, TaskType
from services.retrieval import evaluation, index
from services.retrieval.records import IndexRecords
from services.retrieval.specification import IndexSpec, RetrievalEvaluation, SegmentRows
from services.storage.store import Store

TASK = Task(TaskType.MULTI_LABEL, ("a", "b", "c"))
LABELS = [("a",), ("a", "b"), ("b",), ("b", "c"), ("c",), ("a", "c")]


class Shelf:
    """Twelve real and six synthetic documents; families of two among the real ones."""

    def __init__(self, root: Path) -> None:
        self.store = Store(root)
        self.real, self.real_rows = self.put("r", 12, synthetic=False)
        self.synthetic, self.synthetic_rows = self.put("s", 6, synthetic=True)

    def put(
        self, name: str, count: int, synthetic: bool, encoder: str = "e/1"
    ) -> tuple[ArtifactRef, ArtifactRef]:
        origin = Provenance("g", "b") if synthetic else None
        documents = tuple(
            Document(f"{name}{i}", f"{name} {i}", LABELS[i % 6], f"{name}f{i // 2}", provenance=origin)
            for i in range(count)
        )
        vectors = np.random.default_rng(count).normal(size=(count, 4)).astype(np.float32)
        matrix = self.store.put_arrays({"embeddings": vectors}, {"encoder": encoder})
        return self.store.put_corpus(Corpus(TASK, documents)), matrix

    def spec(self, retriever: str = "dense", rows: tuple[int, ...] = ()) -> IndexSpec:
        segments = (
            SegmentRows(self.real, rows, self.real_rows),
            SegmentRows(self.synthetic, (), self.synthetic_rows, synthetic=True),
        )
        return IndexSpec(retriever, segments, TASK)

    def build(self, spec: IndexSpec) -> str:
        answer = index.build({"store": str(self.store.root), "spec": spec}, lambda _: None)
        return str(answer["index_id"])

    def search(self, identifier: str, depth: int = 5, **changes: Any) -> list[list[tuple[str, int, float]]]:
        payload = self._payload(identifier) | {"depth": depth} | changes
        return list(index.search(payload, lambda _: None)["hits"])

    def evaluate(
        self, identifier: str, reading: str, metrics: tuple[str, ...] = ("ndcg@3",)
    ) -> RetrievalEvaluation:
        payload = self._payload(identifier) | {"metrics": metrics, "reading": reading}
        found: RetrievalEvaluation = evaluation.evaluate(payload, lambda _: None)["evaluation"]
        return found

    def _payload(self, identifier: str) -> dict[str, Any]:
        return {
            "store": str(self.store.root),
            "index_id": identifier,
            "queries": self.real.sha256,
            "query_embeddings": self.real_rows.sha256,
        }


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


@pytest.mark.parametrize("retriever", ["dense", "jaccard"])
def test_no_query_finds_itself_or_its_family(shelf: Shelf, retriever: str) -> None:
    for query, hits in enumerate(shelf.search(shelf.build(shelf.spec(retriever)), depth=18)):
        assert len(hits) == 16
        assert not {f"r{query - query % 2}", f"r{query - query % 2 + 1}"} & {
            identifier for identifier, _, _ in hits
        }


def test_depth_beyond_the_index_returns_what_there_is(shelf: Shelf) -> None:
    hits = shelf.search(shelf.build(shelf.spec(rows=(0, 1, 2))), depth=5000)
    assert [len(h) for h in hits[:3]] == [7, 7, 8]
    assert all(position >= 0 for h in hits for _, position, _ in h)


def test_scores_fall_strictly(shelf: Shelf) -> None:
    for hits in shelf.search(shelf.build(shelf.spec("jaccard")), depth=16):
        assert (np.diff([score for _, _, score in hits]) < 0).all()


def test_index_is_named_by_what_it_is_made_of(shelf: Shelf) -> None:
    assert shelf.build(shelf.spec()) == shelf.build(shelf.spec())
    assert shelf.build(shelf.spec()) != shelf.build(shelf.spec(rows=(1, 2)))
    assert shelf.build(shelf.spec()) != shelf.build(shelf.spec("jaccard"))


def test_another_process_rebuilds_the_index(shelf: Shelf) -> None:
    identifier = shelf.build(shelf.spec())
    found = shelf.search(identifier)
    index._kept.clear()
    assert shelf.search(identifier) == found


def test_deleted_index_is_gone(shelf: Shelf) -> None:
    identifier, records = shelf.build(shelf.spec()), IndexRecords(shelf.store.root)
    assert records.delete(identifier)
    assert not records.delete(identifier)
    with pytest.raises(NotFoundError, match="build it first"):
        shelf.search(identifier)


@pytest.mark.parametrize("identifier", ["", "../../etc/passwd", "a/b", "0" * 63, "x" * 300])
def test_names_that_are_no_digest_touch_no_file(shelf: Shelf, identifier: str) -> None:
    records = IndexRecords(shelf.store.root)
    assert not records.delete(identifier)
    with pytest.raises(NotFoundError):
        records.get(identifier)


def test_real_only_gives_synthetic_documents_no_gain(shelf: Shelf) -> None:
    identifier = shelf.build(shelf.spec("jaccard"))
    real, everything = (shelf.evaluate(identifier, r).measurements[0].value for r in ("real_only", "all"))
    # Label search is ideal when everything counts; synthetic documents in between cost ranks.
    assert everything == pytest.approx(1)
    assert real is not None and real < 1


def test_synthetic_documents_below_all_real_ones_cost_nothing(shelf: Shelf) -> None:
    alone = IndexSpec("jaccard", shelf.spec().segments[:1], TASK)
    assert shelf.evaluate(shelf.build(alone), "real_only").measurements[0].value == pytest.approx(1)


def test_per_query_values_average_to_the_measurement(shelf: Shelf) -> None:
    found = shelf.evaluate(shelf.build(shelf.spec()), "real_only", ("ndcg@3", "recall@3"))
    arrays, _ = shelf.store.get_arrays(found.per_query)
    for measurement in found.measurements:
        values, defined = arrays[measurement.metric], arrays[f"{measurement.metric}.defined"]
        assert np.isfinite(values).all()
        assert values[defined].mean() == pytest.approx(measurement.value)
        assert measurement.interval is not None and measurement.value is not None
        assert measurement.interval.low < measurement.value < measurement.interval.high
    assert found.per_query.row_count == 12


def test_no_relevant_document_leaves_the_metric_undefined(shelf: Shelf) -> None:
    spec = IndexSpec("dense", (SegmentRows(shelf.synthetic, (), shelf.synthetic_rows, synthetic=True),), TASK)
    (found,) = shelf.evaluate(shelf.build(spec), "real_only").measurements
    assert found.value is None
    assert found.undefined_reason == "no query has a relevant document"


@pytest.mark.parametrize("depth", [0, -1, 2**31 - 1])
def test_depth_out_of_range_is_refused(shelf: Shelf, depth: int) -> None:
    with pytest.raises(InvalidInputError, match="between 1 and") as caught:
        shelf.search(shelf.build(shelf.spec()), depth=depth)
    assert caught.value.field == "depth"


def test_query_that_is_not_finite_is_refused(shelf: Shelf) -> None:
    rows = np.ones((12, 4), np.float32)
    rows[3, 1] = np.nan
    bad = shelf.store.put_arrays({"embeddings": rows}, {})
    with pytest.raises(InvalidInputError, match="row 3"):
        shelf.search(shelf.build(shelf.spec()), query_embeddings=bad.sha256)


def test_query_of_other_dimensions_is_refused(shelf: Shelf) -> None:
    bad = shelf.store.put_arrays({"embeddings": np.ones((12, 7), np.float32)}, {})
    with pytest.raises(InvalidInputError, match="7 dimensions where 4"):
        shelf.search(shelf.build(shelf.spec()), query_embeddings=bad.sha256)


def test_query_of_another_encoder_is_refused(shelf: Shelf) -> None:
    bad = shelf.store.put_arrays({"embeddings": np.ones((12, 4), np.float32)}, {"encoder": "e/2"})
    with pytest.raises(PreconditionError, match="two encoders"):
        shelf.search(shelf.build(shelf.spec()), query_embeddings=bad.sha256)


def test_queries_without_embeddings_are_refused_by_dense_search(shelf: Shelf) -> None:
    with pytest.raises(InvalidInputError, match="queries' embeddings"):
        shelf.search(shelf.build(shelf.spec()), query_embeddings=None)
    assert shelf.search(shelf.build(shelf.spec("jaccard")), query_embeddings=None)


@pytest.mark.parametrize(("rows", "message"), [((0, 12), "outside"), ((-1,), "outside"), ((3, 3), "twice")])
def test_bad_rows_are_refused(shelf: Shelf, rows: tuple[int, ...], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message) as caught:
        shelf.build(shelf.spec(rows=rows))
    assert caught.value.field == "spec.segments[0].rows"


def test_nan_in_an_indexed_row_is_refused(shelf: Shelf) -> None:
    bad = shelf.store.put_arrays({"embeddings": np.full((12, 4), np.nan, np.float32)}, {})
    with pytest.raises(InvalidInputError, match="not finite in 12 rows"):
        shelf.build(IndexSpec("dense", (SegmentRows(shelf.real, (), bad),), TASK))


def test_missing_embeddings_and_segments_are_refused(shelf: Shelf) -> None:
    with pytest.raises(InvalidInputError, match="needs embeddings"):
        shelf.build(IndexSpec("dense", (SegmentRows(shelf.real),), TASK))
    with pytest.raises(InvalidInputError, match="at least one segment"):
        IndexSpec("dense", (), TASK)


def test_other_task_is_refused(shelf: Shelf) -> None:
    other = Task(TaskType.MULTI_LABEL, ("a", "b"))
    with pytest.raises(InvalidInputError, match="task of 3 labels"):
        shelf.build(IndexSpec("jaccard", (SegmentRows(shelf.real),), other))


def test_unknown_reading_metric_and_retriever_are_refused(shelf: Shelf) -> None:
    identifier = shelf.build(shelf.spec())
    with pytest.raises(InvalidInputError, match="real_only or all"):
        shelf.evaluate(identifier, "synthetic")
    with pytest.raises(InvalidInputError, match="at least one metric"):
        shelf.evaluate(identifier, "all", ())
    with pytest.raises(NotFoundError, match="dense, jaccard"):
        shelf.build(shelf.spec("bm26"))
