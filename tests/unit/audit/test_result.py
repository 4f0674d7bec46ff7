from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from flows.auditing.result import AuditResult
from flows.auditing.terminal import print_files
from flows.report.inputs import AuditedFile, AuditInput, Finding, Reading, Worth


def _reading(title: str, verdict: str) -> Reading:
    return Reading(
        title,
        verdict,
        0.03,
        0.01,
        0.05,
        0.013,
        0.047,
        0.004,
        0.02,
        8,
        412,
        667,
        375,
        0.61,
        0.58,
        title == "this file",
        "",
    )


@pytest.fixture
def result() -> AuditResult:
    entry = AuditedFile(
        "gpt <1>",
        (_reading("this file", "better"), _reading("this generator", "inconclusive")),
        Worth(667, 41.0, None, 120.0, False, False, 333.0, "small test: 120 families"),
        "",
        (),
        10,
        7,
        2,
        1,
        {"copy_of_real": 2, "no_text": 1},
        (),
    )
    found = AuditInput("gpt", {}, (Finding("ok", "test", "fine"),), (entry,), 0.02, "micro_f1", {})
    return AuditResult(found, "<html></html>", "# audit", Path("audit-gpt"), 12.0)


def test_a_notebook_shows_both_verdicts_with_n(result: AuditResult) -> None:
    shown = result._repr_html_()
    assert "▲ better" in shown and "? inconclusive" in shown
    assert "375 synthetic beside 667 real documents, 8 replicates, 412 test families" in shown
    assert "small test: 120 families" in shown


def test_a_notebook_states_no_worth_without_a_better_generator(result: AuditResult) -> None:
    shown = result._repr_html_()
    assert "is not shown to be worth any further labelled document (exploratory, at 667" in shown
    assert "adds what about" not in shown


def test_a_terminal_says_of_a_worth_what_the_notebook_says(result: AuditResult) -> None:
    console = Console(record=True, width=400, file=StringIO())
    print_files(console, result.found)
    printed = console.export_text()
    assert "is not shown to be worth any further labelled document (exploratory, at 667" in printed
    assert "small test: 120 families" in printed


def test_names_are_escaped(result: AuditResult) -> None:
    assert "gpt &lt;1&gt;" in result._repr_html_()


def test_tables_have_a_row_per_file_and_reading(result: AuditResult) -> None:
    assert list(result.verdicts["reading"]) == ["this file", "this generator"]
    assert result.worths.loc[0, "worth"] == 41.0
    row = result.rejections.iloc[0]
    assert row["requested"] == row["accepted"] + row["rejected"] + row["failed"]
    assert dict(zip(result.rejection_reasons["reason"], result.rejection_reasons["count"], strict=True)) == {
        "copy_of_real": 2,
        "no_text": 1,
    }


def test_empty_tables_keep_their_columns(result: AuditResult) -> None:
    assert "metric" in result.distances.columns and "nearest_text" in result.examples.columns
