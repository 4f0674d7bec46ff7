"""Permutation test of the squared maximum mean discrepancy."""

import numpy as np

from services.evaluator.fidelity import METRICS, Doubles, Estimate
from services.evaluator.fidelity.bandwidth import median_bandwidth
from services.evaluator.fidelity.family_permutation import (
    PERMUTATIONS,
    FamilyPermutation,
    Sides,
    permutation_p,
)


class MmdPermutation(FamilyPermutation):
    """The statistic is mmd2 of one document per family, under 999 exchanges of families.

    The bandwidth is the median heuristic on both samples together, so that it does not
    know which is which. Undefined under 20 families a side.

    Source: Gretton et al. (2012), JMLR 13:723-773.
    """

    description = (
        "Permutation p-value of mmd2 over whole source families; undefined where documents name no source. "
        "Small values say that the corpus is told apart from real text."
    )
    version = 2
    minimum_count = 2
    fewest_families = 20

    def test(self, sides: Sides, rng: np.random.Generator) -> Estimate:
        """Rank the observed arrangement among the drawn ones."""
        x = np.concatenate(sides)
        signs = np.ones((PERMUTATIONS + 1, len(x)))
        signs[:, len(x) // 2 :] = -1
        signs[1:] = rng.permuted(signs[1:], axis=1)
        # With equal sizes this ranks arrangements as the U-statistic does.
        statistics = np.einsum("pi,pi->p", signs @ _kernel(x), signs)
        p_value = permutation_p(statistics[1:] >= statistics[0] - 1e-9 * abs(statistics[0]))
        return Estimate(p_value, len(sides.real))


def _kernel(x: Doubles) -> Doubles:
    """Return the kernel of all pairs, 0 on the diagonal, which is the same in every arrangement."""
    norms = np.square(x).sum(axis=1)
    exponent = x @ x.T - norms[:, None] / 2 - norms[None, :] / 2
    kernel = np.exp(exponent / median_bandwidth(x) ** 2)
    np.fill_diagonal(kernel, 0)
    return np.asarray(kernel)


METRICS.register("mmd2_p", MmdPermutation())
