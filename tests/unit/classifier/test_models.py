"""Kept models and what they predict."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pytest

from services.classifier.models import get_model, list_models, predict_corpus, predict_texts
from services.classifier.specification import TrainingSpec
from services.classifier.training import train
from services.domain.errors import InvalidInputError, NotFoundError, PreconditionError
from services.domain.task import Task
from services.features.encoders import ENCODERS
from services.storage.store import Store
from tests.unit.classifier.separable import (
    LABELS,
    MULTI,
    SINGLE,
    part,
    plan,
    separable_corpus,
    separable_spec,
)


class WordEncoder:
    """One direction per label and one for everything else."""

    description = "Counts label names."
    dimensions = len(LABELS) + 1

    def __init__(self) -> None:
        self.revision = "label-words/1"

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        counts = np.array([[text.split().count(label) for label in LABELS] + [1] for text in texts])
        return np.asarray(counts / np.linalg.norm(counts, axis=1, keepdims=True), np.float32)


@pytest.fixture
def encoder(monkeypatch: pytest.MonkeyPatch) -> Iterator[WordEncoder]:
    ENCODERS.names()
    found = WordEncoder()
    monkeypatch.setitem(ENCODERS._entries, "label-words", found)
    yield found


def keep(store: Store, task: Task, family: str, **changes: object) -> TrainingSpec:
    spec = separable_spec(store, task, family, keep_models=True, encoder="label-words", **changes)
    train({"store": str(store.root), "spec": spec}, lambda _: None)
    return spec


@pytest.mark.parametrize("task", [MULTI, SINGLE], ids=["multi-label", "single-label"])
@pytest.mark.parametrize("family", ["tfidf_linear", "frozen_encoder"])
def test_inline_texts_and_corpora_are_scored_as_the_test_corpus_was(
    store: Store, encoder: WordEncoder, task: Task, family: str
) -> None:
    spec = keep(store, task, family, embeddings={})
    test = separable_corpus(task, 40, "test")
    for model in list_models(store):
        said = predict_texts(store, model.id, test.texts)
        stored = store.get_arrays(predict_corpus(store, model.id, spec.test))[0]["scores"]
        assert said.scores == pytest.approx(stored, abs=1e-5)
        hits = np.mean([a == b for a, b in zip(said.label_sets, task.decode(test.indicator), strict=True)])
        assert hits > 0.7


def test_single_label_models_name_one_label(store: Store) -> None:
    keep(store, SINGLE, "tfidf_linear")
    model = next(list_models(store))
    assert model.threshold is None
    assert all(len(labels) == 1 for labels in predict_texts(store, model.id, ["no known word"]).label_sets)


def test_models_without_a_threshold_name_no_labels(store: Store) -> None:
    spec = separable_spec(store, MULTI, "tfidf_linear")
    keep(store, MULTI, "tfidf_linear", plans=(plan(part(spec.segments[0], range(60), scored=False)),))
    model = next(list_models(store))
    said = predict_texts(store, model.id, ["wheelchair wheelchair"])
    assert (model.threshold, said.label_sets) == (None, ((),))
    assert said.scores.argmax() == LABELS.index("wheelchair")


def test_another_revision_of_the_encoder_is_refused(store: Store, encoder: WordEncoder) -> None:
    keep(store, MULTI, "frozen_encoder", embeddings={})
    encoder.revision = "label-words/2"
    with pytest.raises(PreconditionError, match="label-words/1"):
        predict_texts(store, next(list_models(store)).id, ["wheelchair"])


def test_embeddings_of_two_encoders_do_not_mix(store: Store, encoder: WordEncoder) -> None:
    spec = separable_spec(store, MULTI, "frozen_encoder", encoder="label-words")
    given = {spec.test.sha256: spec.embeddings[spec.test.sha256]}
    with pytest.raises(InvalidInputError, match="different encoders"):
        train({"store": str(store.root), "spec": replace(spec, embeddings=given)}, lambda _: None)


def test_a_model_lost_from_the_store_is_fitted_again(store: Store) -> None:
    spec = keep(store, MULTI, "tfidf_linear")
    lost = next(list_models(store))
    store.objects.quarantine(lost.artifact.sha256)
    train({"store": str(store.root), "spec": spec}, lambda _: None)
    assert store.objects.has(get_model(store, lost.id).artifact.sha256)


def test_unknown_models_are_not_found(store: Store) -> None:
    with pytest.raises(NotFoundError, match="keep_models"):
        get_model(store, "0" * 64)


@pytest.mark.parametrize("identifier", ["../runs/x", "", "a" * 5000])
def test_what_cannot_be_a_model_is_refused(store: Store, identifier: str) -> None:
    with pytest.raises(InvalidInputError, match="64 lower-case") as caught:
        get_model(store, identifier)
    assert caught.value.field == "model_id"


@pytest.mark.parametrize("texts", [[], ["text", "  "]])
def test_blank_texts_are_refused(store: Store, texts: list[str]) -> None:
    keep(store, MULTI, "tfidf_linear")
    with pytest.raises(InvalidInputError, match="no text"):
        predict_texts(store, next(list_models(store)).id, texts)
