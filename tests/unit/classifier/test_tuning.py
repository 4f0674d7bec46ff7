"""C tuned for one plan alone, by its own out-of-fold scores."""

import dataclasses
import json
from typing import Any

import numpy as np
import pytest

from services.classifier.specification import TrainingSpec
from services.classifier.thresholds import Threshold
from services.classifier.training import train
from services.classifier.tuning import oof_micro_f1
from services.domain.corpus import Corpus
from services.domain.errors import InvalidInputError
from services.domain.plan import TrainingPlan
from services.domain.task import Task, TaskType
from services.storage.store import Store
from tests.unit.classifier.separable import MULTI, SINGLE, part, plan, separable_spec, whole
from tests.unit.classifier.test_pseudo_labels import noisy

STRENGTHS = (0.001, 0.1, 1.0)


def noisy_spec(store: Store, task: Task, family: str, **changes: Any) -> TrainingSpec:
    segment = store.put_corpus(noisy(task, 60, "train"))
    spec = separable_spec(store, task, family)
    # Embeddings of the separable corpus have as many rows; that labels are noisy is what matters.
    known = spec.embeddings.get(spec.segments[0].sha256)
    embeddings = {**spec.embeddings, segment.sha256: known} if known else {}
    values: dict[str, Any] = {"segments": (segment,), "plans": (plan(whole(segment)),)}
    return dataclasses.replace(spec, **{**values, "embeddings": embeddings, **changes})


def trained(store: Store, spec: TrainingSpec) -> list[tuple[dict[str, np.ndarray], dict[str, Any]]]:
    found = [
        store.get_arrays(r)
        for r in train({"store": str(store.root), "spec": spec}, lambda _: None)["results"]
    ]
    return [(arrays, {**said, "estimates": json.loads(said["estimates"])}) for arrays, said in found]


def tuned(plan: TrainingPlan, strengths: tuple[float, ...] = STRENGTHS) -> TrainingPlan:
    return TrainingPlan(plan.stages, strengths)


@pytest.mark.parametrize("task", [MULTI, SINGLE], ids=["multi-label", "single-label"])
@pytest.mark.parametrize("family", ["tfidf_linear", "frozen_encoder"])
def test_the_strength_with_the_best_out_of_fold_score_is_taken(store: Store, task: Task, family: str) -> None:
    """The slow way: one plan per C, and the best by hand."""
    spec = noisy_spec(store, task, family)
    ((chosen, said),) = trained(store, dataclasses.replace(spec, plans=(tuned(spec.plans[0]),)))
    scores, tests = {}, {}
    for strength in STRENGTHS:
        ((arrays, metadata),) = trained(store, dataclasses.replace(spec, parameters={"C": 10.0 * strength}))
        threshold = Threshold(float(metadata["threshold"]) if metadata["threshold"] else None)
        scores[strength] = oof_micro_f1(task.type, arrays["oof_scores"], arrays["oof_truth"] > 0, threshold)
        tests[strength] = arrays["test_scores"]
    best = max(scores, key=lambda strength: (scores[strength], -strength))
    assert len(set(scores.values())) > 1
    assert said["estimates"]["strength"] == best
    assert said["estimates"]["strength_oof_micro_f1"] == pytest.approx(scores[best])
    # Weights times k are C times k, but a solver stops elsewhere on the way.
    assert chosen["test_scores"] == pytest.approx(tests[best], abs=1e-3)


def test_a_strength_of_one_is_the_plan_as_it_is(store: Store) -> None:
    spec = noisy_spec(store, MULTI, "tfidf_linear")
    both = dataclasses.replace(spec, plans=(spec.plans[0], tuned(spec.plans[0], (1.0,))))
    (plain, said), (only, otherwise) = trained(store, both)
    assert np.array_equal(plain["test_scores"], only["test_scores"])
    assert np.array_equal(plain["oof_scores"], only["oof_scores"])
    assert said["threshold"] == otherwise["threshold"]
    assert "strength" not in said["estimates"]


def test_arms_of_one_run_are_tuned_apart(store: Store) -> None:
    spec = noisy_spec(store, MULTI, "tfidf_linear")
    segment = spec.segments[0]
    small = plan(part(segment, range(30)))
    many = plan(part(segment, range(60)), part(segment, range(60), scored=False, weight=99.0))
    results = trained(store, dataclasses.replace(spec, plans=(tuned(small), tuned(many, (0.01, 0.0001)))))
    alone = trained(store, dataclasses.replace(spec, plans=(tuned(many, (0.01, 0.0001)),)))
    assert np.array_equal(results[1][0]["test_scores"], alone[0][0]["test_scores"])
    assert results[1][1]["estimates"]["strength"] in (0.01, 0.0001)


def test_copies_do_not_choose_their_own_penalty(store: Store) -> None:
    """Labels at random and a copy of every document: if copies stayed, the weakest penalty would look perfect."""
    documents = noisy(MULTI, 80, "train").documents
    rng = np.random.default_rng(1)
    labels = [documents[int(i)].labels for i in rng.permutation(len(documents))]
    shuffled = Corpus(
        MULTI,
        tuple(
            dataclasses.replace(d, labels=found, text=f"unique{i} {d.text}")
            for i, (d, found) in enumerate(zip(documents, labels, strict=True))
        ),
    )
    segment = store.put_corpus(shuffled)
    renamed = tuple(dataclasses.replace(d, id=f"copy-{d.id}") for d in shuffled.documents)
    copies = store.put_corpus(Corpus(MULTI, renamed))
    copied = plan(whole(segment), part(copies, range(80), scored=False, weight=9.0))
    spec = noisy_spec(
        store, MULTI, "tfidf_linear", segments=(segment, copies), plans=(tuned(copied, (0.0001, 100.0)),)
    )
    ((_, said),) = trained(store, dataclasses.replace(spec, parameters={"min_df": 1}))
    assert said["estimates"]["strength_oof_micro_f1"] < 0.75


def test_of_equal_strengths_the_strongest_penalty_is_taken(store: Store) -> None:
    # Penalties so strong that every document has the label frequencies as its scores.
    spec = noisy_spec(store, MULTI, "tfidf_linear")
    vanishing = (1e-9, 1e-10, 1e-8)
    ((_, said),) = trained(store, dataclasses.replace(spec, plans=(tuned(spec.plans[0], vanishing),)))
    assert said["estimates"]["strength"] == 1e-10


def refused(store: Store, spec: TrainingSpec, message: str, field: str) -> None:
    with pytest.raises(InvalidInputError, match=message) as caught:
        train({"store": str(store.root), "spec": spec}, lambda _: None)
    assert caught.value.field == field


def test_what_cannot_be_tuned_is_refused(store: Store) -> None:
    spec = noisy_spec(store, MULTI, "tfidf_linear")
    unscored = tuned(plan(whole(spec.segments[0], scored=False)))
    refused(store, dataclasses.replace(spec, plans=(unscored,)), "no scored document", "plan.strengths")
    dear = dataclasses.replace(spec, family="fine_tuned_encoder", plans=(tuned(spec.plans[0]),))
    refused(store, dear, "no convex loss", "plans[0].strengths")
    extreme = tuned(spec.plans[0], (1.0, 1e30))
    refused(store, dataclasses.replace(spec, plans=(extreme,)), "strength 1e", "plans[0].strengths")
    for strengths in ((1.0, 1.0), (0.0,), (-1.0,), (float("inf"),), (float("nan"),)):
        with pytest.raises(InvalidInputError, match="distinct positive numbers"):
            tuned(spec.plans[0], strengths)


def test_out_of_fold_micro_f1_by_hand() -> None:
    scores = np.array([[0.9, 0.2], [0.4, 0.8], [0.7, 0.1]], np.float32)
    truth = np.array([[True, False], [True, True], [False, True]])
    # At .5: hits (0,a) and (1,b); false (2,a); missed (1,a) and (2,b).
    assert oof_micro_f1(TaskType.MULTI_LABEL, scores, truth, Threshold(0.5)) == pytest.approx(4 / 7)
    assert oof_micro_f1(TaskType.MULTI_LABEL, scores, truth, Threshold(0.95)) == 0
    single = np.array([[True, False], [True, False], [True, False]])
    assert oof_micro_f1(TaskType.SINGLE_LABEL, scores, single, Threshold(None)) == pytest.approx(2 / 3)
