"""How a training set is composed: one condition per file.

A condition is a pure function of a scene and a random generator. To add one,
write a module here that registers an object with the attributes of `Condition`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from services.domain.corpus import Corpus
from services.domain.errors import PreconditionError
from services.domain.plan import Part, Stage, TrainingPlan
from services.domain.registry import Registry

Rows = npt.NDArray[np.int64]
Role = Literal["treatment", "control", "ceiling", "baseline", "mix"]


@dataclass(frozen=True)
class Segment:
    """A corpus and the SHA-256 of its artifact."""

    sha256: str
    corpus: Corpus


def _keep_nothing(corpus: Corpus) -> Segment:
    raise PreconditionError(
        "this condition derives a corpus of its own, and there is nowhere to keep it here"
    )


@dataclass(frozen=True)
class Scene:
    """What a condition may draw from: one regime of one replicate.

    Args:
        real: The real pool.
        real_rows: The regime's rows of it.
        new_rows: Real rows outside the regime, in random order: what labelling
            further documents would bring.
        synthetic: The arm's synthetic corpus; None for conditions without one.
        count: Documents added to the regime (n_syn).
        keep: Puts a corpus that a condition derives, such as copies with other words, where plans
            may name its rows.
    """

    real: Segment
    real_rows: Rows
    new_rows: Rows
    synthetic: Segment | None
    count: int
    keep: Callable[[Corpus], Segment] = _keep_nothing

    def regime_part(self, copies: Rows | None = None) -> Part:
        """Return the regime's documents, each once plus its copies.

        Args:
            copies: Positions within `real_rows` to copy, with repetitions.
        """
        weights = np.ones(len(self.real_rows), dtype=np.float32)
        if copies is not None:
            weights += np.bincount(copies, minlength=len(self.real_rows)).astype(np.float32)
        return Part(self.real.sha256, self.real_rows, weights, scored=True)

    def new_part(self, count: int) -> Part:
        """Return the first `count` new real documents.

        Raises:
            PreconditionError: The pool has fewer.
        """
        if count > len(self.new_rows):
            raise PreconditionError(
                f"{count} new real documents are wanted, but the train pool has only {len(self.new_rows)} outside "
                "the regime; enlarge dataset.train or lower synthetic_documents"
            )
        return Part(self.real.sha256, self.new_rows[:count], np.ones(count, dtype=np.float32), scored=False)

    def written(self) -> Segment:
        """Return the synthetic corpus.

        Raises:
            PreconditionError: The scene has none, or fewer documents than wanted.
        """
        if self.synthetic is None or len(self.synthetic.corpus) < self.count:
            found = 0 if self.synthetic is None else len(self.synthetic.corpus)
            raise PreconditionError(f"the arm needs {self.count} synthetic documents, not {found}")
        return self.synthetic


@dataclass(frozen=True)
class Composition:
    """A plan, and what was estimated while composing it."""

    plan: TrainingPlan
    estimates: Mapping[str, float] = field(default_factory=dict)


class Condition(Protocol):
    """How a training set is composed.

    `version` is raised whenever plans change. `needs_synthetic` says whether
    the scene must hold a synthetic corpus. `role` is the part the condition
    plays in a contrast: a baseline has the regime's documents alone, a mix
    `count` documents in all, everything else `count` beside the regime's. What leaves
    some of them out says how many remain, in the estimate `effective_documents`.
    """

    version: str
    role: Role
    needs_synthetic: bool

    def compose(self, scene: Scene, rng: np.random.Generator, settings: Mapping[str, Any]) -> Composition:
        """Return the plan of a scene; randomness comes from `rng` alone."""


CONDITIONS: Registry[Condition] = Registry("conditions", __name__)


def single_stage(*parts: Part) -> TrainingPlan:
    """Return the plan that trains on all parts together."""
    return TrainingPlan((Stage(tuple(parts)),))


def added_part(segment: Segment, count: int) -> Part:
    """Return the first `count` documents of a corpus, each once and none scored."""
    rows = np.arange(count, dtype=np.int64)
    return Part(segment.sha256, rows, np.ones(count, dtype=np.float32), scored=False)
