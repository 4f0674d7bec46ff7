"""How far two distributions over the same things lie apart."""

import numpy as np

from services.evaluator.fidelity import Doubles


def jensen_shannon(one: Doubles, other: Doubles) -> float:
    """Return the Jensen-Shannon divergence in bits: 0 for equal, 1 for disjoint.

    Args:
        one: Shape (things,), counts or masses, zero or more, not all zero.
        other: As `one`.

    Source: Lin (1991), IEEE Trans. Inf. Theory 37:145-151.
    """
    p, q = one / one.sum(), other / other.sum()
    middle = (p + q) / 2
    bits = (_relative_entropy(p, middle) + _relative_entropy(q, middle)) / 2
    # Equal distributions come out a rounding below zero, disjoint ones above one.
    return float(np.clip(bits, 0, 1))


def _relative_entropy(p: Doubles, q: Doubles) -> Doubles:
    held = p > 0
    return np.asarray(np.sum(p[held] * np.log2(p[held] / q[held])))
