"""Indexes with some generators' documents, beside an index of other ones."""

from collections.abc import Sequence

from flows.report.formatting import count, interval, missing, plain, signed, undefined
from flows.report.inputs import ReportInput
from flows.report.page import Block, Cell, Column, Note, Table
from flows.report.queries import Row, control_label, rows
from flows.report.wording import interval95

# A comparison of an index with one that is neither real documents alone nor its own twin.
FURTHER_KIND = "retrieval_vs_other"
SCORE = "ndcg@10"
OWN, REAL = "row_twin", "real_only"
COLUMNS = (
    Column("Synthetic documents in the index"),
    Column("nDCG@10", True),
    Column("against real documents alone", True),
    Column("against its row twin", True),
    Column("against the standard genre", True),
    Column("n", True),
)
CAPTION = "nDCG@10 of real test documents as queries, {reading}, 95 % intervals, exploratory"
READINGS = {"real_only": "real documents scored only", "all": "all documents scored"}
FEWER = Note(
    "Indexes hold the largest regime's real documents and one corpus. Where n says so, only some replicates' corpora "
    "were embedded and searched, for time; intervals are the wider for it."
)


def searched_blocks(tables: ReportInput, names: Sequence[str]) -> tuple[Block, ...]:
    """Return a table a reading of some generators' indexes and those they are held against; nothing where none was searched."""
    compared = rows(tables.contrasts[tables.contrasts["kind"].isin(["retrieval", FURTHER_KIND])])
    standards = [control_label(r) for r in compared if r["kind"] == FURTHER_KIND and r["generator"] in names]
    shown = [*dict.fromkeys(standards), *names]
    found = [
        row
        for row in rows(tables.retrieval)
        if row["metric"] == SCORE and row["generator"] in shown and str(row["arm"]).startswith("synthesis:")
    ]
    if not standards or not found:
        return ()
    blocks = []
    for reading in dict.fromkeys(str(row["reading"]) for row in found):
        here = sorted(
            (r for r in found if r["reading"] == reading), key=lambda r: shown.index(r["generator"])
        )
        body = tuple(_line(row, compared) for row in here)
        blocks.append(Table(CAPTION.format(reading=READINGS.get(reading, reading)), COLUMNS, body))
    return (*blocks, FEWER)


def _line(row: Row, compared: Sequence[Row]) -> tuple[Cell, ...]:
    own = [r for r in compared if (r["arm"], r["reading"]) == (row["arm"], row["reading"])]
    against = {REAL: Cell("–"), OWN: Cell("–"), FURTHER_KIND: Cell("–")}
    for contrast in own:
        place = FURTHER_KIND if contrast["kind"] == FURTHER_KIND else control_label(contrast)
        against[place] = _difference(contrast)
    score = (
        Cell(undefined(row["undefined_reason"]))
        if missing(row["value"])
        else Cell(plain(row["value"]), interval(row["low"], row["high"], sign=False))
    )
    n = Cell(f"{count(row['query_count'])} queries", f"{count(row['replicate_count'])} replicates")
    return (Cell(str(row["generator"])), score, against[REAL], against[OWN], against[FURTHER_KIND], n)


def _difference(contrast: Row) -> Cell:
    if missing(contrast["effect"]):
        return Cell(undefined(contrast["note"]))
    return Cell(signed(contrast["effect"]), interval95(contrast))
