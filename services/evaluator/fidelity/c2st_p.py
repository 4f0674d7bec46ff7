"""Permutation test of the classifier two-sample test."""

import numpy as np

from services.evaluator.fidelity import METRICS, Doubles, Estimate
from services.evaluator.fidelity.family_permutation import (
    PERMUTATIONS,
    FamilyPermutation,
    Sides,
    permutation_p,
)
from services.evaluator.fidelity.telling_apart import FOLDS, permuted_accuracies

FEWEST_FAMILIES = 200


class TwoSamplePermutation(FamilyPermutation):
    """Whole families change sides, and the classifier is fitted anew each time.

    Sides change places within folds, which keeps every fold balanced. Undefined under
    200 families a side.

    Source: Kim et al. (2021), Ann. Statist. 49:411-434.
    """

    description = (
        "Permutation p-value of c2st over whole source families, the classifier refitted under each arrangement; "
        "undefined under 200 families a side and where documents name no source."
    )
    version = 2
    minimum_count = FEWEST_FAMILIES
    fewest_families = FEWEST_FAMILIES

    def test(self, sides: Sides, rng: np.random.Generator) -> Estimate:
        """Fit the classifier under every arrangement."""
        # As many of either side in every fold.
        count = len(sides.real) // FOLDS * FOLDS
        pairs = np.stack([side[:count] for side in sides], axis=1)
        accuracies = _accuracies(pairs, rng)
        p_value = permutation_p(accuracies[1:] >= accuracies[0])
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
