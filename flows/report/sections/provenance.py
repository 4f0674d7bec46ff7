"""Where it ran, on which bytes, and how to walk from a number to its documents."""

import json
from collections.abc import Mapping
from typing import Any

from flows.report.formatting import count, gigabytes, seconds, text_or
from flows.report.inputs import JsonMap, ReportInput
from flows.report.page import Block, Cell, Column, Facts, Note, Section, Table
from flows.report.queries import arm_label, declared

# As much of an id as tells cells apart.
ID_LENGTH = 12
# A traced value is found by the digits given.
DIGITS = 6
LEAST_SHOWN = 0.001
LOOKED_AT = 1000
KNOWN = ("processor", "memory", "encoder", "packages", "digests", "wall_seconds", "algorithms")


def environment(facts: JsonMap) -> Section:
    blocks: list[Block] = [Facts(tuple(_plain_facts(facts)))]
    for key, caption, columns in TABLES:
        if facts.get(key):
            show = seconds if key == "wall_seconds" else str
            body = tuple((Cell(str(name)), Cell(show(value))) for name, value in facts[key].items())
            blocks.append(Table(caption, columns, body, collapsed=key != "wall_seconds"))
    return Section("environment", "Environment and digests", tuple(blocks))


def tracing(tables: ReportInput) -> Section:
    text = (
        "Every claim names the table and rows that it was computed from. The tables lie beside this page as "
        "Parquet "
        "files: cells, measurements, predictions, claims (all contrasts), worths, fidelity, retrieval, "
        "rejections. A "
        "contrast compares cells of one regime, family and arm; a cell leads to its plan, predictions and "
        "documents, "
        "each under the digest of its content:"
    )
    cell, value = _first_cell(tables), _unique_value(tables)
    commands = [("From a cell", f"synthtrial trace {cell}")]
    commands += [("From a measured value", f"synthtrial trace {value}")] if value else []
    return Section("trace", "How to trace a number", (Note(text), Facts(tuple(commands)), _cells(tables)))


def _cells(tables: ReportInput) -> Table:
    columns = (Column("Claim"), Column("Cells of the arm, by replicate"), Column("Cells of its control"))
    places = [(row, (row["regime"], row["classifier_family"])) for row in declared(tables)]
    body = tuple(
        (
            Cell(arm_label(row)),
            Cell(_ids(tables, *place, row["arm"])),
            Cell(_ids(tables, *place, row["control"])),
        )
        for row, place in places
    )
    return Table("Cells behind the declared claims", columns, body, collapsed=True, reference=True)


def _ids(tables: ReportInput, regime: object, family: object, arm: object) -> str:
    cells = tables.cells
    chosen = cells[
        (cells["regime"] == regime) & (cells["classifier_family"] == family) & (cells["arm"] == arm)
    ]
    ids = chosen.sort_values("replicate")["cell_id"]
    return " ".join(str(cell)[:ID_LENGTH] for cell in ids) or "no cell of this arm"


def _first_cell(tables: ReportInput) -> str:
    """The first cell's id, as much of it as no other cell's begins with."""
    ids = tables.cells["cell_id"].astype(str).drop_duplicates()
    if not len(ids):
        return "CELL_ID"
    first, others = ids.iloc[0], ids.iloc[1:]
    lengths = range(ID_LENGTH, len(first))
    return next((first[:n] for n in lengths if not others.str.startswith(first[:n]).any()), first)


def _unique_value(tables: ReportInput) -> str:
    """A value that only one cell has, also when rounded as printed; "" where every value recurs."""
    known = tables.measurements[["cell_id", "value"]].dropna()
    values = known["value"].astype(float)
    for value in values[values.abs() >= LEAST_SHOWN].head(LOOKED_AT):
        near = (values - round(value, DIGITS)).abs() <= 10.0**-DIGITS
        if known.loc[near, "cell_id"].nunique() == 1:
            return f"{value:.{DIGITS}f}"
    return ""


def _plain_facts(facts: JsonMap) -> list[tuple[str, str]]:
    shown = [
        ("Processor", text_or(facts.get("processor"), "not recorded")),
        ("Memory", _memory(facts.get("memory"))),
    ]
    encoder = facts.get("encoder")
    if isinstance(encoder, Mapping) and encoder:
        revision = text_or(encoder.get("revision"), "not recorded")
        shown.append(("Encoder", f"{encoder.get('name', 'unnamed')}, revision {revision}"))
    further = [(str(key).replace("_", " "), _text(value)) for key, value in facts.items() if key not in KNOWN]
    return shown + further


def _memory(memory: Any) -> str:
    if not isinstance(memory, Mapping) or "peak_pss_bytes" not in memory:
        return "not recorded"
    mean = f", mean {gigabytes(memory['mean_pss_bytes'])}" if "mean_pss_bytes" in memory else ""
    sampled = (
        f" ({count(memory.get('sample_count'))} samples of all processes' PSS)"
        if "sample_count" in memory
        else ""
    )
    return f"peak {gigabytes(memory['peak_pss_bytes'])}{mean}{sampled}"


def _text(value: Any) -> str:
    if value in ([], (), {}, "", None):
        return "none"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


TABLES = (
    ("wall_seconds", "Wall time by stage", (Column("Stage"), Column("Time", True))),
    ("digests", "Digests", (Column("What"), Column("sha256"))),
    ("algorithms", "Algorithm versions", (Column("Module"), Column("Version"))),
    ("packages", "Package versions", (Column("Package"), Column("Version"))),
)
