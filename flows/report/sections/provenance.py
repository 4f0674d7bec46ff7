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
    value = tables.measurements["value"].dropna()
    shown = repr(float(value.iloc[0])) if len(value) else "VALUE"
    commands = (
        ("From a cell", f"synthtrial trace {_first_cell(tables)}"),
        ("From a measured value", f"synthtrial trace {shown}"),
    )
    return Section("trace", "How to trace a number", (Note(text), Facts(commands), _cells(tables)))


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
    return str(tables.cells["cell_id"].iloc[0])[:ID_LENGTH] if len(tables.cells) else "CELL_ID"


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
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


TABLES = (
    ("wall_seconds", "Wall time by stage", (Column("Stage"), Column("Time", True))),
    ("digests", "Digests", (Column("What"), Column("sha256"))),
    ("algorithms", "Algorithm versions", (Column("Module"), Column("Version"))),
    ("packages", "Package versions", (Column("Package"), Column("Version"))),
)
