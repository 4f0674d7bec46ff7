"""What a metric reads for real text, and for text that is as far as it gets.

The floor is the metric between two halves of the reference, of equal size and
with families whole. The ceiling is the metric between one half and documents of
a ceiling corpus (another domain, say). Without such a corpus it is label-free:
vectors of unit length in random directions, as of documents that have nothing in
common with the reference or with each other. On patent titles this comes to
about what another domain's titles do; shuffling the dimensions of real
embeddings keeps their mean, and comes to a hundredth of it.
"""

from dataclasses import dataclass

import numpy as np

from services.evaluator.fidelity import FidelityMetric, Floats, Sample, Settings

SPLITS = 20
# A gap of fewer standard deviations of the floor cannot carry a scale.
LEAST_GAP = 4.0


@dataclass(frozen=True, slots=True)
class Scale:
    """Medians over the splits; `floor_sd` is the floor's standard deviation over them."""

    floor: float
    floor_sd: float
    ceiling: float

    def normalised(self, value: float) -> float | None:
        """Return 0 at the floor and 1 at the ceiling, never clipped.

        None where floor and ceiling lie within four standard deviations.
        """
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
    """Measure floor and ceiling over twenty splits of the reference.

    Args:
        metric: Any metric with a scale.
        reference: Held-out real documents.
        ceiling: Documents far from real text; None for random directions.
        count: Documents a side, at most half of the reference's.
        settings: The metric's, estimated on the whole reference.
        rng: Decides the splits.

    Returns:
        None where a half has fewer documents than the metric needs, or the
        metric is undefined for it.
    """
    floors, ceilings = [], []
    for _ in range(SPLITS):
        half, other = split(reference, count, rng)
        if min(len(half), len(other)) < metric.minimum_count:
            return None
        if ceiling is None:
            far = unrelated(len(other), reference.embeddings.shape[1], rng)
        else:
            far = draw(ceiling, len(other), rng)
        near, distant = metric(half, [other, far], settings, rng.spawn(2))
        if near.value is None or distant.value is None:
            return None
        floors.append(near.value)
        ceilings.append(distant.value)
    return Scale(float(np.median(floors)), float(np.std(floors, ddof=1)), float(np.median(ceilings)))


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


def unrelated(count: int, dimensions: int, rng: np.random.Generator) -> Sample:
    """Return vectors of unit length in random directions, each its own family."""
    x = rng.normal(size=(count, dimensions))
    unit: Floats = (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)
    return Sample(unit, np.arange(count))


def _families_first(sample: Sample, rng: np.random.Generator) -> np.ndarray:
    """Return all rows, families together and in random order, as are their documents."""
    _, code = np.unique(sample.families, return_inverse=True)
    rank = rng.permutation(int(code.max()) + 1)
    return np.lexsort((rng.random(len(sample)), rank[code]))
