"""Remote clique: how far the documents of a corpus lie from each other."""

from collections.abc import Sequence

import numpy as np

from services.evaluator.fidelity import METRICS, Estimate, Sample, Settings
from services.evaluator.fidelity.clustering import family_interval


class RemoteClique:
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


def _estimate(corpus: Sample) -> Estimate:
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
