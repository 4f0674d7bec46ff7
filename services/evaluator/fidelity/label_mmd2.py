"""Squared maximum mean discrepancy within labels."""

from collections.abc import Sequence

import numpy as np

from services.evaluator.fidelity import METRICS, Codes, Estimate, Sample, Settings
from services.evaluator.fidelity.mmd2 import SquaredMmd
from services.evaluator.fidelity.one_by_one import PerCorpus

# With fewer, a label's own value is mostly noise.
FEWEST_DOCUMENTS = 20
PLAIN = SquaredMmd()


class LabelMmd(PerCorpus):
    """Mean over labels of mmd2 between the documents that have a label.

    Labels are weighted by the reference documents that have them; a document of
    several labels counts in each. Sees documents under a wrong label, to which
    mmd2 is blind. The bandwidth is that of mmd2. Labels with fewer than 20
    documents on either side are left out: `estimates` has `labels_measured`, the
    share of the reference's label assignments that these hold, and per label left
    out `left_out.<name>` with the documents of the scarcer side. Corpora compare
    where the same labels were left out. Unbiased like mmd2, given the labels.
    There is no interval: labels share documents.

    Source: Gretton et al. (2012), JMLR 13:723-773, lemma 6, within labels.
    """

    description = (
        "mmd2 within each label that has 20 documents on both sides, weighted by the label's real documents: "
        "sees texts under wrong labels. Says which labels were left out."
    )
    version = 1
    lower_is_better = True
    minimum_count = FEWEST_DOCUMENTS
    depends_on_count = False
    has_scale = True
    needs = ("labels",)

    def settings(self, reference: Sample) -> Settings:
        """Return the bandwidth."""
        return PLAIN.settings(reference)

    def measure(
        self, reference: Sample, corpus: Sample, settings: Settings, rng: np.random.Generator
    ) -> Estimate:
        """Measure a corpus within every label that has enough documents."""
        # Refused without.
        assert reference.labels is not None and corpus.labels is not None
        real, written = reference.labels.sum(axis=0), corpus.labels.sum(axis=0)
        scarcer = np.minimum(real, written)
        used = np.flatnonzero(scarcer >= FEWEST_DOCUMENTS)
        if not len(used):
            reason = f"no label has {FEWEST_DOCUMENTS} documents on both sides; the most is {scarcer.max(initial=0)}"
            return Estimate(None, len(corpus), undefined_reason=reason)
        values = [
            _within(
                reference.take(np.flatnonzero(reference.labels[:, label])),
                corpus.take(np.flatnonzero(corpus.labels[:, label])),
                settings,
            )
            for label in used
        ]
        names = reference.label_names or tuple(map(str, range(len(real))))
        value = float(np.average(values, weights=real[used]))
        return Estimate(value, len(corpus), estimates=_measured_labels(real, written, names))


def _measured_labels(real: Codes, written: Codes, names: Sequence[str]) -> dict[str, float]:
    """Return how much was measured, and the scarcer side's documents of every label left out."""
    scarcer = np.minimum(real, written)
    used = scarcer >= FEWEST_DOCUMENTS
    left_out = np.flatnonzero((np.maximum(real, written) > 0) & ~used)
    return {
        "labels_measured": float(used.sum()),
        "assignments_measured": float(real[used].sum() / real.sum()),
        **{f"left_out.{names[label]}": float(scarcer[label]) for label in left_out.tolist()},
    }


def _within(reference: Sample, corpus: Sample, settings: Settings) -> float:
    (found,) = PLAIN(reference, [corpus], settings, [])
    # Never undefined from two documents on.
    return np.nan if found.value is None else found.value


METRICS.register("label_mmd2", LabelMmd())
