"""Where a raw gain comes from: the threshold, the training budget or the documents.

Every term is computed in each replicate and then averaged, so that its interval is that of
a paired difference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from services.domain.errors import InvalidInputError
from services.domain.measurement import Interval
from services.evaluator.classification import Floats
from services.evaluator.finite import require_replicates
from services.evaluator.gain_terms import ARMS, BUDGETS, CONTRASTS, PARTS, THRESHOLD_RULES, Cell, Weights
from services.evaluator.shares import fieller_g, fieller_ratio, over_replicates

# A share of less gain than this, or of a gain known so badly, says nothing.
LEAST_GAIN = 0.02
MOST_G = 0.2


@dataclass(frozen=True, slots=True)
class CellScores:
    """The score of a cell in every replicate."""

    arm: str
    budget: str
    threshold_rule: str
    scores: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class GainTerm:
    """A part of a gain, or a contrast of two arms.

    Attributes:
        effect: Mean over replicates; None where `note` says what was not run.
        interval95: Over replicates, t with R - 1; None without variance.
        interval90: For a test of equivalence.
        share: Of the raw gain; None for contrasts and where `shares_refused` says why. May
            lie below 0 or above 1.
        share_interval95: Fieller's.
    """

    name: str
    effect: float | None
    interval95: Interval | None
    interval90: Interval | None
    standard_error: float | None
    share: float | None
    share_interval95: Interval | None
    note: str


@dataclass(frozen=True, slots=True)
class GainDecomposition:
    """All parts and contrasts, in the order of `gain_terms.TERMS`.

    Attributes:
        fieller_g: (t SE / mean)^2 of the raw gain; None where it has none.
        shares_refused: Why there are no shares; empty if there are.
    """

    terms: tuple[GainTerm, ...]
    replicate_count: int
    fieller_g: float | None
    shares_refused: str

    def term(self, name: str) -> GainTerm:
        """Return a term by its name, one of `gain_terms.TERMS`."""
        return next(term for term in self.terms if term.name == name)


def decompose_gain(cells: Sequence[CellScores]) -> GainDecomposition:
    """Split a raw gain and contrast the arms behind it.

    A term whose cells were not all run is None with the reason. Shares of the gain are given
    only if its lower 95 % bound is above .02 and Fieller's g below .2, and never clipped.

    Args:
        cells: One or more, each with the same R replicates in the same order.

    Raises:
        InvalidInputError: An arm, budget or rule that is none, a cell twice, scores that are
            not finite or not one per replicate.
    """
    _require_paired(cells)
    scores = {
        Cell(one.arm, one.budget, one.threshold_rule): np.array(one.scores, dtype=np.float64) for one in cells
    }
    gain = _replicates(PARTS["gain"], scores)
    refused = _shares_refused(gain)
    terms = [_term(name, weights, scores) for name, weights in {**PARTS, **CONTRASTS}.items()]
    if gain is not None and not refused:
        terms = [_with_share(term, gain, scores) for term in terms]
    known = gain is not None and len(gain) > 1 and bool(gain.mean())
    g = fieller_g(gain) if gain is not None and known else None
    return GainDecomposition(tuple(terms), len(cells[0].scores), g, refused)


def _replicates(weights: Weights, scores: Mapping[Cell, Floats]) -> Floats | None:
    """Return a term in every replicate, shape (R,); None where a cell is missing."""
    if not weights.keys() <= scores.keys():
        return None
    return np.asarray(np.sum([weight * scores[cell] for cell, weight in weights.items()], axis=0))


def _term(name: str, weights: Weights, scores: Mapping[Cell, Floats]) -> GainTerm:
    values = _replicates(weights, scores)
    if values is None:
        missing = ", ".join(" ".join(cell) for cell in weights if cell not in scores)
        return GainTerm(name, None, None, None, None, None, None, f"not run: {missing}")
    found = over_replicates(values)
    note = ""
    if found.standard_error is None:
        note = "one replicate: no interval"
    elif found.standard_error == 0.0:
        note = "the replicates do not differ: no interval"
    return GainTerm(
        name, found.mean, found.interval(0.95), found.interval(0.90), found.standard_error, None, None, note
    )


def _with_share(term: GainTerm, gain: Floats, scores: Mapping[Cell, Floats]) -> GainTerm:
    values = _replicates(PARTS[term.name], scores) if term.name in PARTS else None
    if values is None or term.name == "gain":
        return term
    ratio = fieller_ratio(values, gain)
    return replace(term, share=ratio.value, share_interval95=ratio.interval)


def _shares_refused(gain: Floats | None) -> str:
    """Return why no share of the gain may be printed; empty if it may."""
    if gain is None:
        return "the gain was not run"
    interval = over_replicates(gain).interval(0.95)
    if interval is None:
        return "the gain has no interval over replicates"
    reasons = []
    if interval.low <= LEAST_GAIN:
        reasons.append(
            f"the gain's lower 95 % bound is {interval.low:.3f}, shares take more than {LEAST_GAIN}"
        )
    if (g := fieller_g(gain)) >= MOST_G:
        reasons.append(f"Fieller's g is {g:.2f}, shares take less than {MOST_G}")
    return "; ".join(reasons)


def _require_paired(cells: Sequence[CellScores]) -> None:
    if not cells:
        raise InvalidInputError("there are no cells; give the scores of one or more", field="cells")
    seen: set[Cell] = set()
    for i, one in enumerate(cells):
        where = f"cells[{i}]"
        _require_known(one, where)
        cell = Cell(one.arm, one.budget, one.threshold_rule)
        if cell in seen:
            raise InvalidInputError(f"{where} is {' '.join(cell)} a second time", field=where)
        seen.add(cell)
        require_replicates(one.scores, len(cells[0].scores), where)


def _require_known(one: CellScores, where: str) -> None:
    for part, known in (("arm", ARMS), ("budget", BUDGETS), ("threshold_rule", THRESHOLD_RULES)):
        if getattr(one, part) not in known:
            raise InvalidInputError(
                f"{where} has {part} {getattr(one, part)!r}; known are {', '.join(known)}",
                field=f"{where}.{part}",
            )
