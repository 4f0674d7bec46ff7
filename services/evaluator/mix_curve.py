"""The mix curve: which shares of real rows in a fixed budget are not shown worse than the best.

Shares are crossed with replicates, so a replicate's luck is taken off before the noise is
measured. The best of several noisy means lies too high and its place is unsure: the set of
shares that may hold the optimum is Tukey's, and the optimum's height comes from replicates
that had no part in choosing it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from services.domain.errors import InvalidInputError
from services.evaluator.classification import Floats
from services.evaluator.crossed_layout import ALPHA, keep_margin, residuals, variance_ratio
from services.evaluator.estimation import ROUNDING
from services.evaluator.finite import require_replicates

MINIMUM_REPLICATES = 5
MAXIMUM_VARIANCE_RATIO = 4.0

BEST, NOT_SHOWN_WORSE, WORSE, NOT_JUDGED = "best", "not shown worse", "worse", "not judged"


@dataclass(frozen=True, slots=True)
class MixScores:
    """A share of real rows in 0..1 and its score in every replicate."""

    real_share: float
    scores: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class MixPoint:
    """A share on the curve.

    Attributes:
        standing: "best" for the highest mean, "not shown worse" for the others that the
            keep-set holds, "worse" for the rest; "not judged" where there is no keep-set.
    """

    real_share: float
    mean: float
    standing: str


@dataclass(frozen=True, slots=True)
class MixCurve:
    """A curve with the shares that may be its optimum.

    Attributes:
        points: In ascending order of the share.
        height: Score of the share chosen on all replicates but one, in that one, averaged
            over which one it was; not the highest mean, which is too high.
        residual_sd: s of scores less share and replicate means; None, as the two below,
            without a keep-set.
        margin: q.05(k, df) * s / sqrt(R): how far below the highest mean the keep-set reaches.
        variance_ratio: Largest over smallest residual variance of a share; None where the
            smallest is 0.
        variance_p_value: Chance of such a ratio where all variances are equal.
        refused: Why there is no keep-set; empty if there is one.
        note: How the set must be read.
    """

    points: tuple[MixPoint, ...]
    height: float | None
    residual_sd: float | None
    degrees_of_freedom: int | None
    margin: float | None
    variance_ratio: float | None
    variance_p_value: float | None
    replicate_count: int
    refused: str
    note: str

    @property
    def kept(self) -> tuple[float, ...]:
        """Shares that are the best or not shown worse."""
        return tuple(p.real_share for p in self.points if p.standing in (BEST, NOT_SHOWN_WORSE))


def analyse_mix(shares: Sequence[MixScores]) -> MixCurve:
    """Find the shares that may be the best of a mix curve.

    Refused, with the reason: fewer than five replicates, scores that do not vary, or
    variances that differ by more than 4:1 and by more than equal ones would (see
    `variance_ratio`).

    Args:
        shares: Two or more, with the same replicates in the same order.

    Raises:
        InvalidInputError: One share, a share twice or outside 0..1, scores that are not
            finite or not one per replicate.
    """
    _require_crossed(shares)
    ordered = sorted(shares, key=lambda one: one.real_share)
    scores = np.array([one.scores for one in ordered], dtype=np.float64)
    draft = _draft(ordered, scores)
    if draft.replicate_count < MINIMUM_REPLICATES:
        few = f"{draft.replicate_count} replicates, a keep-set takes {MINIMUM_REPLICATES}"
        return replace(draft, refused=few)
    draft = replace(draft, height=held_out_height(scores))
    if np.abs(residuals(scores)).max() <= ROUNDING:
        return replace(
            draft, refused="no variance beyond that of shares and replicates, so nothing to judge by"
        )
    ratio, p_value = variance_ratio(scores)
    draft = replace(draft, variance_ratio=ratio, variance_p_value=p_value)
    if ratio is None or (ratio > MAXIMUM_VARIANCE_RATIO and p_value < ALPHA):
        return replace(draft, refused=_unequal(ratio))
    return _kept(draft, scores)


def held_out_height(scores: Floats) -> float:
    """Return the mean score of the chosen share in replicates that did not choose it.

    Args:
        scores: Shape (k, R), R >= 2. The first of several best shares is chosen.
    """
    others = scores.sum(axis=1, keepdims=True) - scores
    return float(np.mean(scores[np.argmax(others, axis=0), np.arange(scores.shape[1])]))


def _kept(draft: MixCurve, scores: Floats) -> MixCurve:
    """Return the curve with its keep-set."""
    sd, freedom, margin = keep_margin(scores)
    means = scores.mean(axis=1)
    standings = [NOT_SHOWN_WORSE if mean >= means.max() - margin else WORSE for mean in means]
    standings[int(np.argmax(means))] = BEST
    points = tuple(replace(p, standing=s) for p, s in zip(draft.points, standings, strict=True))
    note = ""
    if draft.variance_ratio is not None and draft.variance_ratio > MAXIMUM_VARIANCE_RATIO:
        note = f"variances differ {draft.variance_ratio:.1f}:1, as equal ones do by chance with p = "
        note += f"{draft.variance_p_value:.2f}"
    return replace(draft, points=points, residual_sd=sd, degrees_of_freedom=freedom, margin=margin, note=note)


def _draft(ordered: Sequence[MixScores], scores: Floats) -> MixCurve:
    """Return what is known before anything is judged."""
    points = tuple(
        MixPoint(one.real_share, float(mean), NOT_JUDGED)
        for one, mean in zip(ordered, scores.mean(axis=1), strict=True)
    )
    return MixCurve(points, None, None, None, None, None, None, scores.shape[1], "", "")


def _unequal(ratio: float | None) -> str:
    if ratio is None:
        return "a share's residuals do not vary while others' do; one spread for all would be wrong"
    return (
        f"the variances of the shares differ {ratio:.1f}:1, a keep-set allows {MAXIMUM_VARIANCE_RATIO:.0f}:1"
    )


def _require_crossed(shares: Sequence[MixScores]) -> None:
    if len(shares) < 2:
        raise InvalidInputError(f"a curve takes two shares or more, not {len(shares)}", field="shares")
    for i, one in enumerate(shares):
        where = f"shares[{i}]"
        if not 0.0 <= one.real_share <= 1.0 or one.real_share in [s.real_share for s in shares[:i]]:
            raise InvalidInputError(
                f"{where} is {one.real_share}; shares lie in 0..1, each of them once",
                field=f"{where}.real_share",
            )
        require_replicates(one.scores, len(shares[0].scores), where)
