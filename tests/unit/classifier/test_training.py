"""The training job: what it stores, what it repeats, what it refuses."""

import dataclasses
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from services.classifier import training
from services.classifier.specification import TrainingSpec
from services.classifier.training import train
from services.domain.corpus import Corpus
from services.domain.document import Document
from services.domain.errors import InvalidInputError, NotFoundError
from services.domain.plan import Part, TrainingPlan
from services.domain.task import Task, TaskType
from services.storage.store import Store
from tests.unit.classifier.separable import (
    LABELS,
    MULTI,
    SINGLE,
    embed,
    part,
    plan,
    separable_corpus,
    separable_spec,
    whole,
)

FAMILY_NAMES = ("tfidf_linear", "frozen_encoder")


def run(
    store: Store, spec: TrainingSpec, report: Callable[[dict[str, Any]], None] = lambda _: None
) -> list[Any]:
    answer = train({"store": str(store.root), "spec": spec}, report)
    return [store.get_arrays(reference) for reference in answer["results"]]


@pytest.mark.parametrize("family", FAMILY_NAMES)
def test_a_result_has_test_and_out_of_fold_scores_and_a_threshold(store: Store, family: str) -> None:
    spec = separable_spec(store, MULTI, family)
    for (arrays, metadata), wanted, scored in zip(run(store, spec), spec.plans, (60, 30), strict=True):
        assert arrays["test_scores"].shape == (40, 4)
        assert arrays["oof_scores"].shape == arrays["oof_truth"].shape == (scored, 4)
        assert 0 < float(metadata["threshold"]) < 1
        assert (metadata["plan"], metadata["test"]) == (wanted.digest, spec.test.sha256)
        assert json.loads(metadata["estimates"])["folds"] == 3


def test_single_label_results_have_no_threshold(store: Store) -> None:
    arrays, metadata = run(store, separable_spec(store, SINGLE, "tfidf_linear"))[0]
    assert metadata["threshold"] == ""
    assert "highest" in metadata["threshold_undefined"]
    assert arrays["test_scores"].sum(axis=1) == pytest.approx(1, abs=1e-5)


def test_out_of_fold_rows_are_in_the_plans_order(store: Store) -> None:
    spec = separable_spec(store, MULTI, "tfidf_linear")
    segment = spec.segments[0]
    backwards = plan(part(segment, list(range(59, -1, -1))))
    forward, reverse = run(store, dataclasses.replace(spec, plans=(spec.plans[0], backwards)))
    assert np.array_equal(reverse[0]["oof_truth"], separable_corpus(MULTI, 60, "train").indicator[::-1])
    assert reverse[0]["oof_scores"] == pytest.approx(forward[0]["oof_scores"][::-1], abs=1e-6)


def test_copies_do_not_leak_into_their_own_scores(store: Store) -> None:
    """Labels at random: out of fold nothing can be known, however many copies train."""
    rng = np.random.default_rng(0)
    documents = tuple(
        Document(f"d{i}", f"unique{i} word{i % 7}", (LABELS[rng.integers(4)],), f"d{i}") for i in range(80)
    )
    segment = store.put_corpus(Corpus(MULTI, documents))
    twin = plan(whole(segment), part(segment, range(80), scored=False, weight=9.0))
    spec = separable_spec(
        store, MULTI, "tfidf_linear", segments=(segment,), plans=(twin,), parameters={"min_df": 1}
    )
    arrays, _ = run(store, spec)[0]
    right = arrays["oof_scores"].argmax(axis=1) == arrays["oof_truth"].argmax(axis=1)
    assert right.mean() < 0.5


def test_copies_as_weights_or_as_parts_are_the_same_training_set(store: Store) -> None:
    spec = separable_spec(store, MULTI, "frozen_encoder")
    segment = spec.segments[0]
    parted = plan(whole(segment), part(segment, range(60), scored=False, weight=2.0))
    weighted = plan(part(segment, range(60), weight=3.0))
    first, second = run(store, dataclasses.replace(spec, plans=(parted, weighted)))
    assert np.array_equal(first[0]["test_scores"], second[0]["test_scores"])
    assert first[1]["threshold"] == second[1]["threshold"]


@pytest.mark.parametrize("family", FAMILY_NAMES)
def test_constant_labels_are_scored_and_counted(store: Store, family: str) -> None:
    spec = separable_spec(store, MULTI, family)
    truth = separable_corpus(MULTI, 60, "train").indicator
    without_crutch = np.flatnonzero(~truth[:, 0]).tolist()
    arrays, metadata = run(
        store, dataclasses.replace(spec, plans=(plan(part(spec.segments[0], without_crutch)),))
    )[0]
    assert np.ptp(arrays["test_scores"][:, 0]) == 0
    assert json.loads(metadata["estimates"])["constant_labels"] == 1


@pytest.mark.parametrize("task", [MULTI, SINGLE], ids=["multi-label", "single-label"])
def test_texts_that_share_no_word_leave_the_prior(store: Store, task: Task) -> None:
    words = [Document(f"d{i}", f"alone{i}", (LABELS[i % 4],), f"d{i}") for i in range(12)]
    segment = store.put_corpus(Corpus(task, tuple(words)))
    spec = separable_spec(
        store,
        task,
        "tfidf_linear",
        segments=(segment,),
        plans=(plan(whole(segment)),),
        parameters={"min_df": 2},
    )
    arrays, metadata = run(store, spec)[0]
    assert arrays["test_scores"] == pytest.approx(0.25, abs=1e-5)
    assert json.loads(metadata["estimates"])["terms"] == 0


def test_plans_without_scored_rows_have_no_threshold(store: Store) -> None:
    spec = separable_spec(store, MULTI, "tfidf_linear")
    arrays, metadata = run(
        store, dataclasses.replace(spec, plans=(plan(whole(spec.segments[0], scored=False)),))
    )[0]
    assert arrays["oof_scores"].shape == (0, 4)
    assert metadata["threshold"] == ""


@pytest.mark.parametrize("family", FAMILY_NAMES)
def test_another_arm_and_another_segment_change_no_byte(store: Store, family: str) -> None:
    spec = separable_spec(store, MULTI, family)
    alone = train({"store": str(store.root), "spec": spec}, lambda _: None)["results"]
    other = Store(store.root.parent / "other")
    spec = separable_spec(other, MULTI, family)
    extra = separable_corpus(MULTI, 50, "extra")
    segment = other.put_corpus(extra)
    embeddings = {**spec.embeddings, segment.sha256: other.put_arrays({"embeddings": embed(extra)}, {})}
    wider = dataclasses.replace(
        spec,
        segments=(segment, *spec.segments),
        plans=(plan(whole(segment)), *spec.plans),
        embeddings=embeddings if family == "frozen_encoder" else {},
    )
    beside = train({"store": str(other.root), "spec": wider}, lambda _: None)["results"]
    assert [r.sha256 for r in beside[1:]] == [r.sha256 for r in alone]


def test_finished_plans_are_not_trained_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = separable_spec(store, MULTI, "tfidf_linear")
    run(store, dataclasses.replace(spec, plans=spec.plans[:1]))
    fitted: list[TrainingPlan] = []
    fit_plan = training.fit_plan

    def counting(*arguments: Any) -> Any:
        fitted.append(arguments[2])
        return fit_plan(*arguments)

    monkeypatch.setattr(training, "fit_plan", counting)
    reports: list[dict[str, Any]] = []
    run(store, spec, reports.append)
    assert fitted == [spec.plans[1]]
    assert reports == [{"done": 1, "total": 2}, {"done": 2, "total": 2}]


def test_plans_finished_before_an_error_are_kept(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = separable_spec(store, MULTI, "tfidf_linear")
    fit_plan = training.fit_plan

    def failing(prepared: Any, documents: Any, wanted: TrainingPlan, spec: TrainingSpec) -> Any:
        if wanted is spec.plans[1]:
            raise RuntimeError("out of memory")
        return fit_plan(prepared, documents, wanted, spec)

    monkeypatch.setattr(training, "fit_plan", failing)
    with pytest.raises(RuntimeError, match="out of memory"):
        train({"store": str(store.root), "spec": spec}, lambda _: None)
    opened = training.open_run(store, spec)
    assert [opened.finished(i) for i in (0, 1)] == [True, False]


def test_equal_plans_are_trained_once(store: Store) -> None:
    spec = separable_spec(store, MULTI, "tfidf_linear")
    reports: list[dict[str, Any]] = []
    results = run(store, dataclasses.replace(spec, plans=(spec.plans[0],) * 3), reports.append)
    assert len(results) == 3
    assert reports[-1] == {"done": 1, "total": 1}


def refuse(store: Store, spec: TrainingSpec, message: str, field: str) -> None:
    with pytest.raises(InvalidInputError, match=message) as caught:
        train({"store": str(store.root), "spec": spec}, lambda _: None)
    assert caught.value.field == field


def test_test_documents_in_a_plan_are_refused(store: Store) -> None:
    spec = separable_spec(store, MULTI, "tfidf_linear")
    leaking = dataclasses.replace(spec, segments=(spec.test,), plans=(plan(whole(spec.test)),))
    refuse(store, leaking, "40 documents of the test corpus", "plans[0].stages[0].parts")


def test_families_of_test_documents_in_a_plan_are_refused(store: Store) -> None:
    relative = Document("p1", "a paraphrase", ("crutch",), "test-family-3")
    corpus = Corpus(MULTI, (*separable_corpus(MULTI, 20, "train").documents, relative))
    segment = store.put_corpus(corpus)
    spec = separable_spec(store, MULTI, "tfidf_linear", segments=(segment,), plans=(plan(whole(segment)),))
    refuse(store, spec, "'p1' of family 'test-family-3'", "plans[0].stages[0].parts")
    run(store, dataclasses.replace(spec, plans=(plan(part(segment, range(20))),)))


def test_labels_with_one_document_in_all_are_refused(store: Store) -> None:
    task = Task(TaskType.MULTI_LABEL, (*LABELS, "rare"))
    corpora = []
    for name in ("train", "test"):
        documents = list(separable_corpus(MULTI, 20, name).documents)
        if name == "train":
            documents[0] = dataclasses.replace(documents[0], labels=("rare",))
        corpora.append(store.put_corpus(Corpus(task, tuple(documents))))
    plans = (plan(whole(corpora[0])),)
    spec = separable_spec(store, task, "tfidf_linear", segments=corpora[:1], test=corpora[1], plans=plans)
    refuse(store, spec, "'rare'", "task.labels")


def test_nan_in_embeddings_is_refused_with_its_row(store: Store) -> None:
    spec = separable_spec(store, MULTI, "frozen_encoder")
    broken = embed(separable_corpus(MULTI, 60, "train"))
    broken[5, 3] = np.nan
    segment = spec.segments[0].sha256
    embeddings = {**spec.embeddings, segment: store.put_arrays({"embeddings": broken}, {})}
    refuse(store, dataclasses.replace(spec, embeddings=embeddings), "row 5", f"embeddings[{segment}]")


def test_embeddings_of_another_corpus_are_refused(store: Store) -> None:
    spec = separable_spec(store, MULTI, "frozen_encoder")
    segment = spec.segments[0].sha256
    embeddings = {**spec.embeddings, segment: spec.embeddings[spec.test.sha256]}
    refuse(store, dataclasses.replace(spec, embeddings=embeddings), "60 documents", f"embeddings[{segment}]")


def test_missing_embeddings_without_an_encoder_are_refused(store: Store) -> None:
    spec = separable_spec(store, MULTI, "frozen_encoder", embeddings={}, encoder="")
    refuse(store, spec, "no encoder is named", "encoder")


BAD: dict[str, tuple[dict[str, Any], str, str]] = {
    "family": ({"family": "perceptron"}, "frozen_encoder, tfidf_linear", "family"),
    "parameter": ({"parameters": {"depth": 3}}, "no parameter 'depth'", "parameters.depth"),
    "no plans": ({"plans": ()}, "at least one plan", "plans"),
    "one fold": ({"folds": 1}, "at least 2 folds", "fold_count"),
    "task": ({"task": Task(TaskType.MULTI_LABEL, ("a", "b"))}, "another task", "segments[0]"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_requests_are_refused(store: Store, case: str) -> None:
    changes, message, field = BAD[case]
    spec = separable_spec(store, MULTI, "tfidf_linear")
    refuse(store, dataclasses.replace(spec, **changes), message, field)


@pytest.mark.parametrize("family", FAMILY_NAMES)
def test_linear_families_take_one_stage(store: Store, family: str) -> None:
    spec = separable_spec(store, MULTI, family)
    stage = spec.plans[0].stages[0]
    two = dataclasses.replace(spec, plans=(TrainingPlan((stage, stage)),))
    refuse(store, two, r"1 stage\(s\), and plan 0 has 2", "plans[0].stages")


def test_rows_beyond_a_segment_and_unlisted_segments_are_refused(store: Store) -> None:
    spec = separable_spec(store, MULTI, "tfidf_linear")
    beyond = plan(part(spec.segments[0], [3, 60]))
    refuse(store, dataclasses.replace(spec, plans=(beyond,)), "row 60 is beyond the 60", "plan.rows")
    unlisted = plan(Part("0" * 64, np.arange(2), np.ones(2, np.float32), True))
    refuse(store, dataclasses.replace(spec, plans=(unlisted,)), "not part of the pool", "plan.segment")


def test_documents_scored_twice_are_refused(store: Store) -> None:
    spec = separable_spec(store, MULTI, "tfidf_linear")
    twice = plan(whole(spec.segments[0]), whole(spec.segments[0]))
    refuse(store, dataclasses.replace(spec, plans=(twice,)), "scored once", "plan.scored")


def test_absent_corpora_are_not_found(store: Store) -> None:
    spec = separable_spec(store, MULTI, "tfidf_linear")
    absent = dataclasses.replace(spec.test, sha256="0" * 64)
    with pytest.raises(NotFoundError):
        train({"store": str(store.root), "spec": dataclasses.replace(spec, test=absent)}, lambda _: None)
