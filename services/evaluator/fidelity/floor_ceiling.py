"""What a metric reads for real text, and for text that is as far as it gets.

The floor is the metric between two halves of the reference, of equal size and
with families whole. The ceiling is the metric between one half and documents of
a ceiling corpus (another domain, say). Without such a corpus it is taken on
documents made up to have nothing in common (see `unrelated`), and left open for
metrics to which these do not look far.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from services.evaluator.fidelity import FidelityMetric, Sample, Settings
from services.evaluator.fidelity.one_by_one import made_up_ceiling, needed
from services.evaluator.fidelity.unrelated import stand_in

SPLITS = 20
# A gap of fewer standard deviations of the floor cannot carry a scale.
LEAST_GAP = 4.0


class Prepared(NamedTuple):
    """A metric with its settings and the generator of whatever it draws."""

    metric: FidelityMetric
    settings: Settings
    rng: np.random.Generator


@dataclass(frozen=True, slots=True)
class Scale:
    """Medians over the splits; `floor_sd` is the floor's standard deviation over them.

    `ceiling` is None where nothing is known to be far.
    """

    floor: float
    floor_sd: float
    ceiling: float | None

    def normalised(self, value: float) -> float | None:
        """Return 0 at the floor and 1 at the ceiling, never clipped.

        None without a ceiling, and where floor and ceiling lie within four
        standard deviations of the floor.
        """
        if self.ceiling is None:
            return None
        gap = self.ceiling - self.floor
        if abs(gap) < LEAST_GAP * self.floor_sd or gap == 0:
            return None
        return (value - self.floor) / gap


def measure_scale(
    metric: FidelityMetric,
    reference: Sample,
    ceiling: Sample | None,
    count: int,
    settings: Settings,
    rng: np.random.Generator,
) -> Scale | None:
    """Measure one metric's floor and ceiling; see `measure_scales`."""
    return measure_scales([Prepared(metric, settings, rng)], reference, ceiling, count, rng)[0]


def measure_scales(
    prepared: Sequence[Prepared],
    reference: Sample,
    ceiling: Sample | None,
    count: int,
    rng: np.random.Generator,
) -> tuple[Scale | None, ...]:
    """Measure floors and ceilings over twenty splits of the reference, the same for all metrics.

    Args:
        prepared: Metrics that have a scale.
        reference: Held-out real documents.
        ceiling: Documents far from real text; None for made-up ones, where a metric
            takes those.
        count: Documents a side, at most half of the reference's.
        rng: Decides the splits.

    Returns:
        Per metric; None where a half has fewer documents than it needs, or it is
        undefined for a half or for the ceiling.
    """
    needs = tuple(need for one in prepared for need in needed(one.metric))
    readings: list[list[_Reading | None]] = [[] for _ in prepared]
    for _ in range(SPLITS):
        half, other = split(reference, count, rng)
        if not len(other):
            return (None,) * len(prepared)
        far = stand_in(other, rng, needs) if ceiling is None else draw(ceiling, len(other), rng)
        for one, found in zip(prepared, readings, strict=True):
            # Undefined once is undefined.
            if None not in found:
                known = ceiling is not None or made_up_ceiling(one.metric)
                found.append(_reading(one, half, other, far if known else None))
    return tuple(_scale(found) for found in readings)


class _Reading(NamedTuple):
    """A metric on one split; `far` is None where nothing is known to be far."""

    near: float
    far: float | None


def _reading(one: Prepared, half: Sample, other: Sample, far: Sample | None) -> _Reading | None:
    measured = [other] if far is None else [other, far]
    if min(map(len, (half, *measured))) < one.metric.minimum_count:
        return None
    found = [
        estimate.value for estimate in one.metric(half, measured, one.settings, one.rng.spawn(len(measured)))
    ]
    values = [value for value in found if value is not None]
    if len(values) < len(found):
        return None
    return _Reading(values[0], None if far is None else values[1])


def _scale(readings: Sequence[_Reading | None]) -> Scale | None:
    defined = [reading for reading in readings if reading is not None]
    if len(defined) < len(readings):
        return None
    floors = [reading.near for reading in defined]
    ceilings = [reading.far for reading in defined if reading.far is not None]
    ceiling = float(np.median(ceilings)) if ceilings else None
    return Scale(float(np.median(floors)), float(np.std(floors, ddof=1)), ceiling)


def draw(sample: Sample, count: int, rng: np.random.Generator) -> Sample:
    """Return at most `count` documents, whole families as far as they fit."""
    return sample.take(_families_first(sample, rng)[:count])


def split(sample: Sample, count: int, rng: np.random.Generator) -> tuple[Sample, Sample]:
    """Return two samples of equal size, at most `count`, that share no family."""
    order = _families_first(sample, rng)
    families = sample.families[order]
    middle = min(count, len(order) // 2)
    # The family in the middle belongs to the first half as a whole.
    second = order[middle:][families[middle:] != families[middle - 1]] if middle else order[:0]
    size = min(middle, len(second))
    return sample.take(order[:size]), sample.take(second[:size])


def _families_first(sample: Sample, rng: np.random.Generator) -> np.ndarray:
    """Return all rows, families together and in random order, as are their documents."""
    _, code = np.unique(sample.families, return_inverse=True)
    rank = rng.permutation(int(code.max()) + 1)
    return np.lexsort((rng.random(len(sample)), rank[code]))
