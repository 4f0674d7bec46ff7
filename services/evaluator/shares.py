"""Means over replicates, and ratios of two of them.

A share of a gain is a ratio of two means of the same replicates. Its interval is Fieller's,
which is honest about a denominator that is known badly, where a percentile or a delta
interval is not.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from services.domain.measurement import Interval
from services.evaluator.classification import Floats
from services.evaluator.estimation import ROUNDING, t_quantile


class ReplicateMean(NamedTuple):
    """A mean over R replicates.

    Attributes:
        standard_error: s / sqrt(R); None with one replicate, 0.0 where they do not differ.
    """

    mean: float
    standard_error: float | None
    replicate_count: int

    def interval(self, level: float) -> Interval | None:
        """Return the t interval with R - 1 degrees of freedom; None without variance."""
        if not self.standard_error:
            return None
        half = t_quantile((1.0 + level) / 2.0, self.replicate_count - 1) * self.standard_error
        return Interval(self.mean - half, self.mean + half, level)


class Ratio(NamedTuple):
    """A ratio of two means.

    Attributes:
        interval: None where g is 1 or more and the ratio could be anything.
        g: (t SE / mean)^2 of the denominator: 1 where its interval just reaches 0.
    """

    value: float
    interval: Interval | None
    g: float


def over_replicates(values: Floats) -> ReplicateMean:
    """Return the mean of values of shape (R,), R >= 1, with its standard error."""
    if len(values) == 1:
        return ReplicateMean(float(values[0]), None, 1)
    constant = np.ptp(values) <= ROUNDING
    error = 0.0 if constant else float(values.std(ddof=1) / np.sqrt(len(values)))
    return ReplicateMean(float(values.mean()), error, len(values))


def fieller_g(values: Floats, level: float = 0.95) -> float:
    """Return (t SE / mean)^2 of a denominator of shape (R,), R >= 2 and mean not 0."""
    t = t_quantile((1.0 + level) / 2.0, len(values) - 1)
    return float(t**2 * values.var(ddof=1) / len(values) / values.mean() ** 2)


def fieller_ratio(numerators: Floats, denominators: Floats, level: float = 0.95) -> Ratio:
    """Return mean(numerators) / mean(denominators) with Fieller's interval.

    Args:
        numerators: Shape (R,), R >= 2, paired with the denominators by replicate.
        denominators: Shape (R,), with a mean other than 0.

    Source: Fieller (1954), JRSS B 16:175-185, with t of R - 1 degrees of freedom.
    """
    count = len(numerators)
    top, bottom = float(numerators.mean()), float(denominators.mean())
    covariance = np.cov(numerators, denominators, ddof=1) / count
    vaa, vab, vbb = float(covariance[0, 0]), float(covariance[0, 1]), float(covariance[1, 1])
    ratio, g = top / bottom, fieller_g(denominators, level)
    if g >= 1.0:
        return Ratio(ratio, None, g)
    # g * vab / vbb and g * vab^2 / vbb without dividing by a variance that may be 0.
    slope = t_quantile((1.0 + level) / 2.0, count - 1) / bottom
    shift = slope**2 * vab
    spread = vaa - 2.0 * ratio * vab + ratio**2 * vbb - slope**2 * (vaa * vbb - vab**2)
    half = abs(slope) * np.sqrt(max(0.0, spread))
    low, high = (ratio - shift - half) / (1.0 - g), (ratio - shift + half) / (1.0 - g)
    return Ratio(ratio, Interval(float(low), float(high), level), g)
