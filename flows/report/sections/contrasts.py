"""Contrasts of an experiment's own kinds: a figure with intervals, and its numbers."""

from collections.abc import Mapping, Sequence

from flows.report.figures.intervals import Whisker, chart
from flows.report.figures.theme import series_legend
from flows.report.formatting import interval, score_name, signed
from flows.report.inputs import ReportInput
from flows.report.page import Block, Chart, Figure
from flows.report.queries import (
    Row,
    arm_label,
    control_label,
    families,
    gains,
    has_interval,
    margin,
    primary_score,
    regimes,
    tag,
)
from flows.report.sections.gains import labels_of, numbers
from flows.report.strips import shared_axis
from flows.report.wording import counts_words


def contrast_blocks(
    tables: ReportInput, key: str, kinds: Mapping[str, str], caption: str, *, family: str = ""
) -> tuple[Block, ...]:
    """Return a figure and the table of its numbers; nothing where no contrast of these kinds was run.

    Args:
        tables: The study's.
        key: Names the figure on the page.
        kinds: What each kind of contrast is called in the legend; one series each.
        caption: Says what is drawn, against what.
        family: Draw only this classifier family; the table always has all.
    """
    every = [row for kind in kinds for row in gains(tables, kind)]
    if not every:
        return ()
    drawn = [r for r in every if has_interval(r) and family in ("", r["classifier_family"])]
    table = numbers(every, "The numbers of this figure" if drawn else caption)
    return (_figure(tables, key, kinds, caption, drawn), table) if drawn else (table,)


def _figure(
    tables: ReportInput, key: str, kinds: Mapping[str, str], caption: str, drawn: Sequence[Row]
) -> Figure:
    several = len(families(list(drawn))) > 1 and len(kinds) == 1
    series = families(list(drawn)) if several else [kinds[k] for k in kinds if _has(drawn, k)]
    labels, delta = labels_of(list(drawn)), margin(tables)
    axis = shared_axis(drawn, delta)
    title = f"difference, {score_name(primary_score(tables))}"
    charts = tuple(
        Chart(
            f"{regime:,} real documents",
            chart(
                [_whisker(r, str(r["classifier_family"]) if several else kinds[r["kind"]]) for r in here],
                *(labels, series, axis, delta, title),
            ),
            f"Differences with intervals at {regime} real documents; the table below has the numbers.",
        )
        for regime in regimes(list(drawn))
        if (here := [row for row in drawn if row["regime"] == regime])
    )
    return Figure(key, caption, charts, series_legend(series), tag(tables))


def _has(drawn: Sequence[Row], kind: str) -> bool:
    return any(row["kind"] == kind for row in drawn)


def _whisker(row: Row, series: str) -> Whisker:
    words = {
        "arm": arm_label(row),
        "family": str(row["classifier_family"]),
        "difference": f"{signed(row['effect'])} against {control_label(row)}",
        "95 % interval": interval(row["low95"], row["high95"]),
        "n": counts_words(row),
    }
    ends = (float(row["effect"]), float(row["low95"]), float(row["high95"]))
    return Whisker(arm_label(row), series, *ends, bool(row["declared"]), words)
