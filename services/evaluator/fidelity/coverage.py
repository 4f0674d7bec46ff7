"""Coverage: the share of real documents that have a synthetic one nearby."""

import numpy as np

from services.evaluator.fidelity import METRICS, Estimate, Sample
from services.evaluator.fidelity.means import mean_over
from services.evaluator.fidelity.neighbours import NEIGHBOURS, ROUNDING, neighbourhood, radii
from services.evaluator.fidelity.one_by_one import OneByOne


class Coverage(OneByOne):
    """Share of reference documents in whose ball a document of the corpus lies, in [0, 1].

    1 for a copy of the reference. Equally many documents of the same law reach
    about 1 - 2**-5 = .97. The interval is over reference documents and takes the
    corpus as given.

    Source: Naeem et al. (2020), ICML, section 3.
    """

    description = (
        "Share of real documents that have a synthetic one nearer than their fifth nearest real one. "
        "Falls where variety is missing."
    )
    version = 1
    lower_is_better = False
    minimum_count = NEIGHBOURS + 1
    depends_on_count = True
    has_scale = True

    def estimate(self, reference: Sample, corpus: Sample) -> Estimate:
        """Measure a corpus."""
        covered = neighbourhood(reference, corpus).nearest <= radii(reference) + ROUNDING
        return mean_over(covered.astype(np.float64), reference, len(corpus))


METRICS.register("coverage", Coverage())
