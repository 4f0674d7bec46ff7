"""What a design can find, before and after it ran."""

from __future__ import annotations

from typing import NamedTuple

from scipy import special

from services.domain.errors import InvalidInputError, PreconditionError
from services.evaluator.estimation import VarianceParts, satterthwaite, t_quantile

PILOT_BOUND = 0.80
MINIMUM_PILOT_REPLICATES = 4


class Pilot(NamedTuple):
    """Variances seen in an earlier run of the same kind.

    Attributes:
        replicate_variance: s2_r of the difference.
        document_variance: V_doc * T, the variance of a family's mean influence.
        replicates: Replicates it was estimated from.
        families: Test families it was estimated from.
    """

    replicate_variance: float
    document_variance: float
    replicates: int
    families: int


def minimum_detectable_effect(
    standard_error: float,
    degrees_of_freedom: float,
    *,
    claims: int = 1,
    alpha: float = 0.05,
    power: float = 0.80,
) -> float:
    """Return (t_alpha + t_power) * SE, with alpha halved and divided by the number of claims.

    Halved because a verdict needs twice the smaller one-sided p below alpha; with
    alpha itself the power would be about .70, not .80. Divided because that is the
    first and hardest of Holm's steps.
    """
    needed = t_quantile(1.0 - alpha / (2 * claims), degrees_of_freedom)
    return (needed + t_quantile(power, degrees_of_freedom)) * standard_error


def planned_effect(
    pilot: Pilot, replicates: int, families: int, *, claims: int = 1, alpha: float = 0.05, power: float = 0.80
) -> float:
    """Return the smallest effect a planned design finds, from a pilot's variances.

    Both variances enter at their upper 80 % bound: a pilot knows them badly.

    Raises:
        PreconditionError: The pilot has fewer than four replicates.
        InvalidInputError: The plan has fewer than two replicates or families.
    """
    if pilot.replicates < MINIMUM_PILOT_REPLICATES:
        raise PreconditionError(
            f"a pilot of {pilot.replicates} replicates says too little about their variance; "
            f"{MINIMUM_PILOT_REPLICATES} would do"
        )
    if replicates < 2 or families < 2:
        raise InvalidInputError(
            "a plan needs two replicates and two test families or more", field="replicates"
        )
    between = _upper(pilot.replicate_variance, pilot.replicates - 1) / replicates
    documents = _upper(pilot.document_variance, pilot.families - 1) / families
    variance = between + documents
    if variance == 0.0:
        return 0.0
    parts = VarianceParts(between, documents, 0.0, replicates, families)
    freedom = satterthwaite(variance, parts)
    return minimum_detectable_effect(variance**0.5, freedom, claims=claims, alpha=alpha, power=power)


def _upper(variance: float, degrees_of_freedom: int) -> float:
    """Return the one-sided upper bound of a variance at the pilot's level."""
    # chdtri takes the upper tail, so this is the lower 20 % point of chi squared.
    return variance * degrees_of_freedom / float(special.chdtri(degrees_of_freedom, PILOT_BOUND))
