"""Summaries that only a page needs: fidelity over replicates, and shares of a raw gain."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from flows.report.formatting import number_or_none, text_or
from flows.report.inputs import ReportInput
from flows.report.queries import Row, primary_score
from flows.report.scores import HEADLINE_RULES
from services.evaluator.decomposition import LEAST_GAIN, MOST_G
from services.evaluator.estimation import t_quantile
from services.evaluator.shares import fieller_g, fieller_ratio, over_replicates


class Mean(NamedTuple):
    """A mean over replicates with its 95 % t interval; None where fewer than two allow one."""

    value: float | None
    low: float | None
    high: float | None
    replicate_count: int
    reason: str


class Share(NamedTuple):
    """The share of the raw gain that a control of the same size shows too.

    `volume` and `content` are points (control minus real only, treatment minus control) and always sum
    to the raw gain. The share is None, with its reason, unless inference.md section 5 allows it.
    """

    volume: float | None
    content: float | None
    share: float | None
    low: float | None
    high: float | None
    replicate_count: int
    reason: str


def replicate_mean(values: Sequence[object], reason: str = "") -> Mean:
    known = [v for v in (number_or_none(value) for value in values) if v is not None]
    if not known:
        return Mean(None, None, None, 0, text_or(reason, "no replicate has a value"))
    centre, error, count = over_replicates(np.array(known))
    if error is None:
        return Mean(centre, None, None, 1, "one replicate: no interval")
    half = t_quantile(0.975, count - 1) * error
    return Mean(centre, centre - half, centre + half, count, "")


def fidelity_mean(candidates: Sequence[Row], column: str) -> Mean:
    """The mean of `value` or `normalised` over a generator's corpora; one corpus keeps its own interval."""
    reasons = [str(row["undefined_reason"]) for row in candidates if text_or(row["undefined_reason"], "")]
    mean = replicate_mean([row[column] for row in candidates], reasons[0] if reasons else _gap_reason(column))
    if mean.replicate_count == 1 and column == "value" and len(candidates) == 1:
        low, high = number_or_none(candidates[0]["low"]), number_or_none(candidates[0]["high"])
        return mean._replace(low=low, high=high, reason="" if low is not None else mean.reason)
    return mean


def volume_share(tables: ReportInput, contrast: Row, raw: Row) -> Share:
    """Split a raw gain into what its control gains too and what it does not.

    Args:
        contrast: The gain against control.
        raw: The gain against real_only of the same arm, regime and family.

    Shares are given by the rule of `decompose_gain`.
    """
    scores = _paired_scores(tables, contrast, str(raw["control"]))
    if len(scores) < 2:
        return Share(
            None, None, None, None, None, len(scores), "per-replicate scores of all three arms are needed"
        )
    volume, gain = scores[:, 1] - scores[:, 2], scores[:, 0] - scores[:, 2]
    points = Share(float(volume.mean()), float((gain - volume).mean()), None, None, None, len(scores), "")
    low = number_or_none(raw["low95"])
    if low is None or low <= LEAST_GAIN:
        return points._replace(reason=f"the raw gain's lower bound is not above {LEAST_GAIN}")
    return _fieller(points, volume, gain)


def _fieller(points: Share, part: np.ndarray, whole: np.ndarray) -> Share:
    if (g := fieller_g(whole)) >= MOST_G:
        return points._replace(
            reason=f"the raw gain varies too much between replicates (Fieller's g = {g:.2f})"
        )
    ratio = fieller_ratio(part, whole)
    points = points._replace(share=ratio.value)
    return (
        points
        if ratio.interval is None
        else points._replace(low=ratio.interval.low, high=ratio.interval.high)
    )


def _paired_scores(tables: ReportInput, contrast: Row, real_arm: str) -> np.ndarray:
    """Shape (replicates, 3): treatment, control and real only, replicates with all three."""
    metric = primary_score(tables)
    table = tables.measurements
    here = table[
        (table["metric"] == metric)
        & table["threshold_rule"].isin(HEADLINE_RULES)
        & (table["regime"] == contrast["regime"])
        & (table["classifier_family"] == contrast["classifier_family"])
    ]
    own = contrast["generator"]
    parts = [
        _by_replicate(here, str(contrast["arm"]), own),
        _by_replicate(here, str(contrast["control"]), own),
        _by_replicate(here, real_arm, ""),
    ]
    return pd.concat(parts, axis=1, join="inner").dropna().to_numpy(dtype=float)


def _by_replicate(table: pd.DataFrame, arm: str, generator: str) -> pd.Series:
    chosen = table[(table["arm"] == arm) & (table["generator"].fillna("") == generator)]
    return chosen.drop_duplicates("replicate").set_index("replicate")["value"].astype(float)


def _gap_reason(column: str) -> str:
    return "floor and ceiling are less than 4 floor sd apart" if column == "normalised" else ""
