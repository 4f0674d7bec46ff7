"""How an audit is run."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from services.domain.errors import InvalidInputError


@dataclass(frozen=True, slots=True)
class AuditOptions:
    """Settings that change numbers.

    Attributes:
        family: Classifier family.
        parameters: The family's parameters.
        encoder: What distances, and families that need vectors, see of a text.
        replicates: Redraws of "this generator".
        twins: Draws of the control's copies in "this file", averaged.
        folds: For thresholds, and for cross-fitting where there is no test file.
        margin: Differences within +- margin do not matter; in units of micro-F1.
        minimum_families: Test families below which there is no verdict.
        full_test: Below this number a verdict says "small test".

    Raises:
        InvalidInputError: A number is outside its range.
    """

    family: str = "tfidf_linear"
    parameters: Mapping[str, Any] = field(default_factory=dict)
    encoder: str = "lsa"
    replicates: int = 8
    twins: int = 4
    folds: int = 5
    margin: float = 0.02
    seed: int = 2605
    minimum_families: int = 100
    full_test: int = 200

    def __post_init__(self) -> None:
        _require(self.replicates >= 2, "replicates", "at least 2 (5 for a verdict)", self.replicates)
        _require(self.twins >= 1, "twins", "at least 1", self.twins)
        _require(self.folds >= 2, "folds", "at least 2", self.folds)
        _require(0.0 < self.margin < 1.0, "margin", "between 0 and 1", self.margin)
        _require(0 <= self.seed < 2**63, "seed", "in 0..2^63", self.seed)


def _require(holds: bool, name: str, wanted: str, found: float) -> None:
    if not holds:
        raise InvalidInputError(f"{name} must be {wanted}, not {found}", field=name)
