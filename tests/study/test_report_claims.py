"""The report's sentences follow its tables: change a number, and the sentence changes."""

from dataclasses import replace

import pandas as pd
import pytest

from flows.report.inputs import ReportInput
from flows.report.rendering import CLAIMS, claims_of
from tests.unit.report.example import example_report


@pytest.fixture(scope="module")
def tables() -> ReportInput:
    return example_report()


def sentence(name: str, tables: ReportInput) -> str:
    return next(claim for claim in CLAIMS if claim.name == name).read(tables).whole


def with_contrasts(tables: ReportInput, chosen: pd.Series, **values: str | float | bool) -> ReportInput:
    contrasts = tables.contrasts.copy()
    for column, value in values.items():
        contrasts.loc[chosen, column] = value
    return replace(tables, contrasts=contrasts)


def declared_of(tables: ReportInput, generator: str) -> pd.Series:
    return tables.contrasts["declared"].astype(bool) & (tables.contrasts["generator"] == generator)


def test_changed_verdict_changes_the_answer(tables: ReportInput) -> None:
    changed = with_contrasts(tables, declared_of(tables, "noisy"), verdict="better")
    assert "inconclusive: noisy and markov" in sentence("verdicts", tables)
    assert "better than their controls: oracle" in sentence("verdicts", changed)
    assert "inconclusive: markov" in sentence("verdicts", changed)


def test_changed_effect_changes_the_answer(tables: ReportInput) -> None:
    changed = with_contrasts(tables, declared_of(tables, "oracle"), effect=0.1234)
    assert "+0.123" not in sentence("verdicts", tables)
    assert "+0.123" in sentence("verdicts", changed)


def test_without_declared_claims_there_is_no_verdict(tables: ReportInput) -> None:
    nothing = with_contrasts(tables, pd.Series(True, tables.contrasts.index), declared=False)
    nothing = replace(nothing, design={**tables.design, "declared": []})
    assert sentence("verdicts", nothing).startswith("No claim was declared")


def test_declared_claims_that_were_not_run_are_said_to_be_so(tables: ReportInput) -> None:
    unrun = replace(tables, contrasts=tables.contrasts[~tables.contrasts["declared"].astype(bool)])
    assert sentence("verdicts", unrun).startswith("Declared before the run: 7 claims; but")


def test_an_undefined_claim_does_not_hide_the_replicates(tables: ReportInput) -> None:
    undefined = declared_of(tables, "oracle")
    changed = with_contrasts(tables, undefined, replicate_count=0, effect=float("nan"), verdict="not tested")
    assert "and 8 replicates" in sentence("verdicts", changed)


def test_raw_gains_without_a_control_say_nothing_of_volume(tables: ReportInput) -> None:
    raw = replace(tables, contrasts=tables.contrasts[tables.contrasts["kind"] == "gain_vs_real"])
    assert "were not both measured" in sentence("volume", raw)
    assert "0 synthetic" not in sentence("volume", raw)


def test_lost_controlled_gain_is_called_volume(tables: ReportInput) -> None:
    changed = with_contrasts(tables, declared_of(tables, "oracle"), low95=-0.01)
    assert "2 of those 4 remain" in sentence("volume", tables)
    assert "1 of those 4 remain" in sentence("volume", changed)
    assert "for oracle, exact_null" in sentence("volume", changed)


def test_worth_follows_its_ruler(tables: ReportInput) -> None:
    worths = tables.worths.assign(worth=41.0, low=9.0, high=77.0, more_than_cap=False)
    said = sentence("worth", replace(tables, worths=worths))
    assert said == (
        "In real documents: oracle adds what about 41 more labelled documents would, at 165 "
        "(95 % interval 9 to 77)."
    )


def test_no_better_verdict_is_worth_nothing(tables: ReportInput) -> None:
    changed = with_contrasts(tables, declared_of(tables, "oracle"), verdict="inconclusive")
    assert "none is shown to be worth" in sentence("worth", changed)


def test_more_real_data_reads_the_largest_regime(tables: ReportInput) -> None:
    largest = (tables.contrasts["regime"] == 1320) & (tables.contrasts["kind"] == "gain_vs_control")
    assert "1 of 5 corpora" in sentence("more_real_data", tables)
    assert "0 of 5 corpora" in sentence("more_real_data", with_contrasts(tables, largest, low95=-1.0))


def test_retrieval_not_measured_says_so(tables: ReportInput) -> None:
    without = replace(tables, contrasts=tables.contrasts[tables.contrasts["kind"] != "retrieval"])
    assert "was not measured" in sentence("retrieval", without)


def test_truth_is_compared_with_verdicts(tables: ReportInput) -> None:
    changed = with_contrasts(tables, declared_of(tables, "oracle"), verdict="worse")
    assert "5 verdicts agree with it, 0 differ" in sentence("truth_agreement", tables)
    assert "4 verdicts agree with it, 1 differ" in sentence("truth_agreement", changed)


def test_accounts_that_do_not_close_are_named(tables: ReportInput) -> None:
    rejections = tables.rejections.copy()
    rejections.loc[0, "accepted"] = 1
    assert "requested = accepted + rejected + failed" in sentence("accounting", tables)
    assert "do not close" in sentence("accounting", replace(tables, rejections=rejections))


def test_claims_are_a_table(tables: ReportInput) -> None:
    table = claims_of(tables)
    assert list(table.columns) == ["name", "sentence", "source"]
    assert table["name"].is_unique
