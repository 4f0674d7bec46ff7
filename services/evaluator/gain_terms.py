"""The parts of a raw gain and the contrasts behind it, as weighted sums of scores.

A score v(arm, budget, threshold rule) is a cell; every term is a sum of cells with weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

REAL_ONLY, ROW_TWIN, EDA_TWIN = "real_only", "row_twin", "eda_twin"
PARAPHRASE, SYNTHESIS = "paraphrase", "synthesis"
ARMS = (REAL_ONLY, ROW_TWIN, EDA_TWIN, PARAPHRASE, SYNTHESIS)
SMALL, LARGE, OWN = "small", "large", "own"
BUDGETS = (SMALL, LARGE, OWN)
HALF, TUNED = "0.5", "tuned"
THRESHOLD_RULES = (HALF, TUNED)


class Cell(NamedTuple):
    """Where a score was taken.

    Attributes:
        arm: One of `ARMS`.
        budget: "small" for the steps (or C) of the real-only arm, "large" for those of the
            augmented size, "own" for what was tuned for the arm alone.
        threshold_rule: "0.5" or "tuned".
    """

    arm: str
    budget: str
    threshold_rule: str


Weights = Mapping[Cell, float]


def _sum(*parts: tuple[float, Weights]) -> Weights:
    total: dict[Cell, float] = {}
    for factor, weights in parts:
        for cell, weight in weights.items():
            total[cell] = total.get(cell, 0.0) + factor * weight
    return {cell: weight for cell, weight in total.items() if weight}


def _lead(first: Cell, second: Cell) -> Weights:
    return {first: 1.0, second: -1.0}


def _tuned(arm: str, budget: str) -> Cell:
    return Cell(arm, budget, TUNED)


_GAIN = _lead(Cell(SYNTHESIS, LARGE, HALF), Cell(REAL_ONLY, SMALL, HALF))
_TUNED_GAIN = _lead(_tuned(SYNTHESIS, LARGE), _tuned(REAL_ONLY, SMALL))
_BUDGET_FIRST = _lead(_tuned(REAL_ONLY, LARGE), _tuned(REAL_ONLY, SMALL))
_BUDGET_LAST = _lead(_tuned(SYNTHESIS, LARGE), _tuned(SYNTHESIS, SMALL))
_DOCUMENTS_FIRST = _lead(_tuned(SYNTHESIS, SMALL), _tuned(REAL_ONLY, SMALL))
_DOCUMENTS_LAST = _lead(_tuned(SYNTHESIS, LARGE), _tuned(REAL_ONLY, LARGE))

# Calibration, budget and documents sum to the gain; budget and documents are Shapley means of
# what each adds when it comes first and when it comes last.
PARTS: Mapping[str, Weights] = {
    "gain": _GAIN,
    "tuned_gain": _TUNED_GAIN,
    "calibration": _sum((1.0, _GAIN), (-1.0, _TUNED_GAIN)),
    "budget": _sum((0.5, _BUDGET_FIRST), (0.5, _BUDGET_LAST)),
    "documents": _sum((0.5, _DOCUMENTS_FIRST), (0.5, _DOCUMENTS_LAST)),
    "budget_first": _BUDGET_FIRST,
    "budget_last": _BUDGET_LAST,
    "documents_first": _DOCUMENTS_FIRST,
    "documents_last": _DOCUMENTS_LAST,
    "interaction": _sum((1.0, _BUDGET_LAST), (-1.0, _BUDGET_FIRST)),
    # What a control of the same size gains: the reading of a twin at the threshold of a half.
    "volume": _lead(Cell(ROW_TWIN, LARGE, HALF), Cell(REAL_ONLY, SMALL, HALF)),
}
CONTRASTS: Mapping[str, Weights] = {
    "replication": _lead(_tuned(ROW_TWIN, LARGE), _tuned(REAL_ONLY, LARGE)),
    "surface": _lead(_tuned(EDA_TWIN, LARGE), _tuned(ROW_TWIN, LARGE)),
    "rewriting": _lead(_tuned(PARAPHRASE, LARGE), _tuned(ROW_TWIN, LARGE)),
    "synthesis": _lead(_tuned(SYNTHESIS, LARGE), _tuned(ROW_TWIN, LARGE)),
    "synthesis_own_budget": _lead(_tuned(SYNTHESIS, OWN), _tuned(ROW_TWIN, OWN)),
}
TERMS = (*PARTS, *CONTRASTS)
