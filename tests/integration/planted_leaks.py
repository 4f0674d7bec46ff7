"""Corpora with leaks planted between them, each of one kind, and random everything else."""

import numpy as np

from services.domain.corpus import Corpus
from services.domain.document import Document
from services.domain.seeds import stream
from services.domain.task import Task, TaskType

TASK = Task(TaskType.MULTI_LABEL, ("a",))
REAL_COUNT, DIMENSIONS = 150, 20
LONG = "a stair lift with a guide rail and a swivel seat for elderly persons who cannot climb"


def _corpus(name: str, count: int, **changed: tuple[str, str]) -> Corpus:
    """Return documents of random words, some of them given a text and a family."""
    rng = stream(3, "leakage", name)
    documents = []
    for i in range(count):
        identifier = f"{name}{i}"
        text = " ".join(f"w{k}" for k in rng.integers(0, 5000, 12))
        text, family = changed.get(identifier, (text, identifier))
        documents.append(Document(identifier, text, ("a",), family))
    return Corpus(TASK, tuple(documents))


def _directions(name: str, count: int) -> np.ndarray:
    x = stream(4, "leakage", name).normal(size=(count, DIMENSIONS)).astype(np.float32)
    return np.asarray(x / np.linalg.norm(x, axis=1, keepdims=True))


CORPORA = {
    "real": _corpus("r", REAL_COUNT, r3=("A walking stick, telescopic", "r3"), r8=(LONG, "r8")),
    "synthetic": _corpus(
        "s", 30, s4=("a WALKING stick telescopic", "s4"), s5=(LONG + " stairs", "s5"), s6=("other", "f")
    ),
    "test": _corpus("t", 20, t2=("none of these words is anywhere else", "f"), t9=("nor any here", "r20")),
}
VECTORS = {name: _directions(name, len(corpus)) for name, corpus in CORPORA.items()}
# Two random directions are never that near.
VECTORS["test"][7] = VECTORS["real"][31] + 0.1 * VECTORS["test"][7]
