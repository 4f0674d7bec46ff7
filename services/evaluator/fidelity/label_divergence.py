"""Label divergence: whether a corpus has the labels of real text as often."""

import numpy as np

from services.evaluator.fidelity import METRICS, Doubles, Estimate, Sample
from services.evaluator.fidelity.divergence import jensen_shannon
from services.evaluator.fidelity.one_by_one import OneByOne


class LabelDivergence(OneByOne):
    """Jensen-Shannon divergence of the label distributions, in bits, in [0, 1].

    A label's probability is its share of all assignments of labels to documents.
    It sees neither how many labels a document has (the means are given beside it)
    nor which go together. Small samples differ by chance, so values compare at
    equal n only. There is no interval: near zero that bias is larger than the spread.

    Source: Lin (1991), IEEE Trans. Inf. Theory 37:145-151.
    """

    description = (
        "Jensen-Shannon divergence of label frequencies from those of real text, in bits: "
        "0 for the same, 1 for no label in common. It judges the order as much as the writer."
    )
    version = 1
    lower_is_better = True
    minimum_count = 2
    depends_on_count = True
    has_scale = True
    needs = ("labels",)

    def estimate(self, reference: Sample, corpus: Sample) -> Estimate:
        """Measure a corpus."""
        real, written = _assignments(reference), _assignments(corpus)
        if not real.sum() or not written.sum():
            return Estimate(None, len(corpus), undefined_reason="one side has no labels")
        estimates = {
            "labels_per_document": float(written.sum() / corpus.mass.sum()),
            "reference_labels_per_document": float(real.sum() / reference.mass.sum()),
        }
        return Estimate(jensen_shannon(real, written), len(corpus), estimates=estimates)


def _assignments(sample: Sample) -> Doubles:
    """Return the mass of documents with each label, shape (labels,)."""
    return np.zeros(0) if sample.labels is None else np.asarray(sample.mass @ sample.labels)


METRICS.register("label_divergence", LabelDivergence())
