"""Chamfer: how far each document of a corpus lies from its nearest neighbour."""

import numpy as np

from services.evaluator.fidelity import METRICS, Estimate, Sample
from services.evaluator.fidelity.means import mean_over
from services.evaluator.fidelity.neighbours import nearest_distances
from services.evaluator.fidelity.one_by_one import OneByOne


class Chamfer(OneByOne):
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

    def estimate(self, reference: Sample, corpus: Sample) -> Estimate:
        """Measure a corpus by itself."""
        nearest = nearest_distances(corpus)[:, 0].astype(np.float64)
        return mean_over(nearest, corpus, len(corpus))


METRICS.register("chamfer", Chamfer())
