"""Adjusted p-values for many contrasts at once."""

from __future__ import annotations

import numpy as np

from services.evaluator.classification import Floats


def holm(p_values: Floats) -> Floats:
    """Adjust by Holm's step-down rule: rejecting below alpha keeps the family's error at alpha.

    Source: Holm (1979), Scandinavian Journal of Statistics 6:65-70.
    """
    count = len(p_values)
    order = np.argsort(p_values, kind="stable")
    stepped = np.maximum.accumulate(p_values[order] * (count - np.arange(count)))
    return _in_place(np.minimum(stepped, 1.0), order)


def benjamini_hochberg(p_values: Floats) -> Floats:
    """Adjust by the step-up rule: rejecting below q keeps the false discovery rate at q.

    Source: Benjamini and Hochberg (1995), JRSS B 57:289-300.
    """
    count = len(p_values)
    order = np.argsort(p_values, kind="stable")
    scaled = p_values[order] * count / np.arange(1, count + 1)
    stepped = np.minimum.accumulate(scaled[::-1])[::-1]
    return _in_place(np.minimum(stepped, 1.0), order)


def _in_place(values: Floats, order: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> Floats:
    adjusted = np.empty_like(values)
    adjusted[order] = values
    return adjusted
