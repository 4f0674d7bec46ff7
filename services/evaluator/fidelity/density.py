"""Density: how deep a corpus lies in real text."""

from services.evaluator.fidelity import METRICS, Estimate, Sample
from services.evaluator.fidelity.means import mean_over
from services.evaluator.fidelity.neighbours import NEIGHBOURS, neighbourhood
from services.evaluator.fidelity.one_by_one import OneByOne


class Density(OneByOne):
    """Mean number of reference balls around a document of the corpus, over k = 5.

    About 1 for real text. Not bounded by 1: a corpus that keeps to where real
    documents are dense exceeds it. The interval takes the balls as given.

    Source: Naeem et al. (2020), ICML, section 3.
    """

    description = (
        "Mean number of real documents within whose reach a document lies, over k = 5. "
        "About 1 for real text, more where a corpus keeps to the thick of it."
    )
    version = 1
    lower_is_better = False
    minimum_count = NEIGHBOURS + 1
    depends_on_count = True
    has_scale = True

    def estimate(self, reference: Sample, corpus: Sample) -> Estimate:
        """Measure a corpus."""
        return mean_over(neighbourhood(reference, corpus).balls_around / NEIGHBOURS, corpus, len(corpus))


METRICS.register("density", Density())
