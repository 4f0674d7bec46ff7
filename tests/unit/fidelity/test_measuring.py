"""The worker job: many corpora, equal n, and refusals that name the field."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from services.domain.artifact import ArtifactRef
from services.domain.corpus import Corpus
from services.domain.document import Document
from services.domain.errors import InvalidInputError, NotFoundError, PreconditionError
from services.domain.measurement import Measurement
from services.domain.task import Task, TaskType
from services.evaluator.fidelity import neighbours
from services.evaluator.fidelity.measuring import measure
from services.evaluator.fidelity.neighbours import Neighbourhood
from services.storage.store import Store

TASK = Task(TaskType.MULTI_LABEL, ("a",))


class Bench:
    """A store with corpora whose vectors are drawn around a direction."""

    def __init__(self, root: Path) -> None:
        self.store = Store(root)
        self.payload: dict[str, Any] = {
            "store": str(root),
            "corpora": [],
            "embeddings": [],
            "metrics": [],
            "seed": 5,
        }

    def put(
        self, name: str, count: int, shift: float, encoder: str = "e/1"
    ) -> tuple[ArtifactRef, ArtifactRef]:
        documents = tuple(
            Document(f"{name}{i}", f"{name} text {i}", ("a",), f"{name}{i}") for i in range(count)
        )
        x = np.random.default_rng(len(name) + count).normal(size=(count, 8)) + 2 * shift * np.eye(8)[0]
        rows = (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)
        matrix = self.store.put_arrays({"embeddings": rows}, {"encoder": encoder})
        return self.store.put_corpus(Corpus(TASK, documents)), matrix

    def reference(self, count: int) -> None:
        corpus, matrix = self.put("real", count, 1.0)
        self.payload |= {"reference": corpus.sha256, "reference_embeddings": matrix.sha256}

    def add(self, name: str, count: int, shift: float, encoder: str = "e/1") -> None:
        corpus, matrix = self.put(name, count, shift, encoder)
        self.payload["corpora"].append(corpus.sha256)
        self.payload["embeddings"].append(matrix.sha256)

    def measured(self) -> list[dict[str, Measurement]]:
        results = measure(self.payload, lambda _: None)["results"]
        return [{m.metric: m for m in row} for row in results]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    made = Bench(tmp_path)
    made.reference(120)
    made.add("near", 90, 1.0)
    return made


def test_nearer_corpus_has_the_smaller_distance(bench: Bench) -> None:
    bench.add("far", 90, -1.0)
    near, far = bench.measured()
    assert near["mmd2"].estimates["normalised"] < 0.2 < far["mmd2"].estimates["normalised"]
    assert near["mmd2_p"].value > 0.05 > far["mmd2_p"].value  # type: ignore[operator]


def test_other_corpora_and_repetition_change_nothing(bench: Bench) -> None:
    (alone,) = bench.measured()
    bench.add("far", 70, -1.0)
    assert bench.measured()[0] == alone


def test_seed_decides_the_draws(bench: Bench) -> None:
    (first,) = bench.measured()
    bench.payload["seed"] = 6
    assert bench.measured()[0]["chamfer"].value != first["chamfer"].value


def test_counts_say_what_was_measured(bench: Bench) -> None:
    bench.add("large", 300, 1.0)
    near, large = bench.measured()
    assert (near["mmd2"].sample_count, large["mmd2"].sample_count) == (90, 120)
    # Depends on n: at most half of the reference, which is what the floor has.
    assert (near["chamfer"].sample_count, large["chamfer"].sample_count) == (60, 60)


def test_chamfer_does_not_favour_small_corpora(bench: Bench) -> None:
    bench.add("large", 300, 1.0)
    near, large = bench.measured()
    assert large["chamfer"].value == pytest.approx(near["chamfer"].value, rel=0.15)
    assert large["chamfer"].value == pytest.approx(large["chamfer"].estimates["floor"], rel=0.15)


def test_ceiling_corpus_replaces_random_directions(bench: Bench) -> None:
    (random,) = bench.measured()
    corpus, matrix = bench.put("ceiling", 80, -3.0)
    bench.payload |= {"ceiling": corpus.sha256, "ceiling_embeddings": matrix.sha256}
    (given,) = bench.measured()
    assert given["mmd2"].estimates["ceiling"] > random["mmd2"].estimates["ceiling"]
    assert given["mmd2"].value == random["mmd2"].value


@pytest.mark.parametrize("metric", ["c2st", "coverage", "frechet", "recall"])
def test_both_sides_have_the_count_of_the_floor(bench: Bench, metric: str) -> None:
    bench.payload["metrics"] = [metric]
    bench.add("large", 300, 1.0)
    for row in bench.measured():
        found = row[metric]
        assert found.sample_count == 60
        # Against the whole reference, balls would be smaller and moments surer than in the floor.
        assert found.value == pytest.approx(found.estimates["floor"], abs=3 * found.estimates["floor_sd"])


def test_metric_reads_the_same_whatever_the_others(bench: Bench) -> None:
    (together,) = bench.measured()
    for name in ("mmd2", "c2st", "chamfer", "coverage", "self_bleu"):
        bench.payload["metrics"] = [name]
        assert bench.measured()[0][name] == together[name]


def test_metrics_of_neighbours_share_their_passes(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []

    def counted(*parts: Any) -> Neighbourhood:
        made.append(len(parts))
        return Neighbourhood(*parts)

    monkeypatch.setattr(neighbours, "Neighbourhood", counted)
    bench.payload["metrics"] = ["precision", "recall", "density", "coverage"]
    bench.measured()
    # Ten draws, and twenty splits with a floor and a ceiling.
    assert len(made) == 10 + 2 * 20


def test_small_corpus_is_undefined_where_a_metric_needs_more(bench: Bench) -> None:
    bench.payload["metrics"] = ["mmd2", "coverage", "c2st_p"]
    bench.add("small", 5, 1.0)
    small = bench.measured()[1]
    assert small["mmd2"].value is not None
    assert small["coverage"].undefined_reason.startswith("5 documents a side, fewer than 6")
    assert small["c2st_p"].undefined_reason == "5 documents a side, fewer than 200"


def test_small_reference_is_undefined_where_half_of_it_is_too_few(bench: Bench) -> None:
    bench.reference(30)
    bench.payload["metrics"] = ["frechet", "coverage"]
    (found,) = bench.measured()
    assert found["coverage"].sample_count == 15
    assert found["frechet"].undefined_reason.startswith("15 documents a side, fewer than 20; at most half")


@pytest.mark.parametrize("metric", ["length_drift", "recall"])
def test_scattered_documents_are_no_ceiling_where_they_do_not_look_far(bench: Bench, metric: str) -> None:
    bench.payload["metrics"] = [metric]
    (found,) = bench.measured()
    assert "floor" in found[metric].estimates
    assert not {"ceiling", "normalised"} & set(found[metric].estimates)
    corpus, matrix = bench.put("ceiling", 80, -9.0)
    bench.payload |= {"ceiling": corpus.sha256, "ceiling_embeddings": matrix.sha256}
    assert "ceiling" in bench.measured()[0][metric].estimates


def test_texts_and_labels_reach_the_metrics(bench: Bench) -> None:
    bench.payload["metrics"] = ["distinct_1", "vocabulary_divergence", "label_divergence"]
    (found,) = bench.measured()
    # "near text 17": of three words one is new, and two are in all documents.
    assert found["distinct_1"].value == pytest.approx(62 / 180)
    assert found["distinct_1"].estimates["ceiling"] == 1
    assert found["vocabulary_divergence"].estimates["ceiling"] == pytest.approx(1)
    assert found["label_divergence"].value == 0


def test_corpus_of_another_task_has_no_label_metrics(bench: Bench) -> None:
    documents = tuple(Document(f"x{i}", f"text {i}", ("z",), f"x{i}") for i in range(90))
    other = bench.store.put_corpus(Corpus(Task(TaskType.MULTI_LABEL, ("z",)), documents))
    bench.payload |= {"corpora": [other.sha256], "metrics": ["label_divergence", "mmd2"]}
    (found,) = bench.measured()
    assert found["label_divergence"].undefined_reason == "the corpus came without labels"
    assert found["mmd2"].value is not None


def test_progress_counts_corpora_times_metrics(bench: Bench) -> None:
    bench.payload["metrics"] = ["mmd2", "remote_clique"]
    seen: list[dict[str, Any]] = []
    measure(bench.payload, seen.append)
    assert [(s["done_count"], s["total_count"]) for s in seen] == [(1, 2), (2, 2)]


def test_one_document_is_refused_by_name(bench: Bench) -> None:
    bench.add("single", 1, 1.0)
    with pytest.raises(InvalidInputError, match="at least 2 documents") as caught:
        bench.measured()
    assert caught.value.field == "corpora[1]"


def test_unknown_metric_lists_those_that_exist(bench: Bench) -> None:
    bench.payload["metrics"] = ["fid"]
    with pytest.raises(NotFoundError, match="there are: c2st, c2st_p, chamfer"):
        bench.measured()


def test_nan_in_an_embedding_is_refused(bench: Bench) -> None:
    rows = np.full((90, 8), np.nan, dtype=np.float32)
    bench.payload["embeddings"] = [bench.store.put_arrays({"embeddings": rows}, {}).sha256]
    with pytest.raises(InvalidInputError, match="not finite") as caught:
        bench.measured()
    assert caught.value.field == "embeddings[0][0]"


def test_other_encoder_is_refused(bench: Bench) -> None:
    bench.add("other", 50, 1.0, encoder="e/2")
    with pytest.raises(PreconditionError, match="two encoders"):
        bench.measured()


def test_embeddings_missing_for_a_corpus_are_refused(bench: Bench) -> None:
    bench.payload["embeddings"] = []
    with pytest.raises(InvalidInputError, match="0 embeddings for 1 corpora"):
        bench.measured()
