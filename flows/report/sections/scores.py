"""Mean scores of the arms at every threshold rule, as measured: shown, never declared."""

from collections.abc import Iterable

import pandas as pd

from flows.report.formatting import count, interval, plain, plural, score_name, undefined
from flows.report.inputs import ReportInput
from flows.report.page import Cell, Column, Note, Table
from flows.report.queries import headline, rows
from flows.report.summaries import replicate_mean

SHOWN = ("micro_f1", "macro_f1", "lrap")


def scores(tables: ReportInput) -> Table | Note:
    """One row an arm at the headline regime and family, one column a metric and threshold rule."""
    scope, table = headline(tables), tables.measurements
    if scope is None or table.empty:
        return Note("Arms were not scored in this study.", "undefined")
    here = table[
        (table["regime"] == scope.regime)
        & (table["classifier_family"] == scope.family)
        & table["metric"].isin(SHOWN)
    ]
    pairs = list(dict.fromkeys(zip(here["metric"], here["threshold_rule"], strict=True)))
    body = tuple(
        _row(group, pairs) for _, group in here.groupby(["generator", "arm"], sort=False, dropna=False)
    )
    columns = (Column("Arm"), *(Column(_title(*pair), True) for pair in pairs), Column("n", True))
    caption = f"Mean scores of every arm at {count(scope.regime)} real documents, {scope.family}"
    note = "95 % t intervals over replicates; differences between arms are paired and stand above."
    return Table(caption, columns, body, note, collapsed=True)


def _title(metric: str, rule: str) -> str:
    return f"{score_name(metric)}, {rule.replace('_', '-')}"


def _row(group: pd.DataFrame, pairs: Iterable[tuple[str, str]]) -> tuple[Cell, ...]:
    members = rows(group)
    cells = [
        _cell([row for row in members if (row["metric"], row["threshold_rule"]) == pair]) for pair in pairs
    ]
    replicates = plural(int(group["replicate"].nunique()), "replicate")
    return (
        Cell(str(members[0]["arm"])),
        *cells,
        Cell(replicates, f"{count(members[0]['sample_count'])} scored"),
    )


def _cell(members: list[dict[str, object]]) -> Cell:
    reasons = [str(row["undefined_reason"]) for row in members if row["undefined_reason"]]
    mean = replicate_mean([row["value"] for row in members], reasons[0] if reasons else "not measured")
    if mean.value is None:
        return Cell(undefined(mean.reason))
    return Cell(
        plain(mean.value), interval(mean.low, mean.high, sign=False) if mean.low is not None else mean.reason
    )
