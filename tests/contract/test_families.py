"""What every classifier family keeps, plug-ins included."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from services.classifier.families import (
    FAMILIES,
    FOLDS,
    INNER_FIFTH,
    Examples,
    Family,
    Fitted,
    Model,
    Prepared,
    Source,
    TextBlock,
)
from services.classifier.objectives import OBJECTIVES
from services.classifier.parameters import Parameters, parameter_values, parameters_schema, read_parameters
from services.domain.corpus import Corpus
from services.domain.errors import InvalidInputError
from services.domain.plan import LOG_LOSS
from services.domain.task import Task
from services.storage.store import Store
from tests.unit.classifier.checkpoint import tiny_checkpoint
from tests.unit.classifier.separable import MULTI, SINGLE, separable_corpus, stored_embeddings

TRAIN, TEST = np.arange(60), np.arange(60, 100)

pytestmark = pytest.mark.parametrize("name", FAMILIES.names())
both_tasks = pytest.mark.parametrize("task", [MULTI, SINGLE], ids=["multi-label", "single-label"])


# A family that reads a checkpoint is tried on a small one.
SMALL: dict[str, Any] = {"freeze": 1, "steps": 60, "learning_rate": 2e-3, "head_factor": 100.0}


@pytest.fixture(scope="module", autouse=True)
def _small_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> None:
    SMALL["checkpoint"] = str(tiny_checkpoint(tmp_path_factory.mktemp("checkpoint") / "tiny"))


def parameters_of(family: Family) -> Parameters:
    reads = "checkpoint" in parameter_values(family.parameters())
    return family.parameters(**SMALL) if reads else family.parameters()


def corpora(task: Task) -> tuple[Corpus, Corpus]:
    return separable_corpus(task, 60, "train"), separable_corpus(task, 40, "test")


def source_of(store: Store, *blocks: Corpus) -> Source:
    stored = tuple(TextBlock(corpus.texts, store.put_corpus(corpus)) for corpus in blocks)
    return Source(store, stored, stored_embeddings(store, *blocks), "planted")


def examples_of(task: Task, weights: np.ndarray | None = None) -> Examples:
    truth = separable_corpus(task, 60, "train").indicator
    return Examples(task.type, TRAIN, truth, np.ones((60, 1), np.float32) if weights is None else weights)


def prepare(store: Store, name: str, task: Task) -> Prepared:
    family = FAMILIES.get(name)
    return family.prepare(source_of(store, *corpora(task)), parameters_of(family))


def fit(store: Store, name: str, task: Task, weights: np.ndarray | None = None) -> tuple[Fitted, ...]:
    return prepare(store, name, task).fit(examples_of(task, weights))


def test_it_describes_itself(name: str) -> None:
    family: Family = FAMILIES.get(name)
    assert family.description
    assert family.version >= 1
    assert LOG_LOSS in family.objectives
    assert family.validation in (FOLDS, INNER_FIFTH)
    assert family.stages >= 1
    assert set(parameter_values(family.parameters())) == set(
        parameters_schema(family.parameters)["properties"]
    )


def test_unknown_parameters_are_refused(name: str) -> None:
    with pytest.raises(InvalidInputError, match="no parameter 'colour'"):
        read_parameters(FAMILIES.get(name).parameters, {"colour": "red"}, name)


@both_tasks
def test_scores_are_probabilities_for_every_row_and_label(store: Store, name: str, task: Task) -> None:
    scores = fit(store, name, task)[0].scores(np.arange(100))
    assert scores.shape == (100, 4)
    assert scores.dtype == np.float32
    assert scores.min() >= 0
    assert scores.max() <= 1
    if task is SINGLE:
        assert scores.sum(axis=1) == pytest.approx(1, abs=1e-5)


@both_tasks
def test_it_beats_the_label_prior_on_separable_data(store: Store, name: str, task: Task) -> None:
    truth = corpora(task)[1].indicator
    scores = fit(store, name, task)[0].scores(TEST)
    prior = np.broadcast_to(corpora(task)[0].indicator.mean(axis=0), scores.shape)
    assert np.square(scores - truth).mean() < 0.5 * np.square(prior - truth).mean()


@both_tasks
def test_every_objective_it_lists_beats_the_label_prior(store: Store, name: str, task: Task) -> None:
    family, (train, test) = FAMILIES.get(name), corpora(task)
    prepared, chance = prepare(store, name, task), train.indicator.mean(axis=0)
    for objective in family.objectives:
        if task.type in OBJECTIVES.get(objective).types:
            examples = dataclasses.replace(examples_of(task), objective=objective)
            scores = prepared.fit(examples)[0].scores(TEST)
            assert _ranked_right(scores, test.indicator) > 0.8 > chance.max()


def _ranked_right(scores: np.ndarray, truth: np.ndarray) -> float:
    """Return how often the highest score is that of a true label."""
    return float(truth[np.arange(len(truth)), scores.argmax(axis=1)].mean())


@both_tasks
def test_equal_inputs_give_equal_bytes(store: Store, name: str, task: Task) -> None:
    first, second = (fit(store, name, task)[0].scores(TEST) for _ in range(2))
    assert first.tobytes() == second.tobytes()


@both_tasks
def test_a_saved_model_scores_as_the_fitted_one(store: Store, name: str, task: Task) -> None:
    fitted = fit(store, name, task)[0]
    model = fitted.model()
    loaded = Model(*store.get_arrays(store.put_arrays(model.arrays, model.metadata)))
    elsewhere = source_of(store, corpora(task)[1])
    scores = FAMILIES.get(name).scores(loaded, elsewhere)
    # Columns may be in another order, and sums of float32 with them.
    assert scores == pytest.approx(fitted.scores(TEST), abs=1e-5)


@both_tasks
def test_weightings_are_fits_of_their_own(store: Store, name: str, task: Task) -> None:
    held_out = np.ones(60, np.float32)
    held_out[:20] = 0
    together = fit(store, name, task, np.stack([np.ones(60, np.float32), held_out], axis=1))
    alone = fit(store, name, task, held_out[:, None])
    assert len(together) == 2
    # Both stop within their tolerance of one minimum.
    assert together[1].scores(TEST) == pytest.approx(alone[0].scores(TEST), abs=0.03)


def test_a_label_without_documents_has_one_score(store: Store, name: str) -> None:
    examples = examples_of(MULTI)
    truth = examples.truth.copy()
    truth[:, 2] = False
    fitted = prepare(store, name, MULTI).fit(Examples(MULTI.type, TRAIN, truth, examples.weights))[0]
    assert np.ptp(fitted.scores(TEST)[:, 2]) < 1e-6
    assert fitted.estimates["constant_labels"] == 1


def test_training_does_not_see_the_test_rows(store: Store, name: str) -> None:
    other = Store(Path(store.root).parent / "other")
    family = FAMILIES.get(name)
    scores = []
    for where, test in (
        (store, separable_corpus(MULTI, 40, "test")),
        (other, separable_corpus(MULTI, 7, "else")),
    ):
        source = source_of(where, corpora(MULTI)[0], test)
        fitted = family.prepare(source, parameters_of(family)).fit(examples_of(MULTI))[0]
        scores.append(fitted.scores(TRAIN))
    assert scores[0].tobytes() == scores[1].tobytes()
