"""Inversion: one sign of the correlation where real data are scarce, the other where they are not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import special

from services.domain.errors import InvalidInputError
from services.evaluator.correlation.planning import (
    CorrelatedMetric,
    GainCorrelation,
    Inversion,
)
from services.evaluator.correlation.regimes import refusal
from services.evaluator.estimation import t_quantile
from services.evaluator.multiplicity import holm

MINIMUM_CORPORA = 10
ALPHA = 0.05
ASSUMED_CORRELATION = 0.7
# Nodes over the quantiles of the spread of x; more of them move no digit that is shown.
NODES, WEIGHTS = special.roots_legendre(200)


def judge_inversions(
    metrics: Sequence[CorrelatedMetric], pairs: Sequence[tuple[GainCorrelation, GainCorrelation]]
) -> tuple[Inversion, ...]:
    """Test every metric for opposite signs in two regimes.

    Both signs have to be significant, each one-sided: the larger p of the two counts. Holm's
    correction runs over all metrics asked about; a refused one stays in with p = 1.

    Args:
        pairs: Per metric its correlations in the first and the second regime.

    Source: intersection-union tests, Berger (1982), Technometrics 24:295-300.
    """
    refused = [_refusal(pair) for pair in pairs]
    p_values = [
        None if reason else _both_signs(pair, metric.expected_sign)
        for metric, pair, reason in zip(metrics, pairs, refused, strict=True)
    ]
    adjusted = holm(np.array([1.0 if p is None else p for p in p_values]))
    return tuple(
        Inversion(
            metric=metric.name,
            inverted=p is not None and bool(after < ALPHA),
            p_value=p,
            adjusted_p_value=None if p is None else float(after),
            power=_power(pair[0], metric.expected_sign),
            assumed_correlation=ASSUMED_CORRELATION,
            refused=reason,
        )
        for metric, pair, p, after, reason in zip(metrics, pairs, p_values, adjusted, refused, strict=True)
    )


def inversion_power(correlation: float, count: int, strategies: int = 1, *, alpha: float = ALPHA) -> float:
    """Return the chance that both signs are significant, for planning.

    The true correlations are +-`correlation`, x and the gains normal, and the two gains
    independent given x. Given x, each sign's t is noncentral; what x's spread does to both at
    once is integrated out over its chi-squared law. For one metric, before Holm.

    Args:
        correlation: In (0, 1).
        count: Corpora, at least strategies + 2.

    Raises:
        InvalidInputError: A correlation or count outside these ranges.
    """
    if not 0.0 < abs(correlation) < 1.0:
        raise InvalidInputError(
            f"a correlation to plan for lies inside (0, 1), not {correlation}", field="correlation"
        )
    if strategies < 1 or count < strategies + 2:
        raise InvalidInputError(
            f"{count} corpora of {strategies} strategies leave no degree of freedom; "
            "give two more corpora than strategies, or as many again",
            field="count",
        )
    freedom = count - strategies - 1
    spread = special.chdtri(count - strategies, (1.0 - NODES) / 2.0)
    shift = abs(correlation) / np.sqrt(1.0 - correlation**2) * np.sqrt(spread)
    one_sign = 1.0 - special.nctdtr(freedom, shift, t_quantile(1.0 - alpha, freedom))
    return float(WEIGHTS @ one_sign**2 / WEIGHTS.sum())


def sign_p_values(r: float, count: int, strategies: int) -> tuple[float, float]:
    """Return the one-sided p against "not positive" and against "not negative".

    Student's t with count - strategies - 1 degrees of freedom, exact for normal deviations.
    """
    freedom = count - strategies - 1
    t = r * np.sqrt(freedom / (1.0 - r**2))
    return float(special.stdtr(freedom, -t)), float(special.stdtr(freedom, t))


def _both_signs(pair: tuple[GainCorrelation, GainCorrelation], expected_sign: int) -> float | None:
    found = [
        sign_p_values(one.pearson, one.corpus_count, one.strategy_count)
        for one in pair
        if one.pearson is not None
    ]
    if len(found) < 2:
        return None
    (positive1, negative1), (positive2, negative2) = found
    falling, rising = max(positive1, negative2), max(negative1, positive2)
    if expected_sign == 0:
        # Two directions to choose from after seeing the data.
        return min(1.0, 2.0 * min(falling, rising))
    return falling if expected_sign > 0 else rising


def _refusal(pair: tuple[GainCorrelation, GainCorrelation]) -> str:
    count = pair[0].corpus_count
    if count < MINIMUM_CORPORA:
        return f"{count} corpora in both regimes, an inversion takes {MINIMUM_CORPORA}"
    return refusal(pair)


def _power(one: GainCorrelation, expected_sign: int) -> float | None:
    if one.corpus_count < one.strategy_count + 2:
        return None
    # Without a named direction p is doubled, as if alpha were halved.
    alpha = ALPHA if expected_sign else ALPHA / 2
    return inversion_power(ASSUMED_CORRELATION, one.corpus_count, one.strategy_count, alpha=alpha)
