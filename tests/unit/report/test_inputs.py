from dataclasses import replace

import pytest

from flows.report.columns import COLUMNS
from flows.report.figures.scatter import Axes, Point, name_places
from flows.report.inputs import ReportInput
from flows.report.rendering import render_audit
from services.domain.errors import InvalidInputError
from tests.unit.report.example_audit import example_audit

AXES = Axes((0.0, 1.0), (0.0, 1.0), "x", "y")


def point(label: str, x: float, y: float) -> Point:
    return Point(label, x, x, x, y, y, y, {})


def test_a_missing_column_is_named(example: ReportInput) -> None:
    with pytest.raises(InvalidInputError, match=r"'contrasts' .* lacks the columns mde") as caught:
        replace(example, contrasts=example.contrasts.drop(columns="mde"))
    assert caught.value.field == "contrasts"


def test_every_table_is_checked(example: ReportInput) -> None:
    for name, columns in COLUMNS.items():
        with pytest.raises(InvalidInputError):
            replace(example, **{name: getattr(example, name).drop(columns=columns[0])})


def test_names_of_close_points_stand_apart() -> None:
    assert len(set(name_places([point("drifted", 0.5, 0.5), point("fluent", 0.5, 0.5)], AXES))) == 2


def test_names_stay_inside_the_chart() -> None:
    assert name_places([point("fluent_label_free", 0.98, 0.5)], AXES)[0].startswith("left")


def test_audit_shows_both_readings_with_n() -> None:
    markdown = render_audit(example_audit()).markdown
    assert "### this file: ▲ better" in markdown
    assert "### this generator: ▲ better" in markdown
    assert "8 replicates, 420 test families, 375 synthetic beside 667 real documents" in markdown


def test_audit_of_one_file_is_worded_conditionally() -> None:
    markdown = render_audit(example_audit()).markdown
    assert (
        "this file is better than the twin (gain +0.034, 95 % interval +0.022 to +0.046, conditional on these training sets)"
        in markdown
    )
    assert (
        "this generator is inconclusive (gain +0.003, 95 % interval −0.009 to +0.015, conditional on these real documents)"
        in markdown
    )


def test_audit_says_worth_or_why_not() -> None:
    markdown = render_audit(example_audit()).markdown
    assert "adds what about 40 more labelled documents would, at 667" in markdown
    assert (
        "llama.jsonl has a worth that was not measured: the left-out third has fewer than 100 documents"
        in markdown
    )


def test_audit_needs_no_chart_library() -> None:
    assert len(render_audit(example_audit()).html) < 100_000
