"""24 plans of the study, each fitted once: the linear families against one model per label.

Four regimes, two replicates, three arms: the real documents, their row twin, the
oracle's documents beside them. The 61 labels with the most documents.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from flows.design import Design
from services.classifier.families import Examples, Prepared
from services.classifier.pool import Support
from services.classifier.training import Run, open_run
from services.domain.task import TaskType
from tests.benchmarks.comparison import Comparison
from tests.benchmarks.notebook import Flags, Scores, micro_f1
from tests.benchmarks.reduced_study import FULL, reduced_study
from tests.benchmarks.timing import in_turns

ARMS = ("real_only", "row_twin:oracle", "synthesis:oracle")
LABELS = 61


class Plan(NamedTuple):
    """One training set: rows of the pool, each once with its weight, and their labels."""

    support: Support
    truth: Flags

    @property
    def times(self) -> np.ndarray:
        return self.support.weights.astype(np.int64)


class Task(NamedTuple):
    """All that both sides are given.

    Args:
        run: The opened training run, for its documents.
        plans: What is fitted.
        labels: Columns of the task's labels.
    """

    run: Run
    plans: tuple[Plan, ...]
    labels: np.ndarray

    @property
    def test_rows(self) -> np.ndarray:
        return self.run.documents.test_rows

    @property
    def test_truth(self) -> Flags:
        truth: Flags = self.run.documents.truth[self.test_rows][:, self.labels]
        return truth

    @property
    def texts(self) -> np.ndarray:
        return np.array(self.run.documents.texts, object)


Peer = Callable[[Task, Plan], Scores]


class Side(NamedTuple):
    """A peer: CPU seconds of ours and its own, and the largest difference of micro-F1 to the converged fits."""

    peer: str
    ours_seconds: float
    peer_seconds: float
    ours_apart: float
    peer_apart: float

    def compared(self, task: Task, tolerance: float, goal: float | None, reason: str) -> Comparison:
        """Return the row of the table."""
        return Comparison(
            f"{len(task.plans)} plans × {len(task.labels)} labels",
            self.peer,
            self.ours_seconds,
            self.peer_seconds,
            self.ours_apart,
            tolerance,
            f"largest ΔF1 to the converged fit (the peer's own {self.peer_apart:.2g})",
            goal,
            reason,
        )


@contextmanager
def opened(family: str, design: Design = FULL, labels: int = LABELS) -> Iterator[Task]:
    """Yield the plans of a reduced study, every library held to one thread."""
    with reduced_study(design) as study, threadpool_limits(1):
        cells = [c for c in study.cells if c.family == family and c.arm.name in ARMS]
        run = open_run(study.study.store, study.specification(family, cells))
        yield Task(_uncounted(run), tuple(_plans(run, labels)), _most_frequent(run, labels))


def compare(task: Task, peers: Mapping[str, Peer], converged: Peer, repeats: int) -> list[Side]:
    """Fit every plan by ours and by each peer, and once more by the one that goes to the end, untimed."""
    ours_scores(task)  # Compiles.
    sides = [lambda peer=peer: [peer(task, plan) for plan in task.plans] for peer in peers.values()]
    ours, *theirs = in_turns(repeats, lambda: ours_scores(task), *sides)
    truth = [converged(task, plan) for plan in task.plans]
    return [
        Side(
            name,
            ours.seconds,
            peer.seconds,
            _apart(task, ours.result, truth),
            _apart(task, peer.result, truth),
        )
        for name, peer in zip(peers, theirs, strict=True)
    ]


def ours_scores(task: Task) -> list[Scores]:
    """Return every plan's test scores, the documents read once."""
    prepared: Prepared = task.run.family.prepare(task.run.source, task.run.parameters)
    found = []
    for plan in task.plans:
        weights = plan.support.weights[:, None]
        (fitted,) = prepared.fit(Examples(TaskType.MULTI_LABEL, plan.support.rows, plan.truth, weights))
        found.append(fitted.scores(task.test_rows))
    return found


def _plans(run: Run, labels: int) -> Iterator[Plan]:
    columns = _most_frequent(run, labels)
    for plan in run.spec.plans:
        support = run.documents.support(plan.stages[0].parts)
        yield Plan(support, run.documents.truth[support.rows][:, columns])


def _uncounted(run: Run) -> Run:
    """Return a run whose words are counted each time that it is prepared, and not found in the store."""
    if run.family.encodes:
        return run
    blocks = tuple(replace(block, corpus=None) for block in run.source.blocks)
    return replace(run, source=replace(run.source, blocks=blocks))


def _most_frequent(run: Run, labels: int) -> np.ndarray:
    counts = run.documents.truth.sum(axis=0)
    return np.sort(np.argsort(-counts, kind="stable")[:labels])


def _apart(task: Task, ours: list[Scores], theirs: list[Any]) -> float:
    truth = task.test_truth
    pairs = zip(ours, theirs, strict=True)
    return max(abs(micro_f1(one, truth) - micro_f1(other, truth)) for one, other in pairs)
