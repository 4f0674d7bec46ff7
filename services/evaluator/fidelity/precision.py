"""Precision: the share of a corpus that lies where real text lies."""

import numpy as np

from services.evaluator.fidelity import METRICS, Estimate, Sample
from services.evaluator.fidelity.means import mean_over
from services.evaluator.fidelity.neighbours import NEIGHBOURS, neighbourhood
from services.evaluator.fidelity.one_by_one import OneByOne


class Precision(OneByOne):
    """Share of the corpus' documents that lie in a ball of the reference, in [0, 1].

    A ball around each reference document reaches to its fifth nearest. A single
    outlier among the real documents has a large ball; density is less moved by
    it. Precision does not see missing variety. The interval takes the balls as given.

    Source: Kynkäänniemi et al. (2019), NeurIPS 32, section 2.
    """

    description = (
        "Share of documents that lie within the reach of real ones (k-nearest-neighbour precision, k = 5). "
        "Blind to missing variety: read recall or coverage beside it."
    )
    version = 1
    lower_is_better = False
    minimum_count = NEIGHBOURS + 1
    depends_on_count = True
    has_scale = True

    def estimate(self, reference: Sample, corpus: Sample) -> Estimate:
        """Measure a corpus."""
        inside = neighbourhood(reference, corpus).balls_around > 0
        return mean_over(inside.astype(np.float64), corpus, len(corpus))


METRICS.register("precision", Precision())
