"""Worth in real documents: where on a ruler of new real documents an arm's score lies.

The ruler's scores rise with the rungs after isotonic regression and are linear between
them. Between two rungs the replicate scores and influences are interpolated linearly
too, so that section 4's interval exists at every number of documents.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from services.domain.errors import InvalidInputError
from services.evaluator.classification import Floats
from services.evaluator.estimation import estimate_difference, require_pairs, t_quantile
from services.evaluator.influence import ArmScores
from services.evaluator.planning import Rules, WorthResult
from services.evaluator.verdicts import refusal, wording

# Steps between two rungs at which the interval is evaluated; crossings are linear between steps.
STEPS = 32


class RulerPoint(NamedTuple):
    """A rung: the row twin holding this many new real documents."""

    real_documents: float
    scores: ArmScores


def worth_in_documents(
    name: str, treatment: ArmScores, rungs: Sequence[RulerPoint], rules: Rules, positive_count: int
) -> WorthResult:
    """Find the number of new real documents that score like the treatment.

    The interval holds every number at which the 95 % interval of the difference holds 0,
    and what lies between two such numbers.

    Raises:
        InvalidInputError: Fewer than two rungs, two of one length, or replicates or families
            that do not pair with the treatment's.
    """
    ordered = _ordered(name, rungs)
    for rung in ordered:
        require_pairs(treatment, rung.scores)
    lengths = np.array([rung.real_documents for rung in ordered])
    ruler = isotonic(np.array([rung.scores.values.mean() for rung in ordered]))
    score = float(treatment.values.mean())
    below, above = bool(score < ruler[0]), bool(score > ruler[-1])
    worth = None if below or above else _first_reaching(lengths, ruler, score)
    low, high = _compatible(treatment, ordered, ruler, rules)
    note = _note(treatment, rules, positive_count)
    return WorthResult(name, worth, low, high, below, above, float(lengths[-1]), note)


def isotonic(values: Floats) -> Floats:
    """Return the nearest non-decreasing values in least squares, by pooling adjacent violators.

    Source: Ayer et al. (1955), Annals of Mathematical Statistics 26:641-647.
    """
    blocks: list[tuple[float, int]] = []
    for value in values:
        total, count = float(value), 1
        while blocks and blocks[-1][0] * count > total * blocks[-1][1]:
            previous, size = blocks.pop()
            total, count = total + previous, count + size
        blocks.append((total, count))
    return np.concatenate([np.full(count, total / count) for total, count in blocks])


def _ordered(name: str, rungs: Sequence[RulerPoint]) -> list[RulerPoint]:
    ordered = sorted(rungs, key=lambda rung: rung.real_documents)
    lengths = [rung.real_documents for rung in ordered]
    if len(set(lengths)) != len(rungs) or len(rungs) < 2:
        raise InvalidInputError(
            f"ruler {name!r} needs two rungs or more of different lengths, not {lengths}",
            field="rulers.rungs",
        )
    return ordered


def _first_reaching(lengths: Floats, ruler: Floats, score: float) -> float:
    """Return the smallest length whose score on the ruler is the given one."""
    after = int(np.argmax(ruler >= score))
    if after == 0:
        return float(lengths[0])
    share = (score - ruler[after - 1]) / (ruler[after] - ruler[after - 1])
    return float(lengths[after - 1] + share * (lengths[after] - lengths[after - 1]))


def _compatible(
    treatment: ArmScores, rungs: Sequence[RulerPoint], ruler: Floats, rules: Rules
) -> tuple[float | None, float | None]:
    """Return the ends of the set of lengths that the treatment's score is compatible with.

    An end is None where the set is open: below none, or above the cap.
    """
    lengths, difference, half = _along(treatment, rungs, ruler, rules)
    excess = np.abs(difference) - half
    inside = np.flatnonzero(excess <= 0.0)
    if not len(inside):
        return _between_steps(lengths, difference)
    first, last = int(inside[0]), int(inside[-1])
    low = None if first == 0 else _crossing(lengths, excess, first - 1)
    high = None if last == len(lengths) - 1 else _crossing(lengths, excess, last)
    return low, high


def _between_steps(lengths: Floats, difference: Floats) -> tuple[float | None, float | None]:
    """Return the ends where no step is compatible: beyond the ruler, or one point on it."""
    if difference[0] < 0.0:
        return None, float(lengths[0])
    if difference[-1] > 0.0:
        return float(lengths[-1]), None
    step = int(np.flatnonzero(difference > 0.0)[-1])
    point = _crossing(lengths, difference, step)
    return point, point


def _along(
    treatment: ArmScores, rungs: Sequence[RulerPoint], ruler: Floats, rules: Rules
) -> tuple[Floats, Floats, Floats]:
    """Return lengths, the treatment's lead over the ruler and half the interval's width there."""
    points: list[tuple[float, float, float]] = []
    score = float(treatment.values.mean())
    for j, (left, right) in enumerate(pairwise(rungs)):
        shares = np.linspace(0.0, 1.0, STEPS + 1)
        for share in shares if j == len(rungs) - 2 else shares[:-1]:
            between = _between(left.scores, right.scores, share)
            half = _half_width(treatment, between, rules)
            difference = score - ((1.0 - share) * ruler[j] + share * ruler[j + 1])
            length = (1.0 - share) * left.real_documents + share * right.real_documents
            points.append((length, difference, half))
    lengths, differences, halves = np.array(points).T
    return lengths, differences, halves


def _between(left: ArmScores, right: ArmScores, share: float) -> ArmScores:
    values = (1.0 - share) * left.values + share * right.values
    return ArmScores(values, (1.0 - share) * left.influence + share * right.influence)


def _half_width(treatment: ArmScores, rung: ArmScores, rules: Rules) -> float:
    estimate = estimate_difference(treatment, rung, fixed_real=rules.fixed_real)
    return t_quantile(0.975, estimate.degrees_of_freedom) * estimate.standard_error


def _crossing(lengths: Floats, excess: Floats, step: int) -> float:
    """Return where the excess is zero between a step and the next."""
    share = excess[step] / (excess[step] - excess[step + 1])
    return float(lengths[step] + share * (lengths[step + 1] - lengths[step]))


def _note(treatment: ArmScores, rules: Rules, positive_count: int) -> str:
    replicates, families = treatment.influence.shape
    notes = [
        refusal(replicates, families, positive_count, rules),
        wording(rules.fixed_real or replicates == 1, replicates, families, rules),
    ]
    return "; ".join(note for note in notes if note)
