"""Weighted means over documents, as estimates with an interval."""

from services.evaluator.fidelity import Doubles, Estimate, Sample
from services.evaluator.fidelity.clustering import family_interval


def mean_over(terms: Doubles, sample: Sample, count: int) -> Estimate:
    """Return the mean of one term per document of a sample.

    The interval takes whatever the terms were computed from as given.

    Args:
        terms: Shape (n,).
        sample: Whose documents they are; its families err together.
        count: Documents measured.
    """
    share = sample.mass / sample.mass.sum()
    value = float(share @ terms)
    influence = len(sample) * share * (terms - value)
    return Estimate(value, count, family_interval(value, influence, sample.families))
