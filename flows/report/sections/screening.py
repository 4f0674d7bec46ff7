"""What became of every requested document, with rejected ones beside their nearest real document."""

from flows.report.claims import Claim, Finding
from flows.report.formatting import EN_DASH, count, listed, missing, percent, plain, plural, text_or
from flows.report.inputs import ReportInput
from flows.report.page import Block, Cell, Column, Comparison, Note, Section, Table
from flows.report.queries import Row, rows, tag

EXAMPLES_SHOWN = 10
COLUMNS = (
    Column("Generator"),
    Column("Corpora", True),
    Column("Requested", True),
    Column("Accepted", True),
    Column("Rejected", True),
    Column("Failed", True),
    Column("Reasons"),
)


def accounting(tables: ReportInput) -> Finding:
    every = rows(tables.rejections)
    off = [f"{row['generator']} (replicate {row['replicate']})" for row in every if not balanced(row)]
    requested = sum(int(row["requested"]) for row in every)
    words = {
        "requested": f"{requested:,}",
        "corpora": plural(len(every), "corpus", "corpora"),
        "accepted": percent(sum(int(row["accepted"]) for row in every), requested),
        "rejected": percent(sum(int(row["rejected"]) for row in every), requested),
        "failed": percent(sum(int(row["failed"]) for row in every), requested),
        "off": listed(off),
    }
    return Finding("unbalanced" if off else ("balanced" if every else "none"), words)


def balanced(row: Row) -> bool:
    """requested = accepted + rejected + failed."""
    return int(row["requested"]) == int(row["accepted"]) + int(row["rejected"]) + int(row["failed"])


ACCOUNTING = Claim(
    "accounting",
    "rejections, all rows",
    {
        "balanced": "Of {requested} documents requested for {corpora}, {accepted} were accepted, {rejected} rejected and "
        "{failed} failed; in every corpus requested = accepted + rejected + failed.",
        "unbalanced": "The accounts do not close: requested differs from accepted + rejected + failed for {off}.",
        "none": "No documents were requested from generators in this study.",
    },
    accounting,
)


def section(tables: ReportInput) -> Section:
    blocks: list[Block] = [ACCOUNTING.read(tables)]
    if len(tables.rejections):
        blocks.append(_table(tables))
    examples = rows(tables.rejection_examples)
    blocks += [example(row) for row in examples[:EXAMPLES_SHOWN]]
    if len(tables.rejections) and not examples:
        blocks.append(Note("No rejected or flagged document was kept as an example."))
    return Section("screening", "What was rejected, and why", tuple(blocks), tag(tables))


def example(row: Row) -> Comparison:
    """A document beside the real one nearest to it."""
    likeness = "" if missing(row["similarity"]) else f" · similarity {plain(row['similarity'], 2)}"
    heading = f"{row['generator']} · {row['outcome']}: {row['reason']}{likeness}"
    nearest = f"Nearest real document {text_or(row['nearest_id'], '')}".strip()
    return Comparison(
        heading, "Synthetic", str(row["text"]), nearest, text_or(row["nearest_text"], "none was looked for")
    )


def _table(tables: ReportInput) -> Table:
    names = list(dict.fromkeys(row["generator"] for row in rows(tables.rejections)))
    note = (
        "Flagged documents were counted by the same screening but kept: for simulator presets, whose "
        "planted truth is "
        "computed under the same rule, screening removes nothing."
    )
    return Table(
        "Accounts per generator, over its corpora", COLUMNS, tuple(_row(tables, n) for n in names), note
    )


def _row(tables: ReportInput, generator: str) -> tuple[Cell, ...]:
    chosen = [row for row in rows(tables.rejections) if row["generator"] == generator]
    sums = {
        key: sum(int(row[key]) for row in chosen) for key in ("requested", "accepted", "rejected", "failed")
    }
    return (
        Cell(generator),
        Cell(count(len(chosen))),
        Cell(count(sums["requested"])),
        Cell(count(sums["accepted"]), percent(sums["accepted"], sums["requested"])),
        Cell(count(sums["rejected"]), percent(sums["rejected"], sums["requested"])),
        Cell(count(sums["failed"])),
        Cell(_reasons(tables, generator)),
    )


def _reasons(tables: ReportInput, generator: str) -> str:
    totals: dict[str, int] = {}
    for row in rows(tables.rejection_reasons):
        if row["generator"] == generator:
            words = f"{row['outcome']}: {row['reason']}"
            totals[words] = totals.get(words, 0) + int(row["count"])
    ordered = sorted(totals.items(), key=lambda item: -item[1])
    return "; ".join(f"{words} {number:,}" for words, number in ordered) or EN_DASH
