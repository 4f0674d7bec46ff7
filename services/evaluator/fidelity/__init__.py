"""How near a corpus is to real text: one module per metric, found by scanning this folder."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt

from services.domain.measurement import Interval
from services.domain.registry import Registry
from services.domain.task import Indicator

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
Settings = Mapping[str, float]


# Equal only to itself: what is known of a sample is kept under it (see `once`).
@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Sample:
    """Documents in an order that says nothing about them.

    Args:
        embeddings: Shape (n, d), finite.
        families: Shape (n,). Documents of one family depend on each other; one
            family has one code in all samples of a request.
        weights: Shape (n,), positive; None counts every document once.
        not_exchangeable: Why whole families must not change places with those
            of the reference; empty where they may.
        texts: n texts; None where only vectors are known.
        labels: Shape (n, labels), in the columns of the reference; None where
            the documents are of another task.
        label_names: One per column of `labels`.
    """

    embeddings: Floats
    families: Codes
    weights: Doubles | None = None
    not_exchangeable: str = ""
    texts: tuple[str, ...] | None = None
    labels: Indicator | None = None
    label_names: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.embeddings)

    @property
    def mass(self) -> Doubles:
        """Weights, shape (n,)."""
        return np.ones(len(self)) if self.weights is None else self.weights

    def take(self, rows: npt.NDArray[np.intp]) -> "Sample":
        """Return some documents."""
        return replace(
            self,
            embeddings=self.embeddings[rows],
            families=self.families[rows],
            weights=None if self.weights is None else self.weights[rows],
            texts=None if self.texts is None else tuple(self.texts[i] for i in rows),
            labels=None if self.labels is None else self.labels[rows],
        )


@dataclass(frozen=True, slots=True)
class Estimate:
    """A metric of one corpus; `value` is None where `undefined_reason` says why."""

    value: float | None
    sample_count: int
    interval: Interval | None = None
    undefined_reason: str = ""
    estimates: Mapping[str, float] = field(default_factory=dict)


class FidelityMetric(Protocol):
    """Measures many corpora against one reference.

    Attributes:
        description: One or two sentences for a person who chooses.
        version: Raised whenever a value changes.
        lower_is_better: Whether a smaller value is nearer to real text.
        minimum_count: With fewer documents on either side the metric is undefined.
        depends_on_count: The expected value changes with the number of
            documents, so that only values at equal n compare: it is measured
            on equally many documents of both sides, drawn anew several times.
        has_scale: Whether a value between floor and ceiling means something.
    """

    description: str
    version: int
    lower_is_better: bool
    minimum_count: int
    depends_on_count: bool
    has_scale: bool

    def settings(self, reference: Sample) -> Settings:
        """Estimate once, on the whole reference, what all corpora share."""

    def __call__(
        self,
        reference: Sample,
        corpora: Sequence[Sample],
        settings: Settings,
        rngs: Sequence[np.random.Generator],
    ) -> tuple[Estimate, ...]:
        """Measure every corpus; its own generator keeps it independent of the others."""


METRICS: Registry[FidelityMetric] = Registry("metrics", __name__)
