"""Permutation tests in which whole families change sides between a corpus and the reference."""

from abc import abstractmethod
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from services.evaluator.fidelity import Doubles, Estimate, Sample, Settings
from services.evaluator.fidelity.clustering import one_of_each
from services.evaluator.fidelity.one_by_one import PerCorpus

PERMUTATIONS = 999
MOST_FAMILIES = 500


class Sides(NamedTuple):
    """One document of each family, as many real as synthetic ones: shapes (n, d), in random order."""

    real: Doubles
    synthetic: Doubles


class FamilyPermutation(PerCorpus):
    """One document stands for each family, drawn at random, at most 500 a side.

    Under equal distributions these are exchangeable however many documents a source
    gave rise to; with several documents per source a test that permutes documents
    rejects a perfect generator in up to all cases. Undefined where families do not
    hold everything that depends on each other.

    Attributes:
        fewest_families: With fewer on either side there is no p.
    """

    lower_is_better = False
    depends_on_count = False
    has_scale = False
    weighs = False
    fewest_families: int

    def measure(
        self, reference: Sample, corpus: Sample, settings: Settings, rng: np.random.Generator
    ) -> Estimate:
        """Test a corpus."""
        rows = [one_of_each(sample.families, rng) for sample in (reference, corpus)]
        count = min(*map(len, rows), MOST_FAMILIES)
        if (refused := untestable(corpus, count, self.fewest_families)) is not None:
            return refused
        real, synthetic = (
            sample.embeddings[some[:count]].astype(np.float64)
            for sample, some in zip((reference, corpus), rows, strict=True)
        )
        return self.test(Sides(real, synthetic), rng)

    @abstractmethod
    def test(self, sides: Sides, rng: np.random.Generator) -> Estimate:
        """Compare the observed arrangement with `PERMUTATIONS` drawn ones."""


def untestable(corpus: Sample, families: int, fewest: int) -> Estimate | None:
    """Return why whole families of a corpus cannot change sides, None where they can.

    Args:
        corpus: Says itself where its families do not hold what depends on each other.
        families: A side.
        fewest: With fewer there is no p.
    """
    if corpus.not_exchangeable:
        return Estimate(None, len(corpus), undefined_reason=corpus.not_exchangeable)
    if families < fewest:
        reason = f"{families} families a side, fewer than {fewest}"
        return Estimate(None, families, undefined_reason=reason)
    return None


def permutation_p(reached: npt.NDArray[np.bool_]) -> float:
    """Return the share of arrangements that reach the observed one, which counts as one of them.

    Args:
        reached: One per drawn arrangement.

    Source: Phipson & Smyth (2010), Stat. Appl. Genet. Mol. Biol. 9:39.
    """
    return float((1 + reached.sum()) / (len(reached) + 1))
