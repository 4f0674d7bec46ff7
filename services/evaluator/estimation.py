"""The t procedure for the mean difference of two arms over replicates and test families."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from services.domain.errors import InvalidInputError
from services.domain.measurement import Interval
from services.evaluator.classification import Floats
from services.evaluator.influence import ArmScores

# Differences of F1 over the same counts agree to rounding; anything above it is variation.
ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class VarianceParts:
    """The pieces of the variance of a mean difference.

    Attributes:
        replicates: s2_r / R, 0 with one replicate.
        documents: V_doc, the variance over test families of the mean influence, over T.
        interaction: V_int, the part of `documents` that more replicates would remove.
        replicate_count: R.
        family_count: T.
    """

    replicates: float
    documents: float
    interaction: float
    replicate_count: int
    family_count: int


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean difference with its uncertainty.

    Attributes:
        variance: V; 0 means that no test is possible.
        conditional: The uncertainty is over test families only.
    """

    effect: float
    variance: float
    degrees_of_freedom: float
    conditional: bool
    parts: VarianceParts

    @property
    def standard_error(self) -> float:
        """Square root of the variance."""
        return float(np.sqrt(self.variance))

    @property
    def p_greater(self) -> float:
        """One-sided p against "not above 0"."""
        return float(special.stdtr(self.degrees_of_freedom, -self.effect / self.standard_error))

    @property
    def p_less(self) -> float:
        """One-sided p against "not below 0"."""
        return float(special.stdtr(self.degrees_of_freedom, self.effect / self.standard_error))

    @property
    def p_value(self) -> float:
        """Two one-sided hypotheses: twice the smaller, at most 1."""
        return min(1.0, 2.0 * min(self.p_greater, self.p_less))

    def interval(self, level: float) -> Interval:
        """Return the two-sided t interval of a level in 0..1."""
        half = t_quantile((1.0 + level) / 2.0, self.degrees_of_freedom) * self.standard_error
        return Interval(self.effect - half, self.effect + half, level)


def t_quantile(probability: float, degrees_of_freedom: float) -> float:
    """Return Student's t quantile; the degrees of freedom need not be whole."""
    return float(special.stdtrit(degrees_of_freedom, probability))


def estimate_difference(treatment: ArmScores, control: ArmScores, *, fixed_real: bool = False) -> Estimate:
    """Estimate treatment minus control over replicates and test families.

    Args:
        treatment: R replicates over T families.
        control: The same replicates and families.
        fixed_real: Read the training sets as given ("this file"): the variance is that over
            test families alone. One replicate allows nothing else.

    Raises:
        InvalidInputError: Replicates or families do not pair, or T < 2.

    Source: crossed random effects, Owen (2007) AOAS 1:386-411; degrees of freedom after
        Satterthwaite (1946) Biometrics Bulletin 2:110-114.
    """
    require_pairs(treatment, control)
    differences = treatment.values - control.values
    parts = variance_parts(differences, treatment.influence - control.influence)
    effect = float(differences.mean())
    if fixed_real or parts.replicate_count == 1:
        return Estimate(effect, parts.documents, parts.family_count - 1.0, True, parts)
    variance = parts.replicates + max(0.0, parts.documents - parts.interaction)
    if parts.replicates == 0.0:
        return Estimate(effect, variance, parts.family_count - 1.0, parts.documents > 0.0, parts)
    return Estimate(effect, variance, satterthwaite(variance, parts), False, parts)


def variance_parts(differences: Floats, influence: Floats) -> VarianceParts:
    """Split the variation of paired differences.

    Args:
        differences: Shape (R,).
        influence: Shape (R, T), treatment minus control.
    """
    replicates, families = influence.shape
    means = influence.mean(axis=0)
    documents = float(means.var(ddof=1)) / families
    if replicates == 1:
        return VarianceParts(0.0, documents, 0.0, 1, families)
    constant = np.ptp(differences) <= ROUNDING
    between = 0.0 if constant else float(differences.var(ddof=1)) / replicates
    residual = float(np.square(influence - means).sum())
    interaction = residual / ((replicates - 1) * (families - 1)) / (replicates * families)
    return VarianceParts(between, documents, interaction, replicates, families)


def satterthwaite(variance: float, parts: VarianceParts) -> float:
    """Return the degrees of freedom, held between R - 1 and T - 1."""
    low, high = parts.replicate_count - 1.0, parts.family_count - 1.0
    spread = parts.replicates**2 / low + parts.documents**2 / high
    return float(min(max(variance**2 / spread, low), max(low, high)))


def require_pairs(treatment: ArmScores, control: ArmScores) -> None:
    """Raise unless both arms have the same replicates and at least two test families."""
    if treatment.influence.shape != control.influence.shape:
        raise InvalidInputError(
            f"treatment has {_extent(treatment)} and control {_extent(control)}; "
            "give one prediction per replicate on both sides, over one test corpus",
            field="contrasts",
        )
    if treatment.influence.shape[1] < 2:
        raise InvalidInputError("an interval needs two test families or more", field="truth")


def _extent(scores: ArmScores) -> str:
    replicates, families = scores.influence.shape
    return f"{replicates} replicates over {families} families"
