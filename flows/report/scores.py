"""Scores of cells, replicate by replicate: what experiments of their own analyses start from."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from flows.report.inputs import ReportInput
from services.evaluator.shares import over_replicates

# How labels are decided for the declared scores: by a tuned threshold, or by the best label.
HEADLINE_RULES = ("tuned", "argmax")


class Place(NamedTuple):
    """Where an arm was trained."""

    regime: int
    family: str
    arm: str


def replicate_scores(
    tables: ReportInput, *, metric: str = "micro_f1", threshold_rule: str = ""
) -> dict[Place, tuple[float, ...] | None]:
    """Return each arm's scores in the order of the replicates; None where one of them is undefined.

    Args:
        tables: The study's.
        metric: Of the cells.
        threshold_rule: Empty for that of the declared scores.
    """
    rules = (threshold_rule,) if threshold_rule else HEADLINE_RULES
    chosen = tables.measurements
    chosen = chosen[(chosen["metric"] == metric) & chosen["threshold_rule"].isin(rules)]
    found: dict[Place, tuple[float, ...] | None] = {}
    for (regime, family, arm), cells in chosen.groupby(["regime", "classifier_family", "arm"], sort=False):
        values = cells.sort_values("replicate")["value"].to_numpy(dtype=float)
        place = Place(int(str(regime)), str(family), str(arm))
        found[place] = None if np.isnan(values).any() else tuple(values.tolist())
    return found


def mean_interval(values: Sequence[float]) -> tuple[float, float | None, float | None]:
    """Return a mean over one replicate or more with its 95 % t interval; one value, or equal ones, have none."""
    found = over_replicates(np.asarray(values, dtype=float))
    interval = found.interval(0.95)
    return (found.mean, None, None) if interval is None else (found.mean, interval.low, interval.high)
