"""Recall: the share of real text that a corpus reaches."""

import numpy as np

from services.evaluator.fidelity import METRICS, Estimate, Sample
from services.evaluator.fidelity.means import mean_over
from services.evaluator.fidelity.neighbours import NEIGHBOURS, neighbourhood
from services.evaluator.fidelity.one_by_one import OneByOne


class Recall(OneByOne):
    """Share of the reference's documents that lie in a ball of the corpus, in [0, 1].

    A scattered corpus has large balls, and so a high recall; coverage, whose
    balls are those of real text, has not. So made-up documents in random directions
    are no ceiling, and a normalised value takes a ceiling corpus. The interval is over reference
    documents and takes the balls as given.

    Source: Kynkäänniemi et al. (2019), NeurIPS 32, section 2.
    """

    description = (
        "Share of real documents that lie within the reach of synthetic ones (k-nearest-neighbour recall, k = 5). "
        "A scattered corpus reaches far: read coverage beside it."
    )
    version = 1
    lower_is_better = False
    minimum_count = NEIGHBOURS + 1
    depends_on_count = True
    has_scale = True
    unrelated_is_far = False

    def estimate(self, reference: Sample, corpus: Sample) -> Estimate:
        """Measure a corpus."""
        held = neighbourhood(reference, corpus).held
        return mean_over(held.astype(np.float64), reference, len(corpus))


METRICS.register("recall", Recall())
