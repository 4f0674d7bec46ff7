"""Distinct-n: the share of runs of n words that are new."""

from services.evaluator.fidelity import METRICS, Estimate, Sample
from services.evaluator.fidelity.one_by_one import OneByOne
from services.evaluator.fidelity.words import grams

LENGTHS = (1, 2, 3)


class Distinct(OneByOne):
    """Different runs of n words over all runs of n words of a corpus, in (0, 1].

    1 where nothing is said twice. It falls with the number of documents, so values
    compare at equal n only, and with their length: read it beside length_drift. It
    says nothing about the reference; the floor shows what real documents score.
    There is no interval: what is new depends on all other documents.

    Args:
        n: Words in a run, 1 to 4.

    Source: Li et al. (2016), NAACL, section 5.
    """

    version = 1
    lower_is_better = False
    minimum_count = 2
    depends_on_count = True
    has_scale = True
    needs = ("texts",)
    weighs = False

    def __init__(self, n: int) -> None:
        self.n = n
        runs = "words" if n == 1 else f"runs of {n} words"
        self.description = f"Share of different ones among all {runs} of a corpus: lexical diversity."

    def estimate(self, reference: Sample, corpus: Sample) -> Estimate:
        """Measure a corpus by itself."""
        ids = grams(corpus)[self.n - 1].ids
        if not len(ids):
            return Estimate(None, len(corpus), undefined_reason=f"no document has {self.n} words")
        return Estimate(float((ids.max() + 1) / len(ids)), len(corpus))


for length in LENGTHS:
    METRICS.register(f"distinct_{length}", Distinct(length))
