"""Questions to the tables of a report that several of its parts ask."""

import re
from typing import Any, NamedTuple, TypeAlias, cast

import pandas as pd

from flows.report.formatting import listed, missing
from flows.report.inputs import ReportInput

Row: TypeAlias = dict[str, Any]

WORDS = frozenset({"generator", "arm", "control", "note", "reading", "undefined_reason", "classifier_family"})


class Scope(NamedTuple):
    """Where the headline numbers are read: the regime and family of the declared claims."""

    regime: int
    family: str


def rows(table: pd.DataFrame) -> list[Row]:
    """The rows as mappings; a missing name or note is "", which is how the columns write "none"."""
    records = cast(list[Row], table.to_dict("records"))
    return [{name: _named(name, value) for name, value in row.items()} for row in records]


def has_interval(row: Row) -> bool:
    """Whether a contrast can be drawn: arms that agree exactly have an effect and no interval."""
    return not missing(row["effect"]) and not missing(row["low95"])


def primary_score(tables: ReportInput) -> str:
    return str(tables.design.get("primary_score", "micro_f1"))


def margin(tables: ReportInput) -> float:
    return float(tables.design.get("margin", 0.02))


def gains(tables: ReportInput, kind: str = "gain_vs_control", score: str = "") -> list[Row]:
    """Contrasts of one kind and score (default: the primary one), generators in the page's order."""
    table = tables.contrasts
    chosen = table[(table["kind"] == kind) & (table["score"] == (score or primary_score(tables)))]
    order = {generator.name: place for place, generator in enumerate(tables.generators)}
    return sorted(
        rows(chosen),
        key=lambda row: (row["regime"], order.get(row["generator"], len(order)), _natural(row["arm"])),
    )


def declared(tables: ReportInput) -> list[Row]:
    """The pre-declared claims, whatever their kind."""
    chosen = tables.contrasts[tables.contrasts["declared"].astype(bool)]
    order = {generator.name: place for place, generator in enumerate(tables.generators)}
    return sorted(rows(chosen), key=lambda row: order.get(row["generator"], len(order)))


def headline(tables: ReportInput) -> Scope | None:
    """The scope most declared claims share; without any, the smallest regime and its first family."""
    candidates = declared(tables) or gains(tables)[:1]
    scopes = [Scope(int(row["regime"]), str(row["classifier_family"])) for row in candidates]
    return max(scopes, key=scopes.count) if scopes else None


def within(candidates: list[Row], scope: Scope) -> list[Row]:
    return [
        row
        for row in candidates
        if row["regime"] == scope.regime and row["classifier_family"] == scope.family
    ]


def regimes(candidates: list[Row]) -> list[int]:
    return sorted({int(row["regime"]) for row in candidates if not missing(row["regime"])})


def families(candidates: list[Row]) -> list[str]:
    return sorted({str(row["classifier_family"]) for row in candidates})


def condition_of(arm: object) -> str:
    """An arm's condition: "row_twin" of "row_twin:oracle"."""
    return str(arm).partition(":")[0]


def arm_label(row: Row) -> str:
    """How the page names a contrast's treatment: its generator, its condition where that says more, settings."""
    generator, condition = str(row["generator"]), condition_of(row["arm"])
    settings = _settings_of(row["arm"])
    named = [generator] if generator else []
    if condition not in ("", "synthesis", generator, "real_only" if settings else ""):
        named.append(condition)
    return " · ".join([*named, *settings])


def control_label(row: Row) -> str:
    """How the page names what a contrast is against: its condition and settings, or another generator."""
    condition, _, rest = str(row["control"]).partition(":")
    named = rest.partition(":")[0] if condition == "synthesis" else condition
    return " · ".join([named, *_settings_of(row["control"])])


def _natural(arm: object) -> list[tuple[float, str]]:
    """A sorting key by which "documents=60" stands before "documents=120"."""
    pieces = re.split(r"(\d+(?:\.\d+)?)", str(arm))
    return [(float(piece), "") if place % 2 else (-1.0, piece) for place, piece in enumerate(pieces)]


def _settings_of(arm: object) -> list[str]:
    """The settings in an arm's name: "focal" of "real_only:objective=focal", "share=0.5" of others."""
    parts = [part for part in str(arm).split(":")[1:] if "=" in part]
    return [part.removeprefix("objective=") for part in parts]


def ceilings(tables: ReportInput, *, over_real: bool) -> list[Row]:
    """New real documents against real data alone (a raw gain), or against a control of the same size."""
    every = gains(tables, "ceiling")
    return [row for row in every if (control_label(row) == "real_only") == over_real]


def corpus_matches(row: Row, generator: str, regime: object) -> bool:
    """Whether a per-corpus row belongs to a generator's corpora at a regime (recurring ones match all)."""
    scope = str(row["regime_scope"])
    return row["generator"] == generator and (not scope.isdigit() or scope == str(regime))


def simulated(tables: ReportInput) -> list[str]:
    return [generator.name for generator in tables.generators if generator.backend == "simulator"]


def beyond_half(tables: ReportInput, regime: object) -> bool:
    """Whether a regime is more than half of the train pool, so that its redraws share documents."""
    pool = tables.design.get("train_pool_documents")
    return not missing(pool) and not missing(regime) and 2 * cast(int, regime) > cast(int, pool)


def tag(tables: ReportInput) -> str:
    """The small reminder that every section and figure with generators carries; "" if all are LLMs."""
    others = [generator.name for generator in tables.generators if not generator.is_llm]
    if not others:
        return ""
    if len(others) == len(tables.generators):
        backends = list(dict.fromkeys(generator.backend for generator in tables.generators))
        return f"written by {listed(backends)}, not by LLMs"
    return f"not LLMs: {listed(others)}"


def _named(column: str, value: Any) -> Any:
    return "" if column in WORDS and missing(value) else value
