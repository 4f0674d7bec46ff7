"""Permutation test of the squared maximum mean discrepancy over blocks of families, at three bandwidths."""

from collections.abc import Sequence

import numpy as np

from services.evaluator.fidelity import METRICS, Estimate, Sample, Settings
from services.evaluator.fidelity.bandwidth import median_bandwidth
from services.evaluator.fidelity.block_swaps import (
    arrangements,
    swap_gram,
    swap_p_values,
    swap_statistics,
)
from services.evaluator.fidelity.blocks import BlockSums, kernel_sums
from services.evaluator.fidelity.family_permutation import PERMUTATIONS, untestable
from services.evaluator.fidelity.mmd2 import CENTRAL, estimate, gamma_of
from services.evaluator.fidelity.one_by_one import refusal

FEWEST_FAMILIES = 20


class MmdBlockSwap:
    """As mmd2_p, with blocks of documents that change places, for many and large corpora.

    One document stands for each family, the first: their order says nothing about
    them. As many are taken on either side and dealt to the same number of equal
    blocks, at most fifty. No family is left out for size, all corpora share one pass
    over the reference, and the pass yields three bandwidths.

    The bandwidths come from the reference alone, which is what corpora share; the test
    is exact for a bandwidth that is given. The value is the p at the median heuristic.
    Taking the smallest of the three is a choice after the fact. The distances that are
    tested are given beside it.
    """

    description = (
        "Permutation p-value of mmd2 over blocks of source families, at the median heuristic and at 1.41 and 0.71 "
        "times that bandwidth; undefined where documents name no source. Quick for many corpora."
    )
    version = 1
    lower_is_better = False
    minimum_count = 2
    depends_on_count = False
    has_scale = False

    def settings(self, reference: Sample) -> Settings:
        """Return the bandwidth."""
        return {"bandwidth": median_bandwidth(reference.embeddings)}

    def __call__(
        self,
        reference: Sample,
        corpora: Sequence[Sample],
        settings: Settings,
        rngs: Sequence[np.random.Generator],
    ) -> tuple[Estimate, ...]:
        """Test every corpus; those with as many families share the pass over the reference."""
        counts = [min(_families(reference), _families(corpus)) for corpus in corpora]
        pairs = enumerate(zip(corpora, counts, strict=True))
        found = {i: _refused(reference, corpus, count) for i, (corpus, count) in pairs}
        for count in sorted({counts[i] for i, refused in found.items() if refused is None}):
            alike = [i for i, refused in found.items() if refused is None and counts[i] == count]
            samples = [
                _representatives(sample, count) for sample in (reference, *(corpora[i] for i in alike))
            ]
            base, *sums = kernel_sums(samples[0], samples[1:], gamma_of(settings["bandwidth"]))
            for i, one in zip(alike, sums, strict=True):
                found[i] = _tested(base, one, count, settings, rngs[i])
        return tuple(estimate for estimate in found.values() if estimate is not None)


def _families(sample: Sample) -> int:
    return len(np.unique(sample.families))


def _refused(reference: Sample, corpus: Sample, families: int) -> Estimate | None:
    reason = refusal(reference, corpus, MmdBlockSwap.minimum_count, weighs=False)
    if reason:
        return Estimate(None, len(corpus), undefined_reason=reason)
    return untestable(corpus, families, FEWEST_FAMILIES)


def _representatives(sample: Sample, count: int) -> Sample:
    """Return the first documents of the first families, each once."""
    _, first = np.unique(sample.families, return_index=True)
    return sample.take(np.sort(first)[:count])


def _tested(
    base: BlockSums, sums: BlockSums, count: int, settings: Settings, rng: np.random.Generator
) -> Estimate:
    gram = swap_gram(base, sums)
    p = swap_p_values(swap_statistics(gram, arrangements(gram.shape[1], PERMUTATIONS, rng)))
    distance = estimate(base, sums, count, settings)
    assert distance.value is not None
    found = {"mmd2": distance.value, "p_wide": float(p[0]), "p_narrow": float(p[2])}
    return Estimate(float(p[CENTRAL]), count, estimates={**distance.estimates, **found})


METRICS.register("mmd2_swap_p", MmdBlockSwap())
