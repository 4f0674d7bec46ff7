"""Vocabulary divergence: whether a corpus uses the words of real text as often."""

import numpy as np

from services.evaluator.fidelity import METRICS, Estimate, Sample
from services.evaluator.fidelity.divergence import jensen_shannon
from services.evaluator.fidelity.once import once
from services.evaluator.fidelity.one_by_one import OneByOne
from services.evaluator.fidelity.words import grams, vocabulary


class VocabularyDivergence(OneByOne):
    """Jensen-Shannon divergence of the word distributions, in bits, in [0, 1].

    0 for equal frequencies, 1 for no word in common. Rare words seen on one side
    only make small samples differ, so values compare at equal n only; the floor
    says what that alone comes to. Beside it the share of the corpus' words that the
    reference sample does not have. There is no interval: that bias is larger than
    the spread.

    Source: Lin (1991), IEEE Trans. Inf. Theory 37:145-151.
    """

    description = (
        "Jensen-Shannon divergence of word frequencies from those of real text, in bits: "
        "0 for the same, 1 for no word in common."
    )
    version = 1
    lower_is_better = True
    minimum_count = 2
    depends_on_count = True
    has_scale = True
    needs = ("texts",)

    def estimate(self, reference: Sample, corpus: Sample) -> Estimate:
        """Measure a corpus."""
        real, written = _frequencies(reference), _frequencies(corpus)
        if not real or not written:
            return Estimate(None, len(corpus), undefined_reason="one side has no words")
        known = list(dict.fromkeys([*real, *written]))
        one, other = (np.array([side.get(word, 0.0) for word in known]) for side in (real, written))
        estimates = {"foreign_word_share": float(other[len(real) :].sum() / other.sum())}
        return Estimate(jensen_shannon(one, other), len(corpus), estimates=estimates)


@once
def _frequencies(sample: Sample) -> dict[str, float]:
    """Return the mass of each word."""
    ids, documents = grams(sample)[0]
    return dict(zip(vocabulary(sample), np.bincount(ids, sample.mass[documents]).tolist(), strict=True))


METRICS.register("vocabulary_divergence", VocabularyDivergence())
