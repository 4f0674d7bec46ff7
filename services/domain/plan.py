"""What a classifier is trained on: weighted rows of immutable segments."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from services.domain.digest import spec_digest
from services.domain.errors import InvalidInputError

LOG_LOSS = "log_loss"


@dataclass(frozen=True)
class Part:
    """Rows of one segment and their weights.

    Args:
        segment: SHA-256 of the corpus artifact.
        rows: Shape (n,), each row at most once.
        weights: Shape (n,), positive. A copy of a document is weight, not a row.
        scored: These are the regime's own real documents: they get out-of-fold
            scores. Synthetic rows never do.
        predicted: These documents' own labels are hidden: they are trained on with
            those that the model of the stage's other parts predicts.

    Raises:
        InvalidInputError: Shapes differ, a row repeats, a weight is not positive, or
            hidden labels would be scored.
    """

    segment: str
    rows: npt.NDArray[np.int64]
    weights: npt.NDArray[np.float32]
    scored: bool
    predicted: bool = False

    def __post_init__(self) -> None:
        rows = np.asarray(self.rows, dtype=np.int64)
        weights = np.asarray(self.weights, dtype=np.float32)
        if rows.ndim != 1 or rows.shape != weights.shape or not len(rows):
            raise InvalidInputError(
                f"a part needs rows and one weight per row, not {rows.shape} and {weights.shape}",
                field="plan.rows",
            )
        if len(np.unique(rows)) != len(rows) or rows.min() < 0:
            raise InvalidInputError("a part's rows must be distinct and not negative", field="plan.rows")
        if not (np.isfinite(weights).all() and (weights > 0).all()):
            raise InvalidInputError("a part's weights must be positive and finite", field="plan.weights")
        if self.scored and self.predicted:
            raise InvalidInputError(
                "a part whose labels are hidden cannot be scored against them", field="plan.scored"
            )
        object.__setattr__(self, "rows", rows)
        object.__setattr__(self, "weights", weights)

    def specification(self) -> dict[str, object]:
        """Return what identifies this part, ready for JSON; given labels add nothing."""
        hidden = {"predicted": True} if self.predicted else {}
        return {
            "segment": self.segment,
            "rows": self.rows.tolist(),
            "weights": [float(w) for w in self.weights],
            "scored": self.scored,
            **hidden,
        }


@dataclass(frozen=True)
class Stage:
    """Parts trained on together, under one objective: a name, or a name with constants, "focal(gamma=1)"."""

    parts: tuple[Part, ...]
    objective: str = LOG_LOSS

    @property
    def document_count(self) -> float:
        """The sum of all weights: how large the training set is, copies included."""
        return float(sum(part.weights.sum(dtype=np.float64) for part in self.parts))


@dataclass(frozen=True)
class TrainingPlan:
    """Stages in their order; its digest mentions only the segments it uses.

    Args:
        stages: At least one, each with documents.
        strengths: Factors on all weights, among which out-of-fold scores choose; without
            any, weights stand as they are. For a convex loss k times the weights is k times C.

    Raises:
        InvalidInputError: There is no stage, a stage without parts, or a strength that is
            listed twice or not positive and finite.
    """

    stages: tuple[Stage, ...]
    strengths: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        sound = all(np.isfinite(strength) and strength > 0 for strength in self.strengths)
        if not sound or len(set(self.strengths)) != len(self.strengths):
            raise InvalidInputError(
                f"strengths are distinct positive numbers, not {list(self.strengths)}", field="plan.strengths"
            )
        if not self.stages or not all(stage.parts for stage in self.stages):
            raise InvalidInputError("a plan needs at least one stage with documents", field="plan.stages")

    @cached_property
    def digest(self) -> str:
        stages = [
            {"objective": stage.objective, "parts": [part.specification() for part in stage.parts]}
            for stage in self.stages
        ]
        if not self.strengths:
            return spec_digest(stages)
        return spec_digest({"stages": stages, "strengths": [float(s) for s in self.strengths]})

    @property
    def segments(self) -> tuple[str, ...]:
        """The corpora this plan uses, each once, in order of first use."""
        return tuple(dict.fromkeys(part.segment for stage in self.stages for part in stage.parts))
