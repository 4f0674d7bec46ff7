"""How near a corpus is to real text: one module per metric, found by scanning this folder."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from services.domain.measurement import Interval
from services.domain.registry import Registry

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
Settings = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Sample:
    """Documents in an order that says nothing about them.

    Args:
        embeddings: Shape (n, d), finite.
        families: Shape (n,). Documents of one family depend on each other.
        weights: Shape (n,), positive; None counts every document once.
        not_exchangeable: Why whole families must not change places with those
            of the reference; empty where they may.
    """

    embeddings: Floats
    families: Codes
    weights: Doubles | None = None
    not_exchangeable: str = ""

    def __len__(self) -> int:
        return len(self.embeddings)

    @property
    def mass(self) -> Doubles:
        """Weights, shape (n,)."""
        return np.ones(len(self)) if self.weights is None else self.weights

    def take(self, rows: npt.NDArray[np.intp]) -> "Sample":
        """Return some documents."""
        weights = None if self.weights is None else self.weights[rows]
        return Sample(self.embeddings[rows], self.families[rows], weights, self.not_exchangeable)


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
        minimum_count: Fewer documents on either side are refused.
        depends_on_count: The expected value changes with the number of
            documents, so that only values at equal n compare.
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
