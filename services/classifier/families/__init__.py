"""Classifier families: one module each, found by scanning this folder.

A family reads a run's documents once (`prepare`) and then fits any number of
training sets over them. Where a refit is cheap, each is fitted under several weightings: all
of its documents, then all without one fold. Else it is fitted once, without an
inner fifth.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from services.classifier.parameters import Parameters
from services.domain.artifact import ArtifactRef
from services.domain.plan import LOG_LOSS
from services.domain.registry import Registry
from services.domain.task import TaskType
from services.storage.store import Store

FOLDS, INNER_FIFTH = "folds", "inner_fifth"

Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class TextBlock:
    """Some texts in order; stored ones carry their corpus, and their features are kept."""

    texts: tuple[str, ...]
    corpus: ArtifactRef | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """The documents of a run, block after block; rows count through all of them.

    Args:
        store: Where features are looked up and kept.
        blocks: The texts.
        embeddings: Sentence embeddings by corpus SHA-256.
        encoder: The encoder of the embeddings.
    """

    store: Store
    blocks: tuple[TextBlock, ...]
    embeddings: Mapping[str, ArtifactRef]
    encoder: str


@dataclass(frozen=True, slots=True)
class Examples:
    """A training set under several weightings.

    Args:
        type: Decides between sigmoid and softmax.
        rows: Shape (n,), distinct rows of the source.
        truth: Shape (n, labels).
        weights: Shape (n, weightings), not negative; 0 leaves a document out.
        objective: What is minimised, as the stage writes it.
        seed: Of the run, for families that draw.
        held: Rows of the source to stop by, for families with an inner fifth. Then the first
            weighting leaves the fifth out, and the second is of all documents.
        held_truth: Shape (held, labels).
        before: Earlier stages of the same plan, in order, for families that take several.
    """

    type: TaskType
    rows: Rows
    truth: npt.NDArray[np.bool_]
    weights: Floats
    objective: str = LOG_LOSS
    seed: int = 0
    held: Rows = field(default_factory=lambda: np.zeros(0, np.int64))
    held_truth: npt.NDArray[np.bool_] = field(default_factory=lambda: np.zeros((0, 0), bool))
    before: tuple["Examples", ...] = ()


@dataclass(frozen=True, slots=True)
class Model:
    """A fitted model, written down: everything `Family.scores` needs."""

    arrays: Mapping[str, np.ndarray]
    metadata: Mapping[str, str]


class Fitted(Protocol):
    """One fitted classifier over its source."""

    @property
    def estimates(self) -> Mapping[str, float]:
        """What is worth knowing of the fit, for example {"constant_labels": 3}."""
        ...

    @property
    def notes(self) -> Mapping[str, str]:
        """What it was computed with, for example {"precision": "bf16"}; empty where there is no choice."""
        ...

    def scores(self, rows: Rows) -> Floats:
        """Return probabilities of some rows of the source, shape (n, labels)."""
        ...

    def model(self) -> Model:
        """Return the classifier apart from its source."""
        ...


class Prepared(Protocol):
    """A family's features of one source. Used from several threads at once."""

    def fit(self, examples: Examples) -> tuple[Fitted, ...]:
        """Return one classifier per weighting; with held rows the second one only if it refits."""
        ...


class Family(Protocol):
    """A kind of classifier. `version` is raised whenever its scores change."""

    @property
    def version(self) -> int: ...

    @property
    def description(self) -> str: ...

    @property
    def parameters(self) -> type[Parameters]:
        """The parameter model."""
        ...

    @property
    def objectives(self) -> tuple[str, ...]:
        """The names of the objectives a stage may have."""
        ...

    @property
    def stages(self) -> int:
        """How many stages a plan may have."""
        ...

    @property
    def encodes(self) -> bool:
        """Whether it reads sentence embeddings; its sources then have one for each stored block."""
        ...

    @property
    def is_convex(self) -> bool:
        """Whether log-loss has one minimum here, and k copies of everything are C times k."""
        ...

    @property
    def validation(self) -> str:
        """Where thresholds come from: FOLDS, refits without each fold, or INNER_FIFTH, one fit without a fifth."""
        ...

    def prepare(self, source: Source, parameters: Any) -> Prepared:
        """Read the documents once."""
        ...

    def scores(self, model: Model, source: Source) -> Floats:
        """Return a written-down model's probabilities for all rows of a source."""
        ...


@runtime_checkable
class OnDevices(Protocol):
    """A family whose numbers depend on the kind of device, by more than rounding where it draws batches its own way."""

    def computed_on(self) -> str:
        """Return the kind of device that this process computes on; "" for a processor."""


@runtime_checkable
class Pretrained(Protocol):
    """What a family has besides where its scores depend on files outside of the store."""

    def revision(self, parameters: Any) -> str:
        """Name what scores depend on beside version, parameters and documents, such as a checkpoint's bytes."""
        ...


def is_convex(family: Family) -> bool:
    """Say whether log-loss has one minimum in a family; a plug-in that does not say so counts as one without."""
    return bool(getattr(family, "is_convex", False))


FAMILIES: Registry[Family] = Registry("families", __name__)
