"""Scores of cells, replicate by replicate: what experiments of their own analyses start from."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats

from flows.report.inputs import ReportInput

TUNED = "tuned"


class Place(NamedTuple):
    """Where an arm was trained."""

    regime: int
    family: str
    arm: str


def replicate_scores(
    tables: ReportInput, *, metric: str = "micro_f1", threshold_rule: str = TUNED
) -> dict[Place, tuple[float, ...] | None]:
    """Return each arm's scores in the order of the replicates; None where one of them is undefined."""
    chosen = tables.measurements
    chosen = chosen[(chosen["metric"] == metric) & (chosen["threshold_rule"] == threshold_rule)]
    found: dict[Place, tuple[float, ...] | None] = {}
    for (regime, family, arm), cells in chosen.groupby(["regime", "classifier_family", "arm"], sort=False):
        values = cells.sort_values("replicate")["value"].to_numpy(dtype=float)
        place = Place(int(str(regime)), str(family), str(arm))
        found[place] = None if np.isnan(values).any() else tuple(values.tolist())
    return found


def mean_interval(values: Sequence[float]) -> tuple[float, float | None, float | None]:
    """Return a mean over replicates with its 95 % t interval; one value has none."""
    found = np.asarray(values, dtype=float)
    mean = float(found.mean())
    if len(found) < 2:
        return mean, None, None
    half = float(stats.t.ppf(0.975, len(found) - 1) * found.std(ddof=1) / np.sqrt(len(found)))
    return mean, mean - half, mean + half
