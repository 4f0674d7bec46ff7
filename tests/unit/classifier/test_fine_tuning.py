"""The fine-tuned family, on a checkpoint of two random layers: what trains, what is held out, what resumes."""

import dataclasses
import json
from typing import Any

import numpy as np
import pytest

from services.classifier.families import FAMILIES, Examples, Prepared
from services.classifier.fine_tuning import pool
from services.classifier.fine_tuning.machine import Machine
from services.classifier.fine_tuning.settings import FineTuning
from services.classifier.fine_tuning.stage import Stage as Documents
from services.classifier.objectives import OBJECTIVES
from services.classifier.stage_objective import read_objective
from services.classifier.training import open_run
from services.domain.corpus import Corpus
from services.domain.document import Document
from services.domain.errors import PreconditionError
from services.domain.plan import Stage, TrainingPlan
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
    whole,
)
from tests.unit.classifier.tuned import FAMILY, copied, right, run, spec_of


@pytest.mark.parametrize("task", [MULTI, SINGLE], ids=["multi-label", "single-label"])
def test_a_result_has_test_scores_and_those_of_the_inner_fifth(
    store: Store, checkpoint: str, task: Task
) -> None:
    arrays, metadata = run(store, spec_of(store, checkpoint, task))[0]
    estimates, notes = json.loads(metadata["estimates"]), json.loads(metadata["notes"])
    assert right(arrays["test_scores"], separable_corpus(task, 40, "test").indicator) > 0.9
    assert arrays["oof_scores"].shape == arrays["oof_truth"].shape == (12, 4)
    assert (estimates["rows"], estimates["rows_without_fifth"], estimates["held_documents"]) == (60, 48, 12)
    assert 0 < estimates["steps"] <= 48
    assert (metadata["threshold"] == "") is (task is SINGLE)
    assert notes["precision"] == Machine.here("auto").precision
    assert notes["attention"] == "sdpa"


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
def test_precision_and_attention_are_the_ones_asked_for(
    store: Store, checkpoint: str, attention: str
) -> None:
    parameters = {"precision": "fp32", "attention": attention, "steps": 12}
    _, metadata = run(store, spec_of(store, checkpoint, parameters=parameters))[0]
    notes = json.loads(metadata["notes"])
    assert (notes["precision"], notes["attention"]) == ("fp32", attention)


class Listening:
    """A prepared family that keeps what it is asked to fit, and scores nothing."""

    def __init__(self) -> None:
        self.estimates: dict[str, float] = {}
        self.notes: dict[str, str] = {}

    def fit(self, examples: Examples) -> tuple["Listening", ...]:
        self.examples = examples
        return (self,)

    def scores(self, rows: np.ndarray) -> np.ndarray:
        return np.full((len(rows), len(LABELS)), 0.5, np.float32)


def test_relatives_of_the_inner_fifth_do_not_train(store: Store, checkpoint: str) -> None:
    from services.classifier.training import fit_plan

    copies = tuple(
        dataclasses.replace(d, id=f"copy-{i}")
        for i, d in enumerate(separable_corpus(MULTI, 60, "train").documents)
    )
    segment = store.put_corpus(Corpus(MULTI, copies))
    spec = spec_of(store, checkpoint)
    real, copied = whole(spec.segments[0]), part(segment, range(60), scored=False)
    spec = dataclasses.replace(
        spec,
        segments=(*spec.segments, segment),
        plans=(plan(real, copied), TrainingPlan((Stage((copied,)), Stage((real,))))),
    )
    opened = open_run(store, spec)
    families = np.array(opened.documents.families)
    for wanted in spec.plans:
        listening = Listening()
        fit_plan(listening, opened.documents, wanted, spec)  # type: ignore[arg-type]
        last = listening.examples
        held = set(families[last.held].tolist())
        trained = np.concatenate([stage.rows[stage.weights[:, 0] > 0] for stage in (*last.before, last)])
        assert len(last.held) == 12 and (last.held < 60).all()
        assert not held & set(families[trained].tolist())
        assert len(trained) == 96
        # The refit has them all.
        assert all((stage.weights[:, 1] > 0).all() for stage in (*last.before, last))


def test_a_refit_takes_the_best_steps_and_keeps_the_threshold(store: Store, checkpoint: str) -> None:
    spec = spec_of(store, checkpoint)
    once = spec_of(store, checkpoint, parameters={"refit": False})
    (again, stood), (stopped, noted) = (run(store, s)[0] for s in (spec, once))
    assert stood["threshold"] == noted["threshold"]
    assert (again["oof_scores"] == stopped["oof_scores"]).all()
    assert (again["test_scores"] != stopped["test_scores"]).any()
    assert [json.loads(m["estimates"])["steps"] for m in (stood, noted)].count(0) == 0
    assert json.loads(stood["estimates"])["steps"] == json.loads(noted["estimates"])["steps"]


def test_the_same_documents_are_held_out_in_every_arm(store: Store, checkpoint: str) -> None:
    spec = spec_of(store, checkpoint)
    truths = [arrays["oof_truth"] for arrays, _ in run(store, spec)]
    half = spec.plans[1]
    assert len(half.stages[0].parts[0].rows) == 30
    assert 0 < len(truths[1]) < len(truths[0]) == 12


def test_without_real_documents_it_trains_to_the_end(store: Store, checkpoint: str) -> None:
    spec = spec_of(store, checkpoint)
    unscored = plan(whole(spec.segments[0], scored=False))
    arrays, metadata = run(store, dataclasses.replace(spec, plans=(unscored,)))[0]
    assert json.loads(metadata["estimates"])["steps"] == 48
    assert (arrays["oof_scores"].shape, metadata["threshold"]) == ((0, 4), "")


def test_curricula_are_trained_in_their_order(store: Store, checkpoint: str) -> None:
    rng = np.random.default_rng(0)
    wrong = tuple(
        Document(f"w{i}", d.text, (LABELS[rng.integers(4)],), f"w{i}")
        for i, d in enumerate(separable_corpus(MULTI, 60, "train").documents)
    )
    segment = store.put_corpus(Corpus(MULTI, wrong))
    spec = spec_of(store, checkpoint, parameters={"patience": 12})
    noise, real = Stage((whole(segment, scored=False),)), Stage((whole(spec.segments[0], scored=False),))
    spec = dataclasses.replace(
        spec,
        segments=(*spec.segments, segment),
        plans=(TrainingPlan((noise, real)), TrainingPlan((real, noise))),
    )
    truth = separable_corpus(MULTI, 40, "test").indicator
    good, bad = (right(arrays["test_scores"], truth) for arrays, _ in run(store, spec))
    assert good > 0.9 > bad + 0.2


def test_copies_buy_steps_only_with_a_budget_of_examples() -> None:
    rows, truth = np.arange(10), np.ones((10, 2), bool)
    objective = read_objective("log_loss", MULTI.type)
    once, thrice = (Documents(rows, truth, np.full(10, w, np.float32), objective) for w in (1, 3))
    steps, examples = FineTuning(steps=40), FineTuning(budget="examples", epochs=8, batch=5)
    assert [stage.steps(steps) for stage in (once, thrice)] == [40, 40]
    assert [stage.steps(examples) for stage in (once, thrice)] == [16, 48]


WHOLE_BATCHES = {"batch": 64, "precision": "fp32", "steps": 12, "head_factor": 10.0}


def test_weights_in_the_loss_are_repeated_documents(store: Store, checkpoint: str) -> None:
    """Whole-batch steps: a weight of 2 and a second row are the same mean."""
    spec = spec_of(store, checkpoint, parameters=WHOLE_BATCHES)
    segment = spec.segments[0]
    twice = dataclasses.replace(
        separable_corpus(MULTI, 60, "train"),
        documents=tuple(
            dataclasses.replace(d, id=f"{d.id}+") for d in separable_corpus(MULTI, 20, "train").documents
        ),
    )
    first = store.put_corpus(
        dataclasses.replace(twice, documents=separable_corpus(MULTI, 20, "train").documents)
    )
    second = store.put_corpus(twice)
    weighted = plan(part(first, range(20), False, 2.0), part(segment, [30, 31], False))
    written_out = plan(
        part(first, range(20), False), part(second, range(20), False), part(segment, [30, 31], False)
    )
    spec = dataclasses.replace(spec, segments=(segment, first, second), plans=(weighted, written_out))
    scores = [arrays["test_scores"] for arrays, _ in run(store, spec)]
    assert scores[0] == pytest.approx(scores[1], abs=2e-3)


def test_forgotten_states_are_computed_again_to_the_same_bytes(
    store: Store, checkpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = spec_of(store, checkpoint)
    remembered = run(store, spec)[0][0]["test_scores"]
    monkeypatch.setattr(pool, "CACHE_BYTES", -1)
    forgetful = Store(store.root.parent / "forgetful")
    again = run(forgetful, copied(spec, forgetful))[0][0]["test_scores"]
    assert again.tobytes() == remembered.tobytes()


def test_frozen_layers_stay_as_they_are(store: Store, checkpoint: str) -> None:
    family = FAMILIES.get(FAMILY)
    spec = spec_of(store, checkpoint)
    opened = open_run(store, spec)
    prepared: Prepared = family.prepare(opened.source, opened.parameters)
    truth = opened.documents.truth[:60]
    names = (
        prepared.fit(Examples(MULTI.type, np.arange(60), truth, np.ones((60, 1), np.float32)))[0]
        .model()
        .arrays
    )
    layers = {name.split(".layer.")[1][0] for name in names if ".layer." in name}
    assert layers == {"1"}
    assert not any(name.startswith("embeddings") for name in names)


@pytest.fixture
def not_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(type(OBJECTIVES.get("log_loss"))):  # type: ignore[misc]
        def losses(self, logits: Any, targets: Any, counts: Any) -> Any:
            return super().losses(logits, targets, counts) * float("nan")

    monkeypatch.setitem(OBJECTIVES._entries, "broken", Broken())


@pytest.mark.usefixtures("not_a_number")
def test_a_loss_that_is_no_number_fails_its_plan_alone(store: Store, checkpoint: str) -> None:
    spec = spec_of(store, checkpoint, parameters={"precision": "fp32"})
    parts = spec.plans[0].stages[0].parts
    plans = (
        TrainingPlan((Stage(parts),)),
        TrainingPlan((Stage(parts), Stage(parts, "broken"))),
        spec.plans[1],
    )
    spec = dataclasses.replace(spec, plans=plans)
    with pytest.raises(
        PreconditionError, match="plan 1: the loss is nan at step 1 of stage 2 in fp32"
    ) as caught:
        run(store, spec)
    said = {"plan": "1", "step": "1", "precision": "fp32", "field": "parameters.learning_rate"}
    assert caught.value.metadata == said
    opened = open_run(store, spec)
    assert [opened.finished(i) for i in range(3)] == [True, False, True]


def test_minilm_is_the_default_and_learns(store: Store) -> None:
    spec = separable_spec(store, MULTI, FAMILY, parameters={"steps": 12, "longest": 32})
    arrays, metadata = run(store, dataclasses.replace(spec, plans=spec.plans[:1]))[0]
    assert json.loads(metadata["notes"])["checkpoint"] == "minilm"
    assert right(arrays["test_scores"], separable_corpus(MULTI, 40, "test").indicator) > 0.9
