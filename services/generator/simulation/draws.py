"""Draws from short lists, cheap enough for one call per word."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import TypeVar

import numpy as np

Cumulative = list[float]

T = TypeVar("T")


def cumulative(weights: Iterable[float]) -> Cumulative:
    """Return the running sums of some weights, scaled to end at 1."""
    sums = list(accumulate(weights))
    return [value / sums[-1] for value in sums]


def pick(sums: Cumulative, rng: np.random.Generator) -> int:
    """Return a position with the probability of its weight."""
    return min(bisect_right(sums, rng.random()), len(sums) - 1)


def one_of(options: Sequence[T], rng: np.random.Generator) -> T:
    """Return one of the options, all equally likely."""
    return options[int(rng.random() * len(options))]


def happens(probability: float, rng: np.random.Generator) -> bool:
    """Return True with a probability; always draws, so that dials do not shift the stream."""
    return bool(rng.random() < probability)
