"""Timing in CPU seconds, the sides taking turns."""

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np


class Timed(NamedTuple):
    """The median CPU seconds of some repeats, and what the last one returned."""

    seconds: float
    result: Any


def in_turns(repeats: int, *sides: Callable[[], Any]) -> list[Timed]:
    """Run every side as often as the others, one after another, in this process.

    CPU seconds leave out what other processes do; turns spread what caches, clocks
    and neighbours do to all sides alike.
    """
    seconds, results = np.empty((repeats, len(sides))), [None] * len(sides)
    for i in range(repeats):
        for j, side in enumerate(sides):
            started = time.process_time()
            results[j] = side()
            seconds[i, j] = time.process_time() - started
    return [Timed(float(s), r) for s, r in zip(np.median(seconds, axis=0), results, strict=True)]
