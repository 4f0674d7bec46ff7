"""What the page says to type finds one cell, and what is empty reads as empty."""

from dataclasses import replace

from flows.report.inputs import ReportInput
from flows.report.page import Facts
from flows.report.sections.provenance import environment, tracing
from synthtrial.tracing import matching_cells


def commands(tables: ReportInput) -> dict[str, str]:
    facts = next(block for block in tracing(tables).blocks if isinstance(block, Facts))
    return {name: command.removeprefix("synthtrial trace ") for name, command in facts.rows}


def with_measurements(example: ReportInput, cells: list[str], values: list[float]) -> ReportInput:
    measurements = example.measurements.iloc[: len(cells)].assign(cell_id=cells, value=values)
    return replace(example, measurements=measurements, cells=example.cells.iloc[:2].assign(cell_id=cells[:2]))


LIKE = [f"{'a' * 14}{end}" for end in ("b", "c")]


def test_the_shown_value_and_id_belong_to_one_cell(example: ReportInput) -> None:
    tables = with_measurements(example, [*LIKE, LIKE[1]], [0.5, 0.5, 0.1234567])
    shown = commands(tables)
    assert shown == {"From a cell": LIKE[0], "From a measured value": "0.123457"}
    found = tables.measurements
    assert matching_cells(shown["From a measured value"], found) == [LIKE[1]]
    assert matching_cells(shown["From a cell"], found) == [LIKE[0]]


def test_where_every_value_recurs_none_is_shown(example: ReportInput) -> None:
    assert "From a measured value" not in commands(with_measurements(example, LIKE, [0.5, 0.5]))


def test_an_empty_fact_reads_none() -> None:
    facts = environment({"damaged_objects_set_aside": []}).blocks[0]
    assert isinstance(facts, Facts) and ("damaged objects set aside", "none") in facts.rows
