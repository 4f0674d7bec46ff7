from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from flows.report.columns import empty_table
from flows.report.inputs import ReportInput
from flows.report.queries import Row, gains, headline, within
from flows.report.summaries import Share, replicate_mean, volume_share


def pair(example: ReportInput, generator: str) -> tuple[Row, Row]:
    scope = headline(example)
    assert scope is not None
    found = (within(gains(example, kind), scope) for kind in ("gain_vs_control", "gain_vs_real"))
    control, raw = (next(row for row in rows if row["generator"] == generator) for rows in found)
    return control, raw


def share(example: ReportInput, generator: str) -> Share:
    return volume_share(example, *pair(example, generator))


def test_mean_has_students_interval() -> None:
    values = [0.1, 0.2, 0.15, 0.3]
    low, high = stats.t.interval(0.95, 3, np.mean(values), stats.sem(values))
    assert replicate_mean(values)[:3] == pytest.approx((np.mean(values), low, high))


def test_one_replicate_has_no_interval() -> None:
    assert replicate_mean([0.1, None])[1:] == (None, None, 1, "one replicate: no interval")


def test_no_value_gives_the_reason() -> None:
    assert replicate_mean([None, float("nan")], "floor too near").reason == "floor too near"


def test_share_is_stated_for_a_large_gain(example: ReportInput) -> None:
    found = share(example, "oracle")
    assert found.share is not None and found.low is not None and found.high is not None
    assert found.low < found.share < found.high


def test_share_is_volume_over_raw_gain(example: ReportInput) -> None:
    found = share(example, "oracle")
    assert found.volume is not None and found.content is not None
    assert found.share == pytest.approx(found.volume / (found.volume + found.content))


def test_share_of_a_small_gain_is_withheld(example: ReportInput) -> None:
    found = share(example, "exact_null")
    assert found.share is None
    assert "not above 0.02" in found.reason
    assert found.volume is not None


def test_share_of_a_noisy_gain_is_withheld(example: ReportInput) -> None:
    table = example.measurements.copy()
    treated = table["role"] == "treatment"
    swing = np.where(table["replicate"] % 2 == 0, 0.3, -0.3)
    table["value"] = table["value"].where(~treated, table["value"] + swing)
    assert "Fieller" in share(replace(example, measurements=table), "oracle").reason


def test_single_label_studies_have_volume_points(example: ReportInput) -> None:
    decided = replace(example, measurements=example.measurements.assign(threshold_rule="argmax"))
    assert share(decided, "oracle") == share(example, "oracle")


def test_other_threshold_rules_do_not_enter_the_volume(example: ReportInput) -> None:
    shown_only = replace(example, measurements=example.measurements.assign(threshold_rule="0.5"))
    assert share(shown_only, "oracle").volume is None


def test_share_without_scores_is_undefined(example: ReportInput) -> None:
    found = share(replace(example, measurements=empty_table("measurements")), "oracle")
    assert found.volume is None
    assert found.reason


def test_fieller_agrees_with_its_definition(example: ReportInput) -> None:
    """The interval's ends are the ratios r at which part - r * whole is just significant."""
    found = share(example, "oracle")
    table = example.measurements
    at = table[(table["regime"] == 165) & (table["classifier_family"] == "tfidf_linear")]
    own = at[at["generator"].isin(["oracle", ""])].assign(arm=lambda rows: rows["arm"].str.partition(":")[0])
    wide = own.drop_duplicates(["arm", "replicate"]).pivot(index="replicate", columns="arm", values="value")
    part, whole = wide["row_twin"] - wide["real_only"], wide["synthesis"] - wide["real_only"]
    for end in (found.low, found.high):
        assert end is not None
        assert stats.ttest_1samp(pd.to_numeric(part - end * whole), 0).pvalue == pytest.approx(0.05, abs=1e-9)
