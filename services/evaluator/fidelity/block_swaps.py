"""Permutation test of the squared MMD by swapping blocks: it needs the kernel's block sums, never the kernel.

Blocks of the reference and of a corpus stand in pairs. Under equal distributions the two of a pair
may change places, so the squared length of the signed sum of their differences, with signs drawn at
random, is distributed as it is with all signs positive: the MMD. A thousand arrangements of fifty
blocks are one small product.

Source: Gretton et al. (2012), JMLR 13:723-773; Hemerik & Goeman (2018), TEST 27:811-825, on subgroups
of all permutations; Phipson & Smyth (2010) on counting the observed arrangement.
"""

import numpy as np

from services.domain.errors import InvalidInputError
from services.evaluator.fidelity import Doubles
from services.evaluator.fidelity.blocks import BlockSums

# Arrangements whose statistics differ by less than rounding are tied with the observed one.
_ROUNDING = 1e-9


def swap_gram(reference: BlockSums, corpus: BlockSums) -> Doubles:
    """Return inner products of the differences between paired blocks, shape (powers, blocks, blocks).

    Args:
        reference: With as many blocks as the corpus, of as many documents each.
        corpus: With its kernel sums against the reference.

    Raises:
        InvalidInputError: Paired blocks differ in number or in mass.
    """
    if reference.mass.shape != corpus.mass.shape or not np.allclose(reference.mass, corpus.mass):
        raise InvalidInputError(
            f"blocks change places only with blocks of as many documents: {len(reference.mass)} blocks of "
            f"{reference.mass.sum():g} documents stand against {len(corpus.mass)} of {corpus.mass.sum():g}",
            field="corpora",
        )
    cross = corpus.cross
    return np.asarray(reference.within + corpus.within - cross - cross.transpose(0, 2, 1))


def arrangements(blocks: int, permutations: int, rng: np.random.Generator) -> Doubles:
    """Return signs, shape (1 + permutations, blocks); -1 swaps a pair, and the first row swaps none."""
    signs = np.ones((1 + permutations, blocks))
    signs[1:] -= 2.0 * rng.integers(0, 2, (permutations, blocks))
    return signs


def swap_statistics(gram: Doubles, signs: Doubles) -> Doubles:
    """Return the statistic of every arrangement, shape (powers, arrangements).

    With no document meeting itself it ranks arrangements as the U-statistic does: what
    stands on the diagonal of blocks is the same in all of them.
    """
    return np.asarray(np.einsum("hpb,pb->hp", signs @ gram, signs))


def swap_p_values(statistics: Doubles) -> Doubles:
    """Return the share of arrangements that reach the first one's statistic, shape (powers,)."""
    observed = statistics[:, :1]
    reached = statistics >= observed - _ROUNDING * np.abs(observed)
    return np.asarray(reached.mean(axis=1))
