"""The line a report opens with says what the verdicts say, and no more."""

import re
from dataclasses import replace
from io import StringIO

import pandas as pd
import pytest
from rich.console import Console

from flows.auditing.terminal import print_files
from flows.report.columns import empty_table
from flows.report.inputs import AuditInput, ReportInput
from flows.report.lead import LEAD, audit_lead
from flows.report.page import RenderedReport
from flows.report.rendering import render_audit
from tests.unit.report.example_audit import example_audit

TWIN = "The control is the same real documents, repeated to the same number."
SCALE = "Scores (micro-F1) run from 0, nothing right, to 1, everything right."


def lead(tables: ReportInput) -> str:
    return LEAD.read(tables).whole


def judged(verdict: str) -> AuditInput:
    """The example with one verdict everywhere."""
    found = example_audit()
    files = (
        replace(entry, readings=tuple(replace(r, verdict=verdict) for r in entry.readings))
        for entry in found.files
    )
    return replace(found, files=tuple(files))


def test_a_study_opens_with_what_came_of_its_claims(example: ReportInput) -> None:
    said = lead(example)
    assert said.startswith("In short: of 7 synthetic corpora tested (written by ")
    for words in (
        "1 trained a better classifier than the control (oracle)",
        "2 trained a worse classifier than the control (drifted and fluent_label_free)",
        "2 made no difference that matters (exact_null and copier)",
        "2 left it open whether there is a difference that matters (noisy and markov)",
    ):
        assert words in said
    assert said.endswith(f"{TWIN} {SCALE}")


def test_a_changed_verdict_changes_the_line(example: ReportInput) -> None:
    contrasts = example.contrasts.assign(verdict="not tested")
    said = lead(replace(example, contrasts=contrasts))
    assert "7 could not be judged (" in said and "better" not in said and "no difference" not in said


def test_a_study_without_verdicts_opens_with_that(example: ReportInput) -> None:
    unrun = replace(example, contrasts=empty_table("contrasts"))
    undeclared = replace(unrun, design={**unrun.design, "declared": []})
    assert "was not tested, so it does not say whether" in lead(unrun)
    assert "claimed nothing beforehand, so it gives no verdict" in lead(undeclared)


def test_conditions_come_along(example: ReportInput) -> None:
    fixed = example.contrasts.assign(conditional=example.contrasts["generator"] == "copier")
    tight = {**example.design, "train_pool_documents": 329}
    said = lead(replace(example, contrasts=fixed, design=tight))
    assert "For copier this holds for these training sets alone. It holds for these real documents" in said


def test_another_control_is_not_called_a_repetition(example: ReportInput) -> None:
    other = pd.Series("resampled_twin", example.contrasts.index)
    said = lead(replace(example, contrasts=example.contrasts.assign(control=other)))
    assert TWIN not in said and "The controls are resampled_twin" in said


def test_both_forms_of_a_report_open_with_the_line(example: ReportInput, rendered: RenderedReport) -> None:
    markdown = re.sub(r"\\(.)", r"\1", rendered.markdown)
    assert f"## The answer\n\n{lead(example)}\n\n1. " in markdown
    assert rendered.html.index("In short: of 7") < rendered.html.index("<ol>")


def test_an_audit_opens_with_what_came_of_each_file() -> None:
    said = audit_lead(example_audit()).whole
    assert said.startswith(
        "In short: of gpt.csv, the file as it stands and its generator, as far as smaller draws beside these "
        "real documents show, trained a better classifier than the control. Of llama.jsonl, the file"
    )
    assert said.endswith(f"{TWIN} {SCALE}")


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        ("worse", "trained a worse classifier"),
        ("negligible", "made no difference that matters"),
        ("equivalent", "made no difference that matters"),
        ("not tested", "could not be judged"),
    ],
)
def test_files_that_came_out_alike_share_a_clause(verdict: str, words: str) -> None:
    said = audit_lead(judged(verdict)).whole
    assert said.startswith("In short: of gpt.csv and llama.jsonl, each file as it stands and its")
    assert said.count(words) == 1 and "better" not in said


def test_a_file_may_differ_from_its_generator() -> None:
    found = judged("better")
    (first, second), *_ = (entry.readings for entry in found.files)
    mixed = replace(found.files[0], readings=(first, replace(second, verdict="inconclusive")))
    said = audit_lead(replace(found, files=(mixed,))).whole
    assert (
        "of gpt.csv, the file as it stands trained a better classifier than the control; its generator"
        in said
    )
    assert "show, left it open whether there is a difference that matters. The" in said


def test_page_and_terminal_of_an_audit_open_with_the_line() -> None:
    found, console = example_audit(), Console(record=True, width=2000, file=StringIO())
    print_files(console, found)
    said = audit_lead(found).whole
    assert console.export_text().strip().startswith(said)
    assert said in re.sub(r"\\(.)", r"\1", render_audit(found).markdown)
    assert said in render_audit(found).html
