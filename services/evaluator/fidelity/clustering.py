"""Documents that come in families: intervals of means, and one document for each family."""

import numpy as np
from scipy import stats

from services.domain.measurement import Interval
from services.evaluator.fidelity import Codes, Doubles

LEVEL = 0.95


def family_interval(value: float, influence: Doubles, families: Codes) -> Interval | None:
    """Return a t interval around a value, or None for a single family.

    Args:
        value: The estimate.
        influence: Shape (n,). What each document adds to the estimate's error:
            its term minus the mean, for a mean.
        families: Shape (n,). Documents of one family err together.
    """
    _, code = np.unique(families, return_inverse=True)
    sums = np.bincount(code, influence)
    count = len(sums)
    if count < 2:
        return None
    error = np.sqrt(count / (count - 1) * np.square(sums).sum()) / len(influence)
    half = float(stats.t.ppf(0.5 + LEVEL / 2, count - 1) * error)
    return Interval(value - half, value + half, LEVEL)


def one_of_each(families: Codes, rng: np.random.Generator) -> Codes:
    """Return one row per family, in random order."""
    order = rng.permutation(len(families))
    _, first = np.unique(families[order], return_index=True)
    return rng.permutation(order[first]).astype(np.int64)
