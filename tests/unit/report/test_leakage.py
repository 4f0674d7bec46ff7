"""The section on leaks."""

from dataclasses import replace

from flows.report.columns import empty_table
from flows.report.inputs import ReportInput
from flows.report.rendering import render_report


def test_a_leak_names_both_parts_and_what_was_not_looked_for(example: ReportInput) -> None:
    said = render_report(example).markdown
    line = next(line for line in said.splitlines() if line.startswith("| train pool | copier"))
    assert line.count("2 (of 660)") == 3
    assert "not looked for" in line


def test_an_undefined_leak_gives_its_reason(example: ReportInput) -> None:
    leakage = example.leakage.assign(pair_count=None, undefined_reason="no embeddings were given")
    assert "no embeddings were given" in render_report(replace(example, leakage=leakage)).markdown


def test_a_study_that_looked_for_none_says_so(example: ReportInput) -> None:
    said = render_report(replace(example, leakage=empty_table("leakage"))).markdown
    assert "Leaks were not looked for in this study." in said
