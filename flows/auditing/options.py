"""How an audit is run."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from services.classifier.families import FAMILIES
from services.domain.errors import InvalidInputError, NotFoundError
from services.domain.nearness import did_you_mean
from services.domain.registry import Registry
from services.domain.task import TaskType
from services.features.encoders import ENCODERS
from services.features.named import is_checkpoint


@dataclass(frozen=True, slots=True)
class AuditOptions:
    """Settings that change numbers.

    Attributes:
        family: Classifier family.
        parameters: The family's parameters.
        encoder: What distances, and families that need vectors, see of a text; "" takes what
            suits the family.
        replicates: Redraws of "this generator".
        twins: Draws of the control's copies in "this file", averaged.
        folds: For thresholds, and for cross-fitting where there is no test file.
        margin: Differences within +- margin do not matter; in units of micro-F1.
        minimum_families: Test families below which there is no verdict.
        full_test: Below this number a verdict says "small test".

    Raises:
        InvalidInputError: There is no such family or encoder, or a number is outside its range.
    """

    family: str = "tfidf_linear"
    parameters: Mapping[str, Any] = field(default_factory=dict)
    encoder: str = ""
    replicates: int = 8
    twins: int = 4
    folds: int = 5
    margin: float = 0.02
    seed: int = 2605
    minimum_families: int = 100
    full_test: int = 200

    def __post_init__(self) -> None:
        if not self.encoder:
            object.__setattr__(self, "encoder", default_encoder(self.family))
        _require_known(FAMILIES, self.family, "family")
        if not is_checkpoint(self.encoder):
            _require_known(ENCODERS, self.encoder, "encoder")
        _require(self.replicates >= 2, "replicates", "at least 2 (5 for a verdict)", self.replicates)
        _require(self.twins >= 1, "twins", "at least 1", self.twins)
        _require(self.folds >= 2, "folds", "at least 2", self.folds)
        _require(0.0 < self.margin < 1.0, "margin", "between 0 and 1", self.margin)
        _require(0 <= self.seed < 2**63, "seed", "in 0..2^63", self.seed)

    def threshold_folds(self, task_type: TaskType) -> int:
        """Return the folds of the out-of-fold scores that tune the threshold.

        A single-label task decides by the best label and has no threshold; two folds are the
        least that the classifier service takes.
        """
        return 2 if task_type is TaskType.SINGLE_LABEL else self.folds


def default_encoder(family: str) -> str:
    """Return an encoder that needs no model, unless the family reads vectors.

    Raises:
        InvalidInputError: There is no such family.
    """
    _require_known(FAMILIES, family, "family")
    return "minilm" if FAMILIES.get(family).encodes else "lsa"


def options_of(settings: Mapping[str, Any]) -> AuditOptions:
    """Return options from single settings.

    Raises:
        InvalidInputError: There is no such setting.
    """
    known = [one.name for one in fields(AuditOptions)]
    unknown = sorted(set(settings) - set(known))
    if unknown:
        raise InvalidInputError(
            f"an audit has no setting {unknown[0]!r}; there are: {', '.join(known)}"
            f"{did_you_mean(unknown[0], known)}",
            field=unknown[0],
        )
    return AuditOptions(**settings)


def _require_known(registry: Registry[Any], name: str, field_name: str) -> None:
    try:
        registry.get(name)
    except NotFoundError as error:
        raise InvalidInputError(error.message, field=field_name) from None


def _require(holds: bool, name: str, wanted: str, found: float) -> None:
    if not holds:
        raise InvalidInputError(f"{name} must be {wanted}, not {found}", field=name)
