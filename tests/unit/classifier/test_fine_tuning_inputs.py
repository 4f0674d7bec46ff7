"""What fine-tuning is given: long texts, bad settings, absent devices, too little memory, other checkpoints."""

import dataclasses
import json
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from services.classifier.fine_tuning import machine
from services.classifier.fine_tuning.checkpoints import load_tokenizer
from services.classifier.fine_tuning.machine import Machine, enough_memory
from services.classifier.fine_tuning.tokens import tokenise
from services.classifier.models import list_models, predict_texts
from services.classifier.training import open_run
from services.domain.corpus import Corpus
from services.domain.environment import PLACE_VARIABLE
from services.domain.errors import InvalidInputError, PreconditionError
from services.storage.store import Store
from tests.unit.classifier.checkpoint import POSITIONS, tiny_checkpoint
from tests.unit.classifier.separable import (
    MULTI,
    plan,
    separable_corpus,
    whole,
)
from tests.unit.classifier.tuned import run, spec_of


def test_long_texts_are_cut_counted_and_cheap(store: Store, checkpoint: str) -> None:
    documents = list(separable_corpus(MULTI, 60, "train").documents)
    for i in (3, 7):
        documents[i] = dataclasses.replace(documents[i], text=f"{documents[i].text} " + "word3 " * 100_000)
    segment = store.put_corpus(Corpus(MULTI, tuple(documents)))
    spec = spec_of(store, checkpoint, parameters={"steps": 12})
    spec = dataclasses.replace(spec, segments=(segment,), plans=(plan(whole(segment, scored=False)),))
    _, metadata = run(store, spec)[0]
    estimates = json.loads(metadata["estimates"])
    assert (estimates["truncated_documents"], estimates["longest_tokens"]) == (2, POSITIONS)


def test_tokens_of_long_texts_take_bounded_time(checkpoint: str) -> None:
    tokenizer = load_tokenizer(checkpoint)
    started = time.process_time()
    tokens = tokenise(tokenizer, ["crutch " * 100_000] * 200, POSITIONS)
    assert time.process_time() - started < 5
    assert {len(ids) for ids in tokens.ids} == {POSITIONS}
    assert all(tokens.truncated)


@pytest.mark.parametrize("words", [POSITIONS - 3, POSITIONS - 2, POSITIONS - 1])
def test_only_what_does_not_fit_counts_as_cut(checkpoint: str, words: int) -> None:
    tokens = tokenise(load_tokenizer(checkpoint), ["crutch " * words], POSITIONS)
    assert tokens.truncated == (words + 2 > POSITIONS,)
    assert len(tokens.ids[0]) == min(words + 2, POSITIONS)


BAD: dict[str, tuple[dict[str, Any], str, str]] = {
    "freeze": ({"freeze": 3}, "the checkpoint has 2 layers", "parameters.freeze"),
    "budget": ({"budget": "hours"}, "one of steps, examples", "parameters.budget"),
    "precision": ({"precision": "int8"}, "one of auto, bf16, fp32", "parameters.precision"),
    "steps": ({"steps": 0}, "above 0", "parameters.steps"),
    "longest": ({"longest": 2}, "at least 3", "parameters.longest"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_settings_are_refused(store: Store, checkpoint: str, case: str) -> None:
    changes, message, field = BAD[case]
    with pytest.raises(InvalidInputError, match=message) as caught:
        run(store, spec_of(store, checkpoint, parameters=changes))
    assert caught.value.field == field


def test_a_device_that_is_not_here_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(machine.DEVICE_VARIABLE, "cuda:31")
    with pytest.raises(InvalidInputError, match="names 'cuda:31', which this machine has not"):
        Machine.here("auto")


@pytest.mark.parametrize(
    ("place", "device"), [("0", "cuda:0"), ("1", "cuda:1"), ("2", "cuda:0"), (None, "cuda:0")]
)
def test_workers_spread_over_the_devices(
    monkeypatch: pytest.MonkeyPatch, place: str | None, device: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.delenv(PLACE_VARIABLE, raising=False)
    if place:
        monkeypatch.setenv(PLACE_VARIABLE, place)
    assert machine.own_device() == device


@pytest.mark.parametrize(
    "error", [MemoryError(), torch.OutOfMemoryError("CUDA"), RuntimeError("x: can't allocate memory: y")]
)
def test_want_of_memory_is_said_in_words(error: Exception) -> None:
    with (
        pytest.raises(PreconditionError, match="ran out of memory with 16 documents of at most 128"),
        enough_memory(16, 128),
    ):
        raise error
    with pytest.raises(RuntimeError, match="shape"), enough_memory(16, 128):
        raise RuntimeError("shape mismatch")


def test_another_checkpoint_under_the_same_name_is_trained_anew(store: Store, tmp_path: Path) -> None:
    spec = spec_of(store, str(tiny_checkpoint(tmp_path / "own")), parameters={"steps": 12})
    spec = dataclasses.replace(spec, plans=spec.plans[:1])
    run(store, spec)
    assert open_run(store, spec).finished(0)
    tiny_checkpoint(tmp_path / "own", intermediate_size=48)
    assert not open_run(store, spec).finished(0)


def test_a_kept_model_needs_its_own_checkpoint(store: Store, tmp_path: Path) -> None:
    folder = tiny_checkpoint(tmp_path / "own")
    run(store, spec_of(store, str(folder), parameters={"steps": 12}, keep_models=True))
    model = next(list_models(store))
    assert predict_texts(store, model.id, ["a wheelchair wheelchair"]).scores.shape == (1, 4)
    tiny_checkpoint(folder, intermediate_size=48)
    with pytest.raises(PreconditionError, match="train it again"):
        predict_texts(store, model.id, ["a wheelchair wheelchair"])
