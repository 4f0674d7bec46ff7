"""Contrasts of scores that are means over documents or queries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from services.domain.errors import InvalidInputError
from services.evaluator.classification import BoolMatrix, Floats
from services.evaluator.inference import Evidence, judge
from services.evaluator.influence import ArmScores, Families, arm_scores, mean_terms
from services.evaluator.planning import ContrastResult, Rules


@dataclass(frozen=True, slots=True)
class UnitValues:
    """One value per document or query of one replicate, shape (n,), and which are defined."""

    values: Floats
    defined: BoolMatrix


def contrast_of_means(
    treatment: Floats,
    control: Floats,
    families: Families,
    rules: Rules,
    *,
    defined: BoolMatrix | None = None,
    name: str = "contrast",
    score: str = "mean",
    declared: bool = True,
) -> ContrastResult:
    """Compare two arms whose score is a mean over queries.

    Args:
        treatment: Shape (R, Q), a value per replicate and query.
        control: Shape (R, Q).
        defined: Shape (Q,), the queries that have a value; all of them when absent.
    """
    kept = np.ones(treatment.shape[1], dtype=np.bool_) if defined is None else defined
    first, second = ([UnitValues(row, kept) for row in side] for side in (treatment, control))
    evidence = mean_evidence(name, first, second, families, declared=declared, score=score)
    (result,) = judge([evidence], rules)
    return result


def mean_evidence(
    name: str,
    treatment: Sequence[UnitValues],
    control: Sequence[UnitValues],
    families: Families,
    *,
    declared: bool,
    score: str,
    positive_count: int | None = None,
) -> Evidence:
    """Return what a contrast of means rests on: the units that have a value everywhere.

    A unit with a value in some replicates only is left out of all of them, and counted.

    Args:
        positive_count: Positive labels behind a score over documents; None where the units
            are queries, which have a minimum of their own.
    """
    units = [*treatment, *control]
    if len({len(unit.values) for unit in units} | {len(families.codes)}) != 1:
        raise InvalidInputError("both sides need one value per unit of the truth", field="contrasts")
    everywhere = np.logical_and.reduce([unit.defined for unit in units])
    left_out = int((np.logical_or.reduce([unit.defined for unit in units]) & ~everywhere).sum())
    remark = f"{left_out} units have a value on some sides only and are left out" if left_out else ""
    undefined = not everywhere.any()
    sides = [
        None if undefined else _over_families(side, everywhere, families) for side in (treatment, control)
    ]
    return Evidence(
        name,
        sides[0],
        sides[1],
        int(everywhere.sum()) if positive_count is None else positive_count,
        declared,
        score,
        of_queries=positive_count is None,
        remark=f"no unit has a value on all sides; {remark}".strip("; ") if undefined else remark,
    )


def _over_families(side: Sequence[UnitValues], kept: BoolMatrix, families: Families) -> ArmScores:
    chosen = families.of(kept)
    return arm_scores([mean_terms(unit.values[kept], chosen) for unit in side])
