"""Chamfer: how far each document of a corpus lies from its nearest neighbour."""

from collections.abc import Sequence

import numpy as np

from services.evaluator.fidelity import METRICS, Doubles, Estimate, Floats, Sample, Settings
from services.evaluator.fidelity.clustering import family_interval

TILE_ROWS = 512


class Chamfer:
    """Mean cosine distance to the nearest other document of the corpus.

    Zero for a corpus of copies. More documents lie closer together, so values
    compare at equal n only. The interval takes the neighbours as given.

    Source: Cox et al. (2021), CHI, "Directed Diversity".
    """

    description = (
        "Mean cosine distance to the nearest other document of the same corpus: 0 for copies. "
        "The floor is that of equally many real documents."
    )
    version = 1
    lower_is_better = False
    minimum_count = 2
    depends_on_count = True
    has_scale = True

    def settings(self, reference: Sample) -> Settings:
        """Return nothing: there is nothing to estimate."""
        return {}

    def __call__(
        self,
        reference: Sample,
        corpora: Sequence[Sample],
        settings: Settings,
        rngs: Sequence[np.random.Generator],
    ) -> tuple[Estimate, ...]:
        """Measure every corpus by itself."""
        return tuple(_estimate(corpus) for corpus in corpora)


def nearest_distances(embeddings: Floats) -> Doubles:
    """Return each row's cosine distance to the nearest other row, shape (n,)."""
    nearest = np.empty(len(embeddings))
    for start in range(0, len(embeddings), TILE_ROWS):
        rows = np.arange(start, min(start + TILE_ROWS, len(embeddings)))
        similarity = embeddings[rows] @ embeddings.T
        similarity[rows - start, rows] = -np.inf
        nearest[rows] = 1 - similarity.max(axis=1)
    # Copies come out a rounding below zero.
    return np.maximum(nearest, 0)


def _estimate(corpus: Sample) -> Estimate:
    distances = nearest_distances(corpus.embeddings)
    share = corpus.mass / corpus.mass.sum()
    value = float(share @ distances)
    influence = len(corpus) * share * (distances - value)
    return Estimate(value, len(corpus), family_interval(value, influence, corpus.families))


METRICS.register("chamfer", Chamfer())
