"""Runs of the fine-tuned family on the small checkpoint."""

from typing import Any

import numpy as np

from services.classifier.specification import TrainingSpec
from services.classifier.training import train
from services.domain.task import Task
from services.storage.store import Store
from tests.unit.classifier.separable import MULTI, separable_corpus, separable_spec

FAMILY = "fine_tuned_encoder"


def spec_of(store: Store, checkpoint: str, task: Task = MULTI, **changes: Any) -> TrainingSpec:
    """Return a run of two plans with settings under which the small checkpoint learns in a second."""
    parameters: dict[str, Any] = {
        "checkpoint": checkpoint,
        "freeze": 1,
        "steps": 48,
        "learning_rate": 2e-3,
        "head_factor": 100.0,
    }
    parameters |= changes.pop("parameters", {})
    return separable_spec(store, task, FAMILY, parameters=parameters, **changes)


def run(store: Store, spec: TrainingSpec) -> list[Any]:
    """Train, and return arrays and metadata of each result."""
    answer = train({"store": str(store.root), "spec": spec}, lambda _: None)
    return [store.get_arrays(reference) for reference in answer["results"]]


def right(scores: np.ndarray, truth: np.ndarray) -> float:
    """Return how often the highest score is that of a true label."""
    return float(truth[np.arange(len(truth)), scores.argmax(axis=1)].mean())


def copied(spec: TrainingSpec, store: Store) -> TrainingSpec:
    """Put the corpora of a run into another store and return the run."""
    for name, count in (("train", 60), ("test", 40)):
        store.put_corpus(separable_corpus(MULTI, count, name))
    return spec
