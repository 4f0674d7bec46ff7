"""Classifier two-sample test: how well a corpus is told apart from real text."""

import numpy as np

from services.evaluator.fidelity import METRICS, Estimate, Sample, Settings
from services.evaluator.fidelity.one_by_one import PerCorpus
from services.evaluator.fidelity.telling_apart import FOLDS, cross_fitted, family_folds

# Every fold's classifier has learned from four of each side.
FEWEST_FAMILIES = FOLDS


class TwoSampleAccuracy(PerCorpus):
    """Share of documents that a linear classifier puts on the right side, in [0, 1].

    A half means that the two are not told apart; cross-fitted over five folds that
    no family straddles, on equally many documents of both sides. A mean over the
    two sides' shares. More documents train a better classifier, so values compare
    at equal n only. There is no interval: classifiers of overlapping training sets
    err together, which a binomial one would leave out. c2st_p tests it.

    Source: Lopez-Paz & Oquab (2017), ICLR; Kim et al. (2021), Ann. Statist. 49:411-434.
    """

    description = (
        "Share of documents that a linear classifier on embeddings tells to be real or synthetic: "
        "a half where it cannot. Families never straddle its folds."
    )
    version = 1
    lower_is_better = True
    minimum_count = 20
    depends_on_count = True
    has_scale = True
    weighs = False

    def measure(
        self, reference: Sample, corpus: Sample, settings: Settings, rng: np.random.Generator
    ) -> Estimate:
        """Tell a corpus from the reference."""
        count = min(len(reference), len(corpus))
        real, written = (sample.take(np.arange(count)) for sample in (reference, corpus))
        families = min(len(np.unique(sample.families)) for sample in (real, written))
        if families < FEWEST_FAMILIES:
            reason = f"{families} families a side, fewer than {FEWEST_FAMILIES}"
            return Estimate(None, len(corpus), undefined_reason=reason)
        folds = np.concatenate(family_folds(real.families, written.families, rng))
        x = np.concatenate([real.embeddings, written.embeddings]).astype(np.float64)
        synthetic = np.arange(2 * count) >= count
        right = (cross_fitted(x, synthetic, folds) > 0) == synthetic
        return Estimate(float(right.mean()), count)


METRICS.register("c2st", TwoSampleAccuracy())
