"""The paper's comparison of two regimes, rebuilt: what it printed, and why it is no test."""

from __future__ import annotations

import numpy as np
from scipy import special

from services.domain.errors import InvalidInputError
from services.domain.measurement import Interval
from services.evaluator.correlation.planning import Reconstruction

LABEL = "reconstruction"
NOTE = (
    "treats dependent samples as independent: the same corpora stand in both regimes; its interval is that "
    "of the difference of atanh r, transformed back, and not that of the difference of the correlations"
)


def reconstruct(first_r: float, first_count: int, second_r: float, second_count: int) -> Reconstruction:
    """Return Fisher's z for two correlations as if they were independent.

    z = (atanh r1 - atanh r2) / sqrt(1 / (n1 - 3) + 1 / (n2 - 3)), the interval
    tanh(atanh r1 - atanh r2 +- 1.96 se).

    Raises:
        InvalidInputError: A correlation outside (-1, 1), or fewer than four points.

    Source: Fisher (1921), Metron 1:3-32.
    """
    for field, r, count in (("first", first_r, first_count), ("second", second_r, second_count)):
        if not -1.0 < r < 1.0:
            raise InvalidInputError(
                f"{field}_r is {r}; it lies inside (-1, 1)", field=f"{field}_r", found=str(r)
            )
        if count < 4:
            raise InvalidInputError(
                f"{field}_count is {count}; Fisher's z takes four points or more", field=f"{field}_count"
            )
    distance = np.arctanh(first_r) - np.arctanh(second_r)
    error = np.sqrt(1.0 / (first_count - 3) + 1.0 / (second_count - 3))
    half = special.ndtri(0.975) * error
    z = float(distance / error)
    interval = Interval(float(np.tanh(distance - half)), float(np.tanh(distance + half)), 0.95)
    return Reconstruction(z, float(2.0 * special.ndtr(-abs(z))), interval, LABEL, NOTE)
