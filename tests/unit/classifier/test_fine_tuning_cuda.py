"""Fine-tuning on a GPU: the packed form learns, repeats itself and goes on where it was killed; what else is said."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from services.classifier.families import Examples, Source, TextBlock
from services.classifier.fine_tuning import packed_pool, progress
from services.classifier.fine_tuning.fitting import Fitter
from services.classifier.fine_tuning.machine import DEVICE_VARIABLE
from services.classifier.fine_tuning.progress import SavedStanding, Standing
from services.classifier.fine_tuning.settings import FineTuning
from services.classifier.training import train
from services.domain.errors import PreconditionError
from services.domain.plan import Stage, TrainingPlan
from services.storage.store import Store
from tests.unit.classifier.checkpoint import tiny_checkpoint
from tests.unit.classifier.separable import MULTI, SINGLE, separable_corpus
from tests.unit.classifier.tuned import copied, right, run, spec_of

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")

PACKED = "packed, steps recorded as CUDA graphs"


def notes_of(metadata: Any) -> dict[str, str]:
    return dict(json.loads(metadata["notes"]))


@pytest.mark.parametrize("task", [MULTI, SINGLE], ids=["multi-label", "single-label"])
@pytest.mark.parametrize("freeze", [0, 1])
def test_the_packed_form_learns_and_is_noted(store: Store, checkpoint: str, task: Any, freeze: int) -> None:
    arrays, metadata = run(store, spec_of(store, checkpoint, task, parameters={"freeze": freeze}))[0]
    assert right(arrays["test_scores"], separable_corpus(task, 40, "test").indicator) > 0.9
    notes = notes_of(metadata)
    assert (notes["device"], notes["path"], notes["attention"]) == ("cuda", PACKED, "varlen_attn")
    assert notes["precision"] == "bf16"


@pytest.mark.parametrize("parameters", [{"precision": "fp32"}, {"attention": "sdpa"}, {"attention": "eager"}])
def test_the_padded_form_learns_and_says_why(
    store: Store, checkpoint: str, parameters: dict[str, str]
) -> None:
    arrays, metadata = run(store, spec_of(store, checkpoint, parameters=parameters))[0]
    assert right(arrays["test_scores"], separable_corpus(MULTI, 40, "test").indicator) > 0.9
    assert notes_of(metadata)["path"].startswith("padded: ")


def test_scores_are_those_of_the_processor(
    store: Store, checkpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before training, so that rounding does not add up."""
    texts = tuple(document.text for document in separable_corpus(MULTI, 40, "test").documents)
    found = {}
    for name, precision in (("cuda", "bf16"), ("cuda", "fp32"), ("cpu", "fp32")):
        monkeypatch.setenv(DEVICE_VARIABLE, name)
        fitter = Fitter(
            Source(store, (TextBlock(texts),), {}, ""), FineTuning(checkpoint, precision=precision, freeze=0)
        )
        weights = {**fitter._initial}
        rng = np.random.default_rng(0)
        weights["head.slopes"] = torch.from_numpy(rng.normal(size=(3, 32)).astype(np.float32))
        weights["head.intercepts"] = weights["head.fixed"] = torch.zeros(3)
        weights["head.free"] = torch.ones(3)
        found[name, precision] = fitter.logits(weights, np.arange(40))
    exact = found["cpu", "fp32"]
    assert found["cuda", "fp32"] == pytest.approx(exact, abs=1e-4)
    assert found["cuda", "bf16"] == pytest.approx(exact, abs=0.1)


@pytest.mark.parametrize("parameters", [{}, {"freeze": 0}, {"precision": "fp32"}], ids=str)
def test_a_fit_comes_out_the_same_twice(store: Store, checkpoint: str, parameters: dict[str, Any]) -> None:
    spec = spec_of(store, checkpoint, parameters=parameters)
    elsewhere = Store(store.root.parent / "elsewhere")
    first, again = run(store, spec), run(elsewhere, copied(spec, elsewhere))
    for (arrays, _), (others, _) in zip(first, again, strict=True):
        assert arrays["test_scores"].tobytes() == others["test_scores"].tobytes()


class Killed(BaseException):
    """Stands for SIGKILL."""


@pytest.mark.parametrize("parameters", [{"freeze": 0}, {"freeze": 1}, {"precision": "fp32"}], ids=str)
def test_a_killed_fit_goes_on_to_the_same_bytes(
    store: Store, checkpoint: str, monkeypatch: pytest.MonkeyPatch, parameters: dict[str, Any]
) -> None:
    monkeypatch.setattr(progress, "SECONDS_BETWEEN", 0.0)
    elsewhere = Store(store.root.parent / "elsewhere")
    spec = spec_of(store, checkpoint, parameters={**parameters, "patience": 12})
    stages = TrainingPlan((spec.plans[1].stages[0], Stage(spec.plans[0].stages[0].parts, "focal")))
    spec = dataclasses.replace(spec, plans=(stages,))
    undisturbed = train({"store": str(elsewhere.root), "spec": copied(spec, elsewhere)}, lambda _: None)
    saves = list[int]()
    save = SavedStanding.save

    def killing(self: SavedStanding, standing: Standing) -> None:
        save(self, standing)
        saves.append(standing.step)
        if len(saves) in (3, 17, 27):
            raise Killed

    monkeypatch.setattr(SavedStanding, "save", killing)
    for _ in range(3):
        with pytest.raises(Killed):
            train({"store": str(store.root), "spec": spec}, lambda _: None)
    resumed = train({"store": str(store.root), "spec": spec}, lambda _: None)
    assert resumed["results"] == undisturbed["results"]


def test_states_that_do_not_fit_are_computed_again_to_the_same_bytes(
    store: Store, checkpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = spec_of(store, checkpoint)
    remembered = run(store, spec)[0][0]["test_scores"]
    monkeypatch.setattr(packed_pool, "_budget", lambda _: 0)
    forgetful = Store(store.root.parent / "forgetful")
    again = run(forgetful, copied(spec, forgetful))[0][0]["test_scores"]
    assert again.tobytes() == remembered.tobytes()


def test_a_loss_that_is_no_number_is_found_at_its_step(store: Store, checkpoint: str) -> None:
    texts = tuple(document.text for document in separable_corpus(MULTI, 60, "train").documents)
    fitter = Fitter(
        Source(store, (TextBlock(texts),), {}, ""),
        FineTuning(checkpoint, freeze=0, learning_rate=1e30, steps=24),
    )
    truth = separable_corpus(MULTI, 60, "train").indicator.astype(bool)
    with pytest.raises(PreconditionError, match=r"the loss is (nan|inf) at step [23] of stage 1 in bf16"):
        fitter.fit(Examples(MULTI.type, np.arange(60), truth, np.ones((60, 1), np.float32)), 0)


def test_a_batch_too_large_for_the_device_is_refused_in_words_and_a_smaller_one_goes_on(
    store: Store, tmp_path: Path
) -> None:
    folder = str(tiny_checkpoint(tmp_path / "wide", layers=16, hidden_size=128, intermediate_size=16384))
    texts = tuple(d.text for d in separable_corpus(MULTI, 60, "train").documents) * 300
    truth = np.tile(separable_corpus(MULTI, 60, "train").indicator.astype(bool), (300, 1))
    examples = Examples(MULTI.type, np.arange(18000), truth, np.ones((18000, 1), np.float32))
    source = Source(store, (TextBlock(texts),), {}, "")
    with pytest.raises(
        PreconditionError, match="ran out of memory with 18000 documents of at most 48 tokens"
    ):
        Fitter(source, FineTuning(folder, freeze=0, batch=18000, steps=2)).fit(examples, 0)
    assert Fitter(source, FineTuning(folder, freeze=0, batch=8, steps=2)).fit(examples, 0).taken == (2,)
