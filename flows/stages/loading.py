"""Load the real documents, split them, and draw the replicates."""

from collections import Counter
from dataclasses import asdict, dataclass

import numpy as np

from flows.datasets import DATASETS
from flows.splits import Rows, Split, family_order, split_by_family
from flows.stages.context import Study
from flows.versions import LOADING
from services.domain.artifact import ArtifactRef
from services.domain.corpus import Corpus
from services.domain.errors import PreconditionError
from services.domain.seeds import stream
from services.domain.task import Task, TaskType


@dataclass(frozen=True)
class Material:
    """The real documents of a study, split; an empty reference is ''."""

    task: Task
    train: str
    test: str
    reference: str
    train_count: int
    test_count: int
    reference_count: int


@dataclass(frozen=True)
class Replicate:
    """One random order of the train pool; regimes are its beginnings."""

    order: Rows

    def regime(self, size: int) -> Rows:
        """Return the rows of a regime; smaller regimes are contained in larger ones."""
        return self.order[:size]

    def new(self, size: int) -> Rows:
        """Return the rows outside a regime, in random order of families."""
        return self.order[size:]


def load(study: Study) -> Material:
    """Load and split the real documents, or find them in the store.

    Raises:
        PreconditionError: Too few documents, or a label with fewer than two.
    """
    design = study.design.dataset
    identity = dict(DATASETS.get(design.kind).identity(design.parameters))
    specification = {
        "kind": "material",
        "version": LOADING,
        "dataset": design.model_dump(mode="json", exclude={"needs"}),
        "identity": identity,
        "seed": study.design.seed,
    }
    reference = study.store.computed(specification, lambda: _load(study))
    values = study.store.get_json(reference)
    task = values.pop("task")
    return Material(Task(TaskType(task["type"]), tuple(task["labels"])), **values)


def replicate(study: Study, train: Corpus, number: int) -> Replicate:
    """Draw one replicate's order of the train pool."""
    rng = stream(study.design.seed, "replicate", number)
    return Replicate(family_order(train, np.arange(len(train), dtype=np.int64), rng))


def _load(study: Study) -> ArtifactRef:
    design = study.design.dataset
    wanted = design.train + design.test + design.reference
    corpus = DATASETS.get(design.kind).load(
        design.parameters, wanted, study.seed("dataset"), study.clients.generator
    )
    _check_labels(corpus)
    split = split_by_family(
        corpus,
        train=design.train,
        test=design.test,
        reference=design.reference,
        rng=stream(study.design.seed, "split"),
    )
    return study.store.put_json(_stored(study, corpus, split))


def _stored(study: Study, corpus: Corpus, split: Split) -> dict[str, object]:
    found: dict[str, object] = {"task": asdict(corpus.task)}
    for name, rows in (("train", split.train), ("test", split.test), ("reference", split.reference)):
        found[name] = study.store.put_corpus(corpus.take(rows)).sha256 if len(rows) else ""
        found[f"{name}_count"] = len(rows)
    return found


def _check_labels(corpus: Corpus) -> None:
    counts = Counter(label for document in corpus.documents for label in document.labels)
    if len({document.labels for document in corpus.documents}) == 1:
        raise PreconditionError(
            f"all documents have the same labels, {', '.join(corpus.documents[0].labels)}, so that nothing is to be "
            "told apart and every score would be 1; give documents with different labels, or name another column for them",
            field="labels",
        )
    rare = [name for name in corpus.task.labels if counts[name] < 2]
    if rare:
        shown = ", ".join(f"{name!r} ({counts[name]})" for name in rare[:5])
        raise PreconditionError(
            f"{len(rare)} labels have fewer than two documents in the whole corpus, so they can be trained on or "
            f"tested, never both: {shown}; leave them out of the task or add documents",
            field="labels",
        )
