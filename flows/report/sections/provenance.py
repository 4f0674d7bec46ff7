"""Where it ran, on which bytes, and how to walk from a number to its documents."""

import json
from collections.abc import Mapping
from typing import Any

from flows.report.formatting import count, gigabytes, seconds, text_or
from flows.report.inputs import JsonMap, ReportInput
from flows.report.page import Block, Cell, Column, Facts, Note, Section, Table

KNOWN = ("processor", "memory", "encoder", "packages", "digests", "wall_seconds")


def environment(facts: JsonMap) -> Section:
    blocks: list[Block] = [Facts(tuple(_plain_facts(facts)))]
    for key, caption, columns in TABLES:
        if facts.get(key):
            show = seconds if key == "wall_seconds" else str
            body = tuple((Cell(str(name)), Cell(show(value))) for name, value in facts[key].items())
            blocks.append(Table(caption, columns, body, collapsed=key != "wall_seconds"))
    return Section("environment", "Environment and digests", tuple(blocks))


def tracing(tables: ReportInput) -> Section:
    first = text_or(tables.contrasts["name"].iloc[0] if len(tables.contrasts) else None, "NAME")
    text = (
        "Every claim above names the table and rows that it was computed from. The tables lie beside this "
        "page as "
        "Parquet files: cells, measurements, contrasts, worths, fidelity, retrieval, rejections. A "
        "contrast's name "
        "leads to its cells, a cell's id to its predictions, plan and documents, each under the digest of "
        "its content:"
    )
    rows = (
        ("From a contrast", f"synthtrial trace {first}"),
        ("From a cell", f"synthtrial trace {_first_cell(tables)}"),
    )
    return Section("trace", "How to trace a number", (Note(text), Facts(rows), _names(tables)))


def _names(tables: ReportInput) -> Table:
    body = tuple(
        (Cell(str(name)), Cell(str(kind)), Cell(count(replicates)))
        for name, kind, replicates in zip(
            tables.contrasts["name"],
            tables.contrasts["kind"],
            tables.contrasts["replicate_count"],
            strict=True,
        )
    )
    return Table(
        "Names of all contrasts",
        (Column("Name"), Column("Kind"), Column("Replicates", True)),
        body,
        collapsed=True,
        reference=True,
    )


def _first_cell(tables: ReportInput) -> str:
    return str(tables.cells["cell_id"].iloc[0]) if len(tables.cells) else "CELL_ID"


def _plain_facts(facts: JsonMap) -> list[tuple[str, str]]:
    shown = [
        ("Processor", text_or(facts.get("processor"), "not recorded")),
        ("Memory", _memory(facts.get("memory"))),
    ]
    encoder = facts.get("encoder")
    if isinstance(encoder, Mapping):
        shown.append(
            (
                "Encoder",
                f"{encoder.get('name', 'unnamed')}, revision {encoder.get('revision', 'not recorded')}",
            )
        )
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
    ("packages", "Package versions", (Column("Package"), Column("Version"))),
)
