"""What wrote the documents, how the study was designed, and what it did not run."""

import json
from collections.abc import Callable
from typing import Any

from flows.report.formatting import count, listed, plain
from flows.report.inputs import ReportInput
from flows.report.page import Cell, Column, Facts, Note, Section, Table
from flows.report.queries import simulated, tag

GENERATOR_COLUMNS = (
    Column("Generator"),
    Column("Backend"),
    Column("Preset"),
    Column("LLM?"),
    Column("What it does"),
)


def generators(tables: ReportInput) -> Section:
    rows = tuple(
        (
            Cell(info.name),
            Cell(info.backend),
            Cell(info.preset or "–"),
            Cell("yes" if info.is_llm else "no", chip="llm" if info.is_llm else "not-llm"),
            Cell(info.description),
        )
        for info in tables.generators
    )
    title = "What the generators are"
    if not rows:
        return Section("generators", title, (Note("No synthetic document was written in this study."),))
    table = Table("The generators of this study", GENERATOR_COLUMNS, rows)
    return Section("generators", title, (Note(f"{_banner(tables)}{_real(tables)}", "banner"), table))


def design(tables: ReportInput) -> Section:
    facts = tuple(
        (title, say(tables.design[key])) for key, title, say in DESIGN_FACTS if key in tables.design
    )
    known = {key for key, _, _ in DESIGN_FACTS} | {"name", "primary_score", "dataset_is_simulated"}
    further = tuple(
        (key.replace("_", " "), _as_text(value)) for key, value in tables.design.items() if key not in known
    )
    return Section("design", "The design", (Facts((("Profile", tables.profile), *facts, *further)),))


def not_run(tables: ReportInput) -> Section:
    if not tables.not_run:
        return Section("not-run", "What was not run", (Note("Everything that the design asks for was run."),))
    rows = tuple((Cell(entry.experiment), Cell(f"not run: {entry.reason}")) for entry in tables.not_run)
    columns = (Column("Experiment"), Column("Why"))
    note = "Nothing stands in for what was not run."
    return Section("not-run", "What was not run", (Table("Not run in this study", columns, rows, note),))


def _banner(tables: ReportInput) -> str:
    made_up, reminder = simulated(tables), tag(tables)
    if not reminder:
        return "Every synthetic document of this study was written by a large language model."
    if made_up:
        return (
            f"{listed(made_up)}: simulated generators with planted properties. They are not large language "
            f"models, "
            "and nothing on this page says how an LLM would do. They show what this method detects, and how "
            "surely. " + _other_learners(tables, made_up)
        )
    return f"{reminder}. What they write is no evidence about large language models."


def _real(tables: ReportInput) -> str:
    if not tables.design.get("dataset_is_simulated"):
        return ""
    return " The documents called real on this page are simulated too: its numbers are about the method, not about patents."


def _other_learners(tables: ReportInput, made_up: list[str]) -> str:
    others = [info.name for info in tables.generators if not info.is_llm and info.name not in made_up]
    return f"{listed(others)}: learned from the real documents, not an LLM either." if others else ""


def _list_of(value: Any) -> str:
    return (
        ", ".join(_as_text(part) for part in value) if isinstance(value, (list, tuple)) else _as_text(value)
    )


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return count(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _margin(value: Any) -> str:
    return f"±{plain(value)} (fixed before the run)"


DESIGN_FACTS: tuple[tuple[str, str, Callable[[Any], str]], ...] = (
    ("dataset", "Dataset", _as_text),
    ("regimes", "Regimes (real labelled documents)", _list_of),
    ("replicates", "Replicates", _as_text),
    ("synthetic_documents", "Synthetic documents per corpus", _as_text),
    ("classifier_families", "Classifier families", _list_of),
    ("task_type", "Task", lambda value: str(value).replace("_", "-")),
    ("label_count", "Labels", _as_text),
    ("train_pool_documents", "Train pool (documents)", _as_text),
    ("test_documents", "Test (documents)", _as_text),
    ("test_families", "Test families", _as_text),
    ("reference_documents", "Reference for fidelity (documents)", _as_text),
    ("folds", "Out-of-fold folds, by family", _as_text),
    ("validation", "Validation", _as_text),
    ("margin", "Equivalence margin δ", _margin),
    ("declared", "Declared claims", lambda value: f"{len(value)}, fixed before the run"),
    ("seed", "Study seed", str),
    ("digest", "Design digest", str),
)
