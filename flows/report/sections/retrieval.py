"""Retrieval with synthetic documents in the index, in two readings."""

from flows.report.formatting import count, interval, missing, plain, score_name, signed, undefined
from flows.report.inputs import ReportInput
from flows.report.page import Cell, Column, Note, Section, Table
from flows.report.queries import Row, arm_label, control_label, rows, tag
from flows.report.wording import interval95

READINGS = {
    "real_only": "Only real documents scored (what a reader of real documents loses)",
    "all": "All documents scored (what a reader of the mixed index sees)",
}
CONTROLS = {
    "real_only": "real documents alone",
    "row_twin": "its row twin (copies in place of synthetic documents)",
}


def section(tables: ReportInput) -> Section:
    title = "Retrieval with synthetic documents in the index"
    reasons = [entry.reason for entry in tables.not_run if "retrieval" in entry.experiment.lower()]
    if tables.retrieval.empty:
        text = f"not run: {reasons[0]}" if reasons else "Retrieval was not measured in this study."
        return Section("retrieval", title, (Note(text, "undefined"),))
    contrasts = rows(tables.contrasts[tables.contrasts["kind"] == "retrieval"])
    blocks = tuple(
        _table(tables, reading, contrasts) for reading in dict.fromkeys(tables.retrieval["reading"])
    )
    return Section("retrieval", title, blocks, tag(tables))


def _table(tables: ReportInput, reading: str, contrasts: list[Row]) -> Table:
    chosen = [row for row in rows(tables.retrieval) if row["reading"] == reading]
    here = [row for row in contrasts if row["reading"] == reading]
    pairs = _columns(chosen, here)
    indexes = list(dict.fromkeys((row["generator"], row["arm"]) for row in chosen))
    body = tuple(
        _row([row for row in chosen if (row["generator"], row["arm"]) == index], pairs, here)
        for index in indexes
    )
    columns = (Column("Index"), *(Column(_title(*pair), True) for pair in pairs), Column("n", True))
    note = "Differences are exploratory, with 95 % intervals over query families and replicates."
    return Table(READINGS.get(reading, reading), columns, body, note)


def _columns(chosen: list[Row], contrasts: list[Row]) -> list[tuple[str, str]]:
    """Each metric alone (""), then against each control that it was compared with."""
    pairs = []
    for metric in dict.fromkeys(str(row["metric"]) for row in chosen):
        controls = dict.fromkeys(control_label(row) for row in contrasts if row["score"] == metric)
        pairs += [(metric, ""), *((metric, control) for control in controls)]
    return pairs


def _title(metric: str, control: str) -> str:
    return f"{score_name(metric)} against {CONTROLS.get(control, control)}" if control else score_name(metric)


def _row(index: list[Row], pairs: list[tuple[str, str]], contrasts: list[Row]) -> tuple[Cell, ...]:
    first, found = index[0], {str(row["metric"]): row for row in index}
    own = [row for row in contrasts if (row["generator"], row["arm"]) == (first["generator"], first["arm"])]
    cells = [_effect(own, *pair) if pair[1] else _mean(found.get(pair[0])) for pair in pairs]
    queries, replicates = count(first["query_count"]), count(first["replicate_count"])
    label = "real documents alone" if first["arm"] == "real_only" else arm_label(first)
    return (Cell(label), *cells, Cell(f"{queries} queries", f"{replicates} replicates"))


def _mean(row: Row | None) -> Cell:
    if row is None:
        return Cell("not run")
    if missing(row["value"]):
        return Cell(undefined(row["undefined_reason"]))
    return Cell(plain(row["value"]), interval(row["low"], row["high"], sign=False))


def _effect(contrasts: list[Row], metric: str, control: str) -> Cell:
    found = [row for row in contrasts if row["score"] == metric and control_label(row) == control]
    if not found:
        return Cell("–")
    if missing(found[0]["effect"]):
        return Cell(undefined(found[0]["note"]))
    families = f"{count(found[0]['test_family_count'])} query families"
    return Cell(signed(found[0]["effect"]), interval95(found[0]), title=families)
