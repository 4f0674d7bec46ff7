"""Small corpora whose labels can be read off their words, and embeddings to match."""

from typing import Any

import numpy as np

from services.classifier.specification import TrainingSpec
from services.domain.artifact import ArtifactRef
from services.domain.corpus import Corpus
from services.domain.document import Document
from services.domain.plan import Part, Stage, TrainingPlan
from services.domain.task import Task, TaskType
from services.storage.store import Store

LABELS = ("crutch", "hearing", "prosthesis", "wheelchair")
MULTI = Task(TaskType.MULTI_LABEL, LABELS)
SINGLE = Task(TaskType.SINGLE_LABEL, LABELS)


def separable_corpus(task: Task, count: int, name: str) -> Corpus:
    """Return documents that name each of their labels twice among words of no meaning."""
    rng = np.random.default_rng(len(name) + count)
    documents = []
    for i in range(count):
        size = 1 if task.type is TaskType.SINGLE_LABEL else 1 + i % 2
        labels = tuple(str(label) for label in rng.choice(LABELS, size, replace=False))
        noise = [f"word{k}" for k in rng.integers(0, 12, 8)]
        text = " ".join([*labels, *labels, *noise])
        documents.append(Document(f"{name}-{i}", text, labels, f"{name}-family-{i // 2}"))
    return Corpus(task, tuple(documents))


def embed(corpus: Corpus) -> np.ndarray:
    """Return unit vectors in which every label has a direction of its own, shape (n, 16)."""
    rng = np.random.default_rng(3)
    vectors = corpus.indicator @ rng.normal(size=(len(LABELS), 16)) + rng.normal(0, 0.2, (len(corpus), 16))
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def stored_embeddings(store: Store, *corpora: Corpus) -> dict[str, ArtifactRef]:
    """Store corpora and their embeddings; return the latter by the corpus's SHA-256."""
    return {store.put_corpus(c).sha256: store.put_arrays({"embeddings": embed(c)}, {}) for c in corpora}


def whole(segment: ArtifactRef, scored: bool = True) -> Part:
    """Return a part that takes every document once."""
    return part(segment, range(segment.row_count), scored)


def part(segment: ArtifactRef, rows: range | list[int], scored: bool = True, weight: float = 1.0) -> Part:
    """Return a part with equal weights."""
    return Part(segment.sha256, np.array(rows), np.full(len(rows), weight, np.float32), scored)


def plan(*parts: Part) -> TrainingPlan:
    """Return a plan of one stage."""
    return TrainingPlan((Stage(parts),))


def separable_spec(store: Store, task: Task, family: str, **changes: Any) -> TrainingSpec:
    """Return a run of two plans: all real documents, and half of them with copies."""
    train, test = separable_corpus(task, 60, "train"), separable_corpus(task, 40, "test")
    segment, tested = store.put_corpus(train), store.put_corpus(test)
    twin = plan(part(segment, range(30)), part(segment, range(10), scored=False, weight=2.0))
    values: dict[str, Any] = {
        "task": task,
        "family": family,
        "parameters": {},
        "segments": (segment,),
        "plans": (plan(whole(segment)), twin),
        "test": tested,
        "embeddings": stored_embeddings(store, train, test) if family == "frozen_encoder" else {},
        "encoder": "planted",
        "folds": 3,
        "seed": 7,
    }
    return TrainingSpec(**{**values, **changes})
