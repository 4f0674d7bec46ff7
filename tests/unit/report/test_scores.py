"""Scores by replicate, whatever decided the labels."""

from dataclasses import replace

import pytest
from scipy import stats

from flows.experiments import EXPERIMENTS
from flows.report.inputs import ReportInput
from flows.report.page import Note
from flows.report.scores import mean_interval, replicate_scores


def test_single_label_studies_have_replicate_scores(example: ReportInput) -> None:
    decided = replace(example, measurements=example.measurements.assign(threshold_rule="argmax"))
    assert replicate_scores(decided) == replicate_scores(example) != {}


def test_other_threshold_rules_are_read_only_where_they_are_asked_for(example: ReportInput) -> None:
    shown_only = replace(example, measurements=example.measurements.assign(threshold_rule="0.5"))
    assert replicate_scores(shown_only) == {}
    assert replicate_scores(shown_only, threshold_rule="0.5") == replicate_scores(example)


def test_an_arm_with_an_undefined_replicate_has_no_scores(example: ReportInput) -> None:
    table = example.measurements.copy()
    place, scores = next(iter(replicate_scores(example).items()))
    assert scores is not None
    here = (table["arm"] == place.arm) & (table["regime"] == place.regime)
    table.loc[here & (table["replicate"] == 0), "value"] = None
    assert replicate_scores(replace(example, measurements=table))[place] is None


def test_a_mean_has_students_interval_where_replicates_differ() -> None:
    values = [0.1, 0.2, 0.15, 0.3]
    low, high = stats.t.interval(0.95, 3, 0.1875, stats.sem(values))
    assert mean_interval(values) == pytest.approx((0.1875, low, high))
    assert mean_interval([0.4]) == (0.4, None, None)
    assert mean_interval([0.4, 0.4]) == (0.4, None, None)


def test_what_cannot_be_decomposed_says_why(example: ReportInput) -> None:
    """Single-label scores have no threshold; the section stands and names the reason."""
    cells = example.cells.assign(arm="eda_twin:oracle")
    for task, said in (
        ("single_label", "no threshold is there to calibrate"),
        ("multi_label", "in every replicate"),
    ):
        lacking = replace(example, cells=cells, findings={}, design=example.design | {"task_type": task})
        section = EXPERIMENTS.get("a_e2_decomposition").section(lacking)
        assert section is not None
        (note,) = section.blocks
        assert isinstance(note, Note) and said in note.text
    assert EXPERIMENTS.get("a_e2_decomposition").section(replace(example, findings={})) is None
