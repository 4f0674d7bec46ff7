"""Squared maximum mean discrepancy."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from services.domain.errors import InvalidInputError
from services.domain.measurement import Interval
from services.evaluator.fidelity import METRICS, Doubles, Estimate, Sample, Settings
from services.evaluator.fidelity.bandwidth import median_bandwidth
from services.evaluator.fidelity.blocks import BlockSums, kernel_sums

LEVEL = 0.95
# Which power of the pass is the median heuristic; the one before it is wider.
CENTRAL = 1


class SquaredMmd:
    """Gaussian kernel, bandwidth by the median heuristic on the reference.

    The value is the U-statistic: zero on average for equal distributions, so it
    can be negative, and its expectation does not depend on the number of
    documents. Both hold for independent documents: pairs of one family count like others,
    so that a corpus of near copies of its sources lies above zero by the copies alone. The interval comes from a jackknife over blocks of whole families,
    of the corpus and of the reference. It describes the draw of documents; close
    to zero, where the statistic is degenerate, it is only approximate.

    Source: Gretton et al. (2012), JMLR 13:723-773, lemma 6.
    """

    description = (
        "Squared maximum mean discrepancy to the reference, unbiased (it can be negative); Gaussian kernel, "
        "median heuristic on the reference, and the same at 1.41 and 0.71 times that bandwidth."
    )
    version = 1
    lower_is_better = True
    minimum_count = 2
    depends_on_count = False
    has_scale = True

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
        """Measure all corpora in one pass."""
        for sample in (reference, *corpora):
            if len(sample) < self.minimum_count:
                raise InvalidInputError(
                    f"MMD needs two documents per corpus, not {len(reference)} and {len(sample)}",
                    field="corpora",
                )
        base, *sums = kernel_sums(reference, corpora, gamma_of(settings["bandwidth"]))
        return tuple(estimate(base, s, len(c), settings) for s, c in zip(sums, corpora, strict=True))


@dataclass(frozen=True, slots=True)
class _Parts:
    """What the statistic is made of, with any leading shape."""

    within: Doubles
    mass: Doubles
    squares: Doubles

    @property
    def mean(self) -> Doubles:
        """Mean kernel over pairs of distinct documents."""
        return np.asarray(self.within / (self.mass**2 - self.squares))


def gamma_of(bandwidth: float) -> float:
    """Return the exponent of the widest kernel of the pass.

    Raises:
        InvalidInputError: The bandwidth is not a positive number.
    """
    if not (np.isfinite(bandwidth) and bandwidth > 0):
        raise InvalidInputError(f"a bandwidth has to be positive, not {bandwidth}", field="bandwidth")
    return float(0.25 / bandwidth**2)


def estimate(base: BlockSums, sums: BlockSums, count: int, settings: Settings) -> Estimate:
    """Return the statistic at three bandwidths, and its interval at the central one.

    Args:
        base: Of the reference.
        sums: Of a corpus.
        count: Its documents.
        settings: Become part of the estimates.
    """
    values = [_statistic(_whole(base, h), _whole(sums, h), sums.cross[h].sum()) for h in range(3)]
    value = float(values[CENTRAL])
    estimates = {**settings, "mmd2_wide": float(values[0]), "mmd2_narrow": float(values[2])}
    return Estimate(value, count, _interval(base, sums, value), estimates=estimates)


def _statistic(reference: _Parts, corpus: _Parts, cross: Doubles) -> Doubles:
    return np.asarray(reference.mean + corpus.mean - 2 * cross / (reference.mass * corpus.mass))


def _whole(sums: BlockSums, power: int) -> _Parts:
    return _Parts(sums.within[power].sum(), sums.mass.sum(), sums.squares.sum())


def _without_each(sums: BlockSums, power: int) -> _Parts:
    """Return the parts with one block left out, shape (blocks,)."""
    within = sums.within[power]
    rest = within.sum() - within.sum(axis=0) - within.sum(axis=1) + np.diag(within)
    return _Parts(rest, sums.mass.sum() - sums.mass, sums.squares.sum() - sums.squares)


def _interval(base: BlockSums, sums: BlockSums, value: float) -> Interval | None:
    cross = sums.cross[CENTRAL]
    blocks = min(cross.shape)
    if min(base.mass.sum() - base.mass.max(), sums.mass.sum() - sums.mass.max()) <= 1 or blocks < 3:
        return None
    of_corpus = _statistic(
        _whole(base, CENTRAL), _without_each(sums, CENTRAL), cross.sum() - cross.sum(axis=1)
    )
    of_reference = _statistic(
        _without_each(base, CENTRAL), _whole(sums, CENTRAL), cross.sum() - cross.sum(axis=0)
    )
    error = np.sqrt(_jackknife(of_corpus) + _jackknife(of_reference))
    half = float(stats.t.ppf(0.5 + LEVEL / 2, blocks - 1) * error)
    return Interval(value - half, value + half, LEVEL)


def _jackknife(left_out: Doubles) -> float:
    count = len(left_out)
    return float((count - 1) / count * np.square(left_out - left_out.mean()).sum())


METRICS.register("mmd2", SquaredMmd())
