"""Retrieval with synthetic documents in the index, in two readings."""

from flows.report.formatting import count, interval, missing, plain, plural, score_name, signed, undefined
from flows.report.inputs import ReportInput
from flows.report.page import Cell, Column, Note, Section, Table
from flows.report.queries import Row, arm_label, rows, tag

READINGS = {
    "real_only": "Only real documents scored (what a reader of real documents loses)",
    "all": "All documents scored (what a reader of the mixed index sees)",
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
    metrics = list(dict.fromkeys(str(row["metric"]) for row in chosen))
    here = [row for row in contrasts if row["reading"] == reading]
    indexes = list(dict.fromkeys((row["generator"], row["arm"]) for row in chosen))
    body = tuple(
        _row([row for row in chosen if (row["generator"], row["arm"]) == index], metrics, here)
        for index in indexes
    )
    pairs = (Column(title, True) for metric in metrics for title in _titles(metric))
    note = "Differences are exploratory, with 95 % intervals over query families and replicates."
    return Table(READINGS.get(reading, reading), (Column("Index"), *pairs, Column("n", True)), body, note)


def _titles(metric: str) -> tuple[str, str]:
    return score_name(metric), f"{score_name(metric)} against the real index"


def _row(index: list[Row], metrics: list[str], contrasts: list[Row]) -> tuple[Cell, ...]:
    found = {str(row["metric"]): row for row in index}
    first = index[0]
    cells = [cell for metric in metrics for cell in _pair(found.get(metric), contrasts)]
    sizes = Cell(
        plural(int(first["query_count"]), "query", "queries"),
        plural(int(first["replicate_count"]), "replicate"),
    )
    return (Cell(arm_label(first) if first["generator"] else "real documents alone"), *cells, sizes)


def _pair(row: Row | None, contrasts: list[Row]) -> tuple[Cell, Cell]:
    if row is None:
        return Cell("not run"), Cell("not run")
    if missing(row["value"]):
        return Cell(undefined(row["undefined_reason"])), _effect(row, contrasts)
    return Cell(plain(row["value"]), interval(row["low"], row["high"], sign=False)), _effect(row, contrasts)


def _effect(row: Row, contrasts: list[Row]) -> Cell:
    if not row["generator"]:
        return Cell("–", "compared with")
    found = [c for c in contrasts if c["generator"] == row["generator"] and c["score"] == row["metric"]]
    found = [c for c in found if c["arm"] == row["arm"]] or found
    if not found:
        return Cell("not compared")
    if missing(found[0]["effect"]):
        return Cell(undefined(found[0]["note"]))
    families = f"{count(found[0]['test_family_count'])} query families"
    return Cell(signed(found[0]["effect"]), interval(found[0]["low95"], found[0]["high95"]), title=families)
