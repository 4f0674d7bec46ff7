"""Classifier families: one module each, found by scanning this folder.

A family reads a run's documents once (`prepare`) and then fits any number of
training sets over them, each under several weightings: all of its documents,
then all without one fold.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from services.classifier.parameters import Parameters
from services.domain.artifact import ArtifactRef
from services.domain.registry import Registry
from services.domain.task import TaskType
from services.storage.store import Store

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
    """

    type: TaskType
    rows: Rows
    truth: npt.NDArray[np.bool_]
    weights: Floats


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

    def scores(self, rows: Rows) -> Floats:
        """Return probabilities of some rows of the source, shape (n, labels)."""
        ...

    def model(self) -> Model:
        """Return the classifier apart from its source."""
        ...


class Prepared(Protocol):
    """A family's features of one source. Used from several threads at once."""

    def fit(self, examples: Examples) -> tuple[Fitted, ...]:
        """Return one classifier per weighting."""
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
        """The objectives a stage may have."""
        ...

    @property
    def stages(self) -> int:
        """How many stages a plan may have."""
        ...

    @property
    def encodes(self) -> bool:
        """Whether it reads sentence embeddings; its sources then have one for each stored block."""
        ...

    def prepare(self, source: Source, parameters: Any) -> Prepared:
        """Read the documents once."""
        ...

    def scores(self, model: Model, source: Source) -> Floats:
        """Return a written-down model's probabilities for all rows of a source."""
        ...


FAMILIES: Registry[Family] = Registry("families", __name__)
