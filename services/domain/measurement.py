"""A number with what is needed to trust it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from services.domain.errors import InvalidInputError


@dataclass(frozen=True, slots=True)
class Interval:
    """A confidence interval; `level` in (0, 1)."""

    low: float
    high: float
    level: float


@dataclass(frozen=True, slots=True)
class Measurement:
    """One metric of one thing.

    `value` is None where the metric is undefined, and `undefined_reason` says
    why. `threshold_rule` is empty for metrics without a threshold.
    `sample_count` counts the documents, queries or pairs measured.

    Raises:
        InvalidInputError: Value and reason are both given or both missing.
    """

    metric: str
    value: float | None
    sample_count: int
    threshold_rule: str = ""
    undefined_reason: str = ""
    interval: Interval | None = None
    estimates: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if (self.value is None) == (not self.undefined_reason):
            raise InvalidInputError(
                f"{self.metric}: a measurement has either a value or a reason why not", field="value"
            )
