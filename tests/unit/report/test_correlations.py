"""Tables of correlations: what is known with two digits, what is not with its reason."""

from dataclasses import replace
from typing import Any

from flows.report.sections.correlations import GAIN, correlations, differences, inversions, paper
from services.domain.measurement import Interval
from services.evaluator.correlation.planning import CorrelationDifference, GainCorrelation, Inversion

FOUND = GainCorrelation(
    "mmd2", "60", -0.712, Interval(-0.9, -0.31, 0.95), -0.68, -0.8, -0.6, 0.83, 10, 8, 1, "", ""
)
REFUSED = replace(FOUND, pearson=None, interval95=None, spearman=None, refused="7 corpora, it takes 8")
APART = CorrelationDifference(
    "mmd2", -0.71, 0.44, 0.3, -1.15, None, None, None, None, 10, "lie on one rising line"
)
TURNED = Inversion("mmd2", True, 0.004, 0.012, 0.65, 0.7, "")


def row(answer: Any, **more: object) -> dict[str, Any]:
    """An answer as a row of its table, the interval as two columns."""
    known = {name: getattr(answer, name) for name in answer.__slots__}
    interval = known.pop("interval95", None)
    ends = {"low95": interval and interval.low, "high95": interval and interval.high}
    return {"outcome": GAIN, **known, **ends, **more}


def texts(cells: tuple[Any, ...]) -> list[str]:
    return [cell.text for cell in cells]


def test_a_correlation_stands_beside_what_it_takes_to_read_it() -> None:
    table = correlations([row(FOUND)])
    assert texts(table.rows[0]) == [
        *("mmd2", "gain", "60", "−0.71", "−0.90 to −0.31", "−0.68", "−0.80 to −0.60"),
        *("0.83", "10"),
    ]


def test_a_refused_correlation_says_why_and_shows_none() -> None:
    cells = correlations([row(REFUSED)]).rows[0]
    assert (cells[3].text, cells[3].detail) == ("refused", "7 corpora, it takes 8")
    assert texts(cells)[4:6] == ["–", "–"]


def test_clustered_corpora_are_noted_once() -> None:
    clustered = replace(FOUND, note="10 corpora of 8 generators are clustered")
    assert correlations([row(clustered), row(clustered)]).note == clustered.note


def test_the_direction_of_a_metric_is_said_where_it_is_known() -> None:
    found = [row(FOUND, lower_is_better=True), row(FOUND, lower_is_better=False), row(FOUND)]
    assert [cells[0].detail for cells in correlations(found).rows] == [
        "lower is nearer",
        "higher is nearer",
        "",
    ]


def test_a_difference_without_a_test_says_why() -> None:
    cells = differences([row(APART)]).rows[0]
    assert (cells[4].text, cells[6].text, cells[6].detail) == ("−1.15", "–", "lie on one rising line")


def test_a_sign_turns_only_where_both_hold() -> None:
    turned, open_, refused = inversions(
        [row(TURNED), row(replace(TURNED, inverted=False)), row(replace(TURNED, refused="9 corpora"))]
    ).rows
    assert [cells[2].text for cells in (turned, open_, refused)] == ["yes", "not shown", "refused"]
    assert (turned[4].text, turned[4].detail) == ("0.65", "to see correlations of ±0.7")


def test_the_published_comparison_is_called_no_test() -> None:
    assert "z = 6.474, interval 0.9583 to 0.9985" in paper().text
    assert "treats dependent samples as independent" in paper().text
