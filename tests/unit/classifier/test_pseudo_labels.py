"""Hidden labels: predicted by what saw no more than the fit that trains on them."""

import dataclasses
import json
from typing import Any

import numpy as np
import pytest

from services.classifier.client import spec_to_proto
from services.classifier.service import spec_from_proto
from services.classifier.specification import TrainingSpec
from services.classifier.training import train
from services.domain.artifact import ArtifactRef
from services.domain.corpus import Corpus
from services.domain.document import Document
from services.domain.errors import InvalidInputError
from services.domain.plan import Part, TrainingPlan
from services.domain.task import Task
from services.storage.store import Store
from tests.unit.classifier.separable import (
    LABELS,
    MULTI,
    SINGLE,
    part,
    plan,
    separable_corpus,
    separable_spec,
    stored_embeddings,
    whole,
)

REAL, HIDDEN = 36, 30


def noisy(task: Task, count: int, name: str) -> Corpus:
    """Return separable documents with every third label set wrong, so that scores are far from sure."""
    rng = np.random.default_rng(count)
    sound = separable_corpus(task, count, name).documents
    return Corpus(
        task,
        tuple(
            dataclasses.replace(d, labels=(str(rng.choice(LABELS)),)) if i % 3 == 0 else d
            for i, d in enumerate(sound)
        ),
    )


def hidden(segment: ArtifactRef) -> Part:
    return dataclasses.replace(whole(segment, scored=False), predicted=True)


def spec_of(store: Store, task: Task, family: str, unlabelled: Corpus, **changes: Any) -> TrainingSpec:
    """Return a run of one plan: noisy real documents, and others whose labels are hidden."""
    real, test = noisy(task, REAL, "train"), separable_corpus(task, 24, "test")
    segments = tuple(store.put_corpus(corpus) for corpus in (real, unlabelled))
    embeddings = stored_embeddings(store, real, unlabelled, test) if family == "frozen_encoder" else {}
    values: dict[str, Any] = {
        "segments": segments,
        "plans": (plan(whole(segments[0]), hidden(segments[1])),),
        "test": store.put_corpus(test),
        "embeddings": embeddings,
    }
    return separable_spec(store, task, family, **{**values, **changes})


def trained(store: Store, spec: TrainingSpec) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    (reference,) = train({"store": str(store.root), "spec": spec}, lambda _: None)["results"]
    arrays, metadata = store.get_arrays(reference)
    return arrays, {**metadata, "estimates": json.loads(metadata["estimates"])}


@pytest.mark.parametrize("task", [MULTI, SINGLE], ids=["multi-label", "single-label"])
def test_a_pseudo_label_is_what_the_model_of_the_real_documents_says(store: Store, task: Task) -> None:
    """The slow way: train on the real documents, label the others by hand, train on both."""
    unlabelled = separable_corpus(task, HIDDEN, "hidden")
    spec = spec_of(store, task, "tfidf_linear", unlabelled)
    arrays, metadata = trained(store, spec)
    alone = dataclasses.replace(spec, plans=(plan(whole(spec.segments[0])),), test=spec.segments[1])
    teacher, said = trained(store, dataclasses.replace(alone, segments=spec.segments[:1]))
    labels = decided(task, teacher["test_scores"], said["threshold"])
    by_hand = store.put_corpus(
        Corpus(
            task,
            tuple(
                dataclasses.replace(document, labels=found)
                for document, found in zip(unlabelled.documents, labels, strict=True)
            ),
        )
    )
    again = dataclasses.replace(
        spec,
        segments=(spec.segments[0], by_hand),
        plans=(plan(whole(spec.segments[0]), whole(by_hand, scored=False)),),
    )
    slow, _ = trained(store, again)
    assert arrays["test_scores"] == pytest.approx(slow["test_scores"], abs=1e-6)
    assert metadata["estimates"]["pseudo_documents"] == HIDDEN


def decided(task: Task, scores: np.ndarray, threshold: str) -> list[tuple[str, ...]]:
    highest = np.arange(scores.shape[1]) == scores.argmax(axis=1)[:, None]
    if task is SINGLE:
        return list(task.decode(highest))
    passed = np.asarray(scores >= float(threshold))
    some = np.asarray(passed.any(axis=1), bool)
    return list(task.decode(np.where(some[:, None], passed, highest)))


@pytest.mark.parametrize("family", ["tfidf_linear", "frozen_encoder"])
def test_hidden_labels_are_never_read(store: Store, family: str) -> None:
    unlabelled = separable_corpus(MULTI, HIDDEN, "hidden")
    others = Corpus(
        MULTI,
        tuple(dataclasses.replace(d, labels=(LABELS[i % 4],)) for i, d in enumerate(unlabelled.documents)),
    )
    first = spec_of(store, MULTI, family, unlabelled)
    second = spec_of(store, MULTI, family, others)
    if family == "frozen_encoder":
        # The planted embeddings show the labels: those of the first serve both.
        known = first.embeddings[first.segments[1].sha256]
        second = dataclasses.replace(
            second, embeddings={**second.embeddings, second.segments[1].sha256: known}
        )
    (one, said), (two, otherwise) = trained(store, first), trained(store, second)
    for name in ("test_scores", "oof_scores"):
        assert np.array_equal(one[name], two[name])
    assert said["threshold"] == otherwise["threshold"]
    # Only their account knows better.
    assert said["estimates"]["pseudo_micro_f1"] > otherwise["estimates"]["pseudo_micro_f1"]


@pytest.mark.parametrize("family", ["tfidf_linear", "frozen_encoder"])
def test_a_held_out_documents_label_reaches_no_fit_it_is_scored_by(store: Store, family: str) -> None:
    """Whatever the labels of one family were, its own out-of-fold scores stay what they are, to the last bit."""
    unlabelled = separable_corpus(MULTI, HIDDEN, "hidden")
    spec = spec_of(store, MULTI, family, unlabelled)
    real = store.get_corpus(spec.segments[0])
    before, _ = trained(store, spec)
    for family_number in (0, 3, 7):
        held = {i for i, name in enumerate(real.families) if name == f"train-family-{family_number}"}
        turned = Corpus(
            MULTI,
            tuple(
                dataclasses.replace(d, labels=tuple(sorted(set(LABELS) - set(d.labels)))) if i in held else d
                for i, d in enumerate(real.documents)
            ),
        )
        segment = store.put_corpus(turned)
        embeddings = dict(spec.embeddings)
        if embeddings:
            embeddings[segment.sha256] = embeddings[spec.segments[0].sha256]
        changed = dataclasses.replace(
            spec,
            segments=(segment, spec.segments[1]),
            plans=(plan(whole(segment), hidden(spec.segments[1])),),
            embeddings=embeddings,
        )
        after, _ = trained(store, changed)
        rows = sorted(held)
        assert np.array_equal(before["oof_scores"][rows], after["oof_scores"][rows])
        assert not np.array_equal(before["oof_scores"], after["oof_scores"])


def test_a_relative_of_a_held_out_document_goes_with_it(store: Store) -> None:
    """Whatever the unlabelled relatives of a family say, its own out-of-fold scores stay what they are."""
    unlabelled = separable_corpus(MULTI, HIDDEN, "hidden").documents

    def oof(words: str) -> np.ndarray:
        documents = tuple(
            dataclasses.replace(d, family="train-family-3", text=f"{words} {d.text}") if i < 5 else d
            for i, d in enumerate(unlabelled)
        )
        return trained(store, spec_of(store, MULTI, "tfidf_linear", Corpus(MULTI, documents)))[0][
            "oof_scores"
        ]

    before, after = oof("crutch crutch"), oof("wheelchair hearing")
    # Families hold two documents each.
    assert np.array_equal(before[6:8], after[6:8])
    assert not np.array_equal(before, after)


def test_a_document_without_any_label_takes_its_likeliest(store: Store) -> None:
    strange = Corpus(
        MULTI, tuple(Document(f"s{i}", f"strange{i} alone{i}", (LABELS[i % 4],), f"s{i}") for i in range(20))
    )
    real, unlabelled = store.put_corpus(separable_corpus(MULTI, 60, "train")), store.put_corpus(strange)
    spec = separable_spec(
        store,
        MULTI,
        "tfidf_linear",
        segments=(real, unlabelled),
        plans=(plan(whole(real), hidden(unlabelled)),),
    )
    # Who says no known word looks like every label a little, and like none enough.
    estimates = trained(store, spec)[1]["estimates"]
    assert estimates["pseudo_fallback_share"] == 1
    # One label each, the same for all: a quarter of the hidden ones.
    assert estimates["pseudo_micro_f1"] == pytest.approx(0.25)


def refused(store: Store, spec: TrainingSpec, message: str, field: str) -> None:
    with pytest.raises(InvalidInputError, match=message) as caught:
        train({"store": str(store.root), "spec": spec}, lambda _: None)
    assert caught.value.field == field


def test_what_cannot_be_predicted_is_refused(store: Store) -> None:
    unlabelled = separable_corpus(MULTI, HIDDEN, "hidden")
    spec = spec_of(store, MULTI, "tfidf_linear", unlabelled)
    real, other = spec.segments
    refused(store, dataclasses.replace(spec, folds=2), "takes 3 folds", "fold_count")
    unscored = plan(whole(real, scored=False), hidden(other))
    refused(store, dataclasses.replace(spec, plans=(unscored,)), "there are 0", "fold_count")
    both = plan(whole(real), hidden(other), part(other, [0], scored=False))
    refused(store, dataclasses.replace(spec, plans=(both,)), "hidden in one part", "plan.predicted")
    dear = dataclasses.replace(spec, family="fine_tuned_encoder")
    refused(store, dear, "fitted once", "plans[0].stages[0].parts")
    with pytest.raises(InvalidInputError, match="cannot be scored"):
        dataclasses.replace(whole(real), predicted=True)


def test_hidden_labels_and_strengths_arrive_on_the_wire(store: Store) -> None:
    spec = spec_of(store, MULTI, "tfidf_linear", separable_corpus(MULTI, HIDDEN, "hidden"))
    tuned = TrainingPlan(spec.plans[0].stages, (0.25, 1.0))
    wanted = dataclasses.replace(spec, plans=(spec.plans[0], tuned))
    found = spec_from_proto(spec_to_proto(wanted), store)
    assert [p.digest for p in found.plans] == [p.digest for p in wanted.plans]
    assert found.plans[1].strengths == (0.25, 1.0)
    assert [p.predicted for p in found.plans[0].stages[0].parts] == [False, True]
