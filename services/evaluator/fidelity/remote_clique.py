"""Remote clique: how far the documents of a corpus lie from each other."""

import numpy as np

from services.evaluator.fidelity import METRICS, Estimate, Sample
from services.evaluator.fidelity.clustering import family_interval
from services.evaluator.fidelity.one_by_one import OneByOne


class RemoteClique(OneByOne):
    """Mean cosine distance of two distinct documents of the corpus.

    A U-statistic, so its expectation does not depend on the number of documents;
    linear in their number because vectors have unit length. It says nothing about
    the reference; the floor shows what real documents score.

    Source: Cox et al. (2021), CHI, "Directed Diversity".
    """

    description = "Mean cosine distance between two documents of a corpus: diversity. The floor is that of real documents."
    version = 1
    lower_is_better = False
    minimum_count = 2
    depends_on_count = False
    has_scale = True

    def estimate(self, reference: Sample, corpus: Sample) -> Estimate:
        """Measure a corpus by itself."""
        x = corpus.embeddings.astype(np.float64)
        weights = corpus.mass
        total = weights @ x
        own = weights * np.square(x).sum(axis=1)
        rest = weights.sum() - weights
        # Each document's mean distance to the others.
        distances = 1 - (x @ total - own) / rest
        pairs = weights * rest
        value = float((pairs @ distances) / pairs.sum())
        # Every pair holds two documents, so each errs twice.
        influence = 2 * weights * len(x) / weights.sum() * (distances - value)
        return Estimate(value, len(corpus), family_interval(value, influence, corpus.families))


METRICS.register("remote_clique", RemoteClique())
