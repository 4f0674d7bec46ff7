"""What leaks between the parts of a study: equal and almost equal documents, neighbours, straddling families."""

from collections.abc import Sequence

from flows.report.formatting import EN_DASH, count, missing, plain
from flows.report.inputs import ReportInput
from flows.report.page import Cell, Column, Note, Section, Table
from flows.report.queries import Row, rows, tag
from services.evaluator.leakage import EMBEDDING_NEIGHBOUR, EQUAL_TEXT, NEAR_DUPLICATE, SHARED_FAMILY

KINDS = {
    EQUAL_TEXT: "Equal texts",
    NEAR_DUPLICATE: "Almost equal, equal ones apart (three-word shingles)",
    EMBEDDING_NEIGHBOUR: "Nearer by embedding than chance",
    SHARED_FAMILY: "Of one family",
}
NOTE = Note(
    "Counts are documents of the second part that have a partner in the first, in the first replicate, after "
    "screening. Neighbours by embedding are nearer than all but one in a thousand unrelated real documents are to "
    "their nearest one, so that a few are expected. A paraphrase is of its source's family by design; nothing of "
    "the test or the reference should be."
)


def section(tables: ReportInput) -> Section:
    title = "Leaks between training, test and synthetic documents"
    found = rows(tables.leakage)
    if not found:
        return Section("leakage", title, (Note("Leaks were not looked for in this study.", "undefined"),))
    return Section("leakage", title, (_table(found), NOTE), tag(tables))


def _table(found: Sequence[Row]) -> Table:
    by_parts: dict[tuple[str, str], dict[str, Row]] = {}
    for row in found:
        by_parts.setdefault((row["left"], row["right"]), {})[row["kind"]] = row
    body = tuple(
        (Cell(left), Cell(right), *(_cell(kinds.get(kind)) for kind in KINDS))
        for (left, right), kinds in by_parts.items()
    )
    columns = (Column("Part"), Column("Looked for in it"), *(Column(title, True) for title in KINDS.values()))
    return Table("Documents with a partner in another part", columns, body, collapsed=len(body) > 12)


def _cell(row: Row | None) -> Cell:
    if row is None:
        return Cell(EN_DASH, "not looked for")
    if missing(row["pair_count"]):
        return Cell("undefined", str(row["undefined_reason"]))
    beyond = "" if missing(row["threshold"]) else f", similarity {plain(row['threshold'], 2)} or more"
    return Cell(count(row["right_found"]), f"of {count(row['right_count'])}{beyond}", title=str(row["pairs"]))
