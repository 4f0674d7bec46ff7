"""Shares crossed with replicates: the noise that is left, whether it is even, and Tukey's margin."""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy import special

from services.evaluator.classification import Floats
from services.evaluator.estimation import ROUNDING

ALPHA = 0.05
# Over quantiles; more nodes move no digit that is shown.
NODES, WEIGHTS = special.roots_legendre(200)


def residuals(scores: Floats) -> Floats:
    """Return scores less the means of their share and replicate, plus the overall mean."""
    return np.asarray(
        scores - scores.mean(axis=1, keepdims=True) - scores.mean(axis=0, keepdims=True) + scores.mean()
    )


def keep_margin(scores: Floats) -> tuple[float, int, float]:
    """Return s, its degrees of freedom (R - 1)(k - 1), and q.05(k, df) * s / sqrt(R).

    No mean lies further below the highest without being shown worse, over all pairs at once.

    Args:
        scores: Shape (k, R), k shares in the same R replicates.

    Source: Tukey's studentized range, in a layout of blocks: Scheffe (1959), The Analysis of Variance.
    """
    shares, replicates = scores.shape
    freedom = (shares - 1) * (replicates - 1)
    sd = float(np.sqrt(np.square(residuals(scores)).sum() / freedom))
    return sd, freedom, studentized_range(shares, freedom) * sd / float(np.sqrt(replicates))


def variance_ratio(scores: Floats) -> tuple[float | None, float]:
    """Return the largest over the smallest variance of the shares' residuals, and its p.

    Residuals, because a replicate's luck moves all shares alike. They share their mean with
    the other shares, which pulls the ratio towards 1: for two shares it is 1, and there the
    keep-set is the paired t test, which asks for nothing else. The largest of several sample
    variances is often four times the smallest by chance, hence the p (Hartley's F max with
    R - 1 degrees of freedom, the shares taken as independent). None where a share does not
    vary at all.

    Args:
        scores: Shape (k, R), R >= 2.

    Source: Hartley (1950), Biometrika 37:308-312.
    """
    variances = residuals(scores).var(axis=1, ddof=1)
    if variances.min() <= ROUNDING**2:
        return None, 0.0
    ratio = float(variances.max() / variances.min())
    return ratio, hartley_p(ratio, scores.shape[0], scores.shape[1] - 1)


@cache
def studentized_range(count: int, degrees_of_freedom: int) -> float:
    """Return the upper .05 point of the studentized range."""
    # Here and not above: scipy.stats takes a second to import, and a client needs none of it.
    from scipy import stats

    return float(stats.studentized_range.ppf(1.0 - ALPHA, count, degrees_of_freedom))


def hartley_p(ratio: float, count: int, freedom: int) -> float:
    """Return the chance that the largest of some equal variances comes out `ratio` times the smallest.

    Args:
        ratio: 1 or more.
        count: Independent sample variances, each with `freedom` degrees of freedom.
    """
    below = (NODES + 1.0) / 2.0
    reach = special.chdtr(freedom, ratio * special.chdtri(freedom, 1.0 - below))
    inside = count * float(WEIGHTS @ (reach - below) ** (count - 1)) / 2.0
    return min(1.0, max(0.0, 1.0 - inside))
