"""Permutation test of the squared maximum mean discrepancy."""

from collections.abc import Sequence

import numpy as np

from services.evaluator.fidelity import METRICS, Estimate, Sample, Settings
from services.evaluator.fidelity.bandwidth import median_bandwidth
from services.evaluator.fidelity.clustering import one_of_each

PERMUTATIONS = 999
FEWEST_FAMILIES = 20
MOST_FAMILIES = 500


class MmdPermutation:
    """Whole families change places between the corpus and the reference.

    One document stands for each family, drawn at random, as many on one side as
    on the other. Under equal distributions these are exchangeable however many
    documents a source gave rise to; with several documents per source a test
    that permutes documents rejects a perfect generator in up to all cases. There
    is no p where families do not hold everything that depends on each other.

    The bandwidth is the median heuristic on both samples together, so that it
    does not know which is which.

    Source: Gretton et al. (2012), JMLR 13:723-773; Phipson & Smyth (2010) on
    counting the observed arrangement.
    """

    description = (
        "Permutation p-value of mmd2 over whole source families; undefined where documents name no source. "
        "Small values say that the corpus is told apart from real text."
    )
    version = 1
    lower_is_better = False
    minimum_count = 2
    depends_on_count = False
    has_scale = False

    def settings(self, reference: Sample) -> Settings:
        """Return nothing: corpora share no estimate."""
        return {}

    def __call__(
        self,
        reference: Sample,
        corpora: Sequence[Sample],
        settings: Settings,
        rngs: Sequence[np.random.Generator],
    ) -> tuple[Estimate, ...]:
        """Test every corpus."""
        return tuple(_test(reference, corpus, rng) for corpus, rng in zip(corpora, rngs, strict=True))


def _test(reference: Sample, corpus: Sample, rng: np.random.Generator) -> Estimate:
    if corpus.not_exchangeable:
        return Estimate(None, len(corpus), undefined_reason=corpus.not_exchangeable)
    sides = [one_of_each(sample.families, rng) for sample in (reference, corpus)]
    count = min(*map(len, sides), MOST_FAMILIES)
    if count < FEWEST_FAMILIES:
        return Estimate(
            None, count, undefined_reason=f"{count} families a side, fewer than {FEWEST_FAMILIES}"
        )
    both = np.concatenate([reference.embeddings[sides[0][:count]], corpus.embeddings[sides[1][:count]]])
    return Estimate(_p_value(both, rng), count)


def _p_value(both: np.ndarray, rng: np.random.Generator) -> float:
    x = both.astype(np.float64)
    norms = np.square(x).sum(axis=1)
    kernel = np.exp((x @ x.T - norms[:, None] / 2 - norms[None, :] / 2) / median_bandwidth(both) ** 2)
    # The diagonal is the same in every arrangement.
    np.fill_diagonal(kernel, 0)
    signs = np.ones((PERMUTATIONS + 1, len(x)))
    signs[:, len(x) // 2 :] = -1
    signs[1:] = rng.permuted(signs[1:], axis=1)
    # With equal sizes this ranks arrangements as the U-statistic does.
    statistics = np.einsum("pi,pi->p", signs @ kernel, signs)
    reached = statistics[1:] >= statistics[0] - 1e-9 * abs(statistics[0])
    return float((1 + reached.sum()) / (PERMUTATIONS + 1))


METRICS.register("mmd2_p", MmdPermutation())
