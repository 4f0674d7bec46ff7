"""Permutation test of the classifier two-sample test."""

from collections.abc import Sequence

import numpy as np

from services.evaluator.fidelity import METRICS, Doubles, Estimate, Sample, Settings
from services.evaluator.fidelity.clustering import one_of_each
from services.evaluator.fidelity.telling_apart import FOLDS, permuted_accuracies

PERMUTATIONS = 999
FEWEST_FAMILIES = 200
MOST_FAMILIES = 500


class TwoSamplePermutation:
    """Whole families change sides, and the classifier is fitted anew each time.

    One document stands for each family, as many on one side as on the other. Sides
    change places within folds, which keeps every fold balanced. Undefined under 200
    families a side, and where families do not hold everything that depends on each
    other, as for mmd2_p.

    Source: Kim et al. (2021), Ann. Statist. 49:411-434; Phipson & Smyth (2010) on
    counting the observed arrangement.
    """

    description = (
        "Permutation p-value of c2st over whole source families, the classifier refitted under each arrangement; "
        "undefined under 200 families a side and where documents name no source."
    )
    version = 1
    lower_is_better = False
    minimum_count = FEWEST_FAMILIES
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
    families = min(map(len, sides))
    if families < FEWEST_FAMILIES:
        return Estimate(
            None, families, undefined_reason=f"{families} families a side, fewer than {FEWEST_FAMILIES}"
        )
    # As many of either side in every fold.
    count = min(families, MOST_FAMILIES) // FOLDS * FOLDS
    both = [sample.embeddings[rows[:count]] for sample, rows in zip((reference, corpus), sides, strict=True)]
    accuracies = _accuracies(np.stack(both, axis=1).astype(np.float64), rng)
    reached = (accuracies[1:] >= accuracies[0]).sum()
    p_value = float((1 + reached) / (PERMUTATIONS + 1))
    return Estimate(p_value, count, estimates={"accuracy": float(accuracies[0])})


def _accuracies(pairs: Doubles, rng: np.random.Generator) -> Doubles:
    """Return the accuracy as observed, and then under permuted sides.

    Args:
        pairs: Shape (n, 2, d): n real documents beside n synthetic ones.
        rng: Decides the permutations.
    """
    count, _, dimensions = pairs.shape
    # Row after row: a fold is a run of as many real documents as synthetic ones.
    folds = np.repeat(np.arange(FOLDS), 2 * count // FOLDS)
    observed = np.tile([-1.0, 1.0], count)
    within = np.tile(observed.reshape(FOLDS, -1), (PERMUTATIONS, 1, 1))
    sides = np.concatenate([observed[None], rng.permuted(within, axis=2).reshape(PERMUTATIONS, -1)])
    return permuted_accuracies(pairs.reshape(2 * count, dimensions), sides, folds)


METRICS.register("c2st_p", TwoSamplePermutation())
