"""Length drift: whether documents are as long as real ones, and vary as much."""

import numpy as np
from scipy import stats

from services.evaluator.fidelity import METRICS, Doubles, Estimate, Sample
from services.evaluator.fidelity.one_by_one import OneByOne
from services.evaluator.fidelity.words import lengths


class LengthDrift(OneByOne):
    """Mean gap between the quantiles of log word counts: the 1-Wasserstein distance.

    Zero or more, in natural logarithms: 0.1 says that a document is about 10 % too
    long or too short for its rank. Beside it `log_ratio`, signed, of the geometric
    mean lengths, and `spread_ratio` of the standard deviations of log lengths (left
    out where real lengths do not vary). A document without words counts as of one. Small
    samples differ by chance, so values compare at equal n only. Nothing is farthest
    from a length: there is a floor, and a ceiling only of a given corpus. There is no
    interval, because a distance near zero is mostly bias.

    Source: Vallender (1974), Theory Probab. Appl. 18:784-786.
    """

    description = (
        "How far the lengths of documents in words lie from those of real ones, rank by rank, "
        "as a natural logarithm: 0.1 is about 10 % too long or too short."
    )
    version = 1
    lower_is_better = True
    minimum_count = 2
    depends_on_count = True
    has_scale = True
    unrelated_is_far = False
    needs = ("texts",)

    def estimate(self, reference: Sample, corpus: Sample) -> Estimate:
        """Measure a corpus."""
        real, written = _log_lengths(reference), _log_lengths(corpus)
        distance = stats.wasserstein_distance(real, written, reference.mass, corpus.mass)
        (mean, spread), (real_mean, real_spread) = (
            _moments(written, corpus.mass),
            _moments(real, reference.mass),
        )
        estimates = {"log_ratio": mean - real_mean}
        if real_spread > 0:
            estimates["spread_ratio"] = spread / real_spread
        return Estimate(float(distance), len(corpus), estimates=estimates)


def _log_lengths(sample: Sample) -> Doubles:
    return np.log(np.maximum(lengths(sample), 1))


def _moments(values: Doubles, mass: Doubles) -> tuple[float, float]:
    mean = float(np.average(values, weights=mass))
    return mean, float(np.sqrt(np.average(np.square(values - mean), weights=mass)))


METRICS.register("length_drift", LengthDrift())
