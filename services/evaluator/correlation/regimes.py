"""The difference of two dependent correlations: one fidelity, the gains of two regimes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import special

from services.domain.measurement import Interval
from services.evaluator.correlation.planning import CorrelationDifference, GainCorrelation
from services.evaluator.correlation.reconstruction import reconstruct
from services.evaluator.correlation.samples import Sample
from services.evaluator.correlation.within import LEVEL, fisher_interval, partial_r
from services.evaluator.estimation import ROUNDING


def compare_regimes(
    first: Sample, second: Sample, correlations: tuple[GainCorrelation, GainCorrelation]
) -> CorrelationDifference:
    """Compare a metric's correlations with the gains of two regimes over the same corpora.

    Args:
        first: The corpora with their gains in the first regime.
        second: The same corpora with their gains in the second.
        correlations: Theirs. A refused one refuses the difference.
    """
    r1, r2 = (one.pearson for one in correlations)
    draft = CorrelationDifference(
        metric=correlations[0].metric,
        first_pearson=r1,
        second_pearson=r2,
        gains_correlation=None,
        difference=None,
        interval95=None,
        z=None,
        p_value=None,
        reconstruction=None,
        corpus_count=correlations[0].corpus_count,
        refused=refusal(correlations),
    )
    between = partial_r(first.gain, second.gain, first.strategies)
    if draft.refused or r1 is None or r2 is None or between is None:
        return draft
    draft = replace(draft, gains_correlation=between, difference=r1 - r2)
    # The number of corpora without strategies that leaves as many degrees of freedom.
    count = len(first.gain) - first.strategy_count + 1
    draft = replace(draft, reconstruction=reconstruct(r1, count, r2, count))
    if 1.0 - between <= ROUNDING:
        return replace(draft, refused="the gains of the two regimes lie on one rising line: no test")
    z = meng_z(r1, r2, between, count)
    interval = zou_interval(r1, r2, between, count)
    return replace(draft, interval95=interval, z=z, p_value=float(2.0 * special.ndtr(-abs(z))))


def refusal(correlations: tuple[GainCorrelation, GainCorrelation]) -> str:
    """Return why two correlations cannot be compared; empty if they can."""
    return "; ".join(f"{one.regime}: {one.refused}" for one in correlations if one.refused)


def zou_interval(r1: float, r2: float, between: float, count: int) -> Interval:
    """Return the 95 % interval of r(x, y1) - r(x, y2).

    Args:
        between: r(y1, y2).
        count: Points; less strategies - 1 where the correlations are partial.

    Source: Zou (2007), Psychological Methods 12:399-413, overlapping correlations.
    """
    one, two = fisher_interval(r1, count, 1), fisher_interval(r2, count, 1)
    c = _overlap(r1, r2, between)
    below = _joint(r1 - one.low, two.high - r2, c)
    above = _joint(one.high - r1, r2 - two.low, c)
    return Interval(r1 - r2 - below, r1 - r2 + above, LEVEL)


def meng_z(r1: float, r2: float, between: float, count: int) -> float:
    """Return the z of equal r(x, y1) and r(x, y2).

    Args:
        between: r(y1, y2), below 1.
        count: Points; less strategies - 1 where the correlations are partial.

    Source: Meng, Rosenthal and Rubin (1992), Psychological Bulletin 111:172-175.
    """
    mean_square = (r1**2 + r2**2) / 2.0
    f = min((1.0 - between) / (2.0 * (1.0 - mean_square)), 1.0)
    h = (1.0 - f * mean_square) / (1.0 - mean_square)
    scale = np.sqrt((count - 3) / (2.0 * (1.0 - between) * h))
    return float((np.arctanh(r1) - np.arctanh(r2)) * scale)


def _overlap(r1: float, r2: float, between: float) -> float:
    """Return the correlation of the two estimated correlations, which share x."""
    joint = (between - r1 * r2 / 2.0) * (1.0 - r1**2 - r2**2 - between**2) + between**3
    return joint / ((1.0 - r1**2) * (1.0 - r2**2))


def _joint(first: float, second: float, c: float) -> float:
    # Rounding can push the sum of squares of two nearly equal arms a hair below zero.
    return float(np.sqrt(max(0.0, first**2 + second**2 - 2.0 * c * first * second)))
