"""Contrasts of an experiment's own kinds: a figure with intervals, and its numbers."""

from collections.abc import Callable, Mapping, Sequence

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

Label = Callable[[Row], str]


def contrast_blocks(
    tables: ReportInput, key: str, kinds: Mapping[str, str], caption: str, *, label: Label = arm_label
) -> tuple[Block, ...]:
    """Return a figure and the table of its numbers; nothing where no contrast of these kinds was run.

    Args:
        tables: The study's.
        key: Names the figure on the page.
        kinds: What each kind of contrast is called in the legend; one series each.
        caption: Says what is drawn, against what.
        label: Names a contrast's line in the figure.
    """
    every = [row for kind in kinds for row in gains(tables, kind)]
    if not every:
        return ()
    drawn = [row for row in every if has_interval(row)]
    table = numbers(every, "The numbers of this figure" if drawn else caption)
    return (_figure(tables, key, kinds, caption, drawn, label), table) if drawn else (table,)


def _figure(
    tables: ReportInput, key: str, kinds: Mapping[str, str], caption: str, drawn: list[Row], label: Label
) -> Figure:
    several = families(drawn) if len(families(drawn)) > 1 else []
    # Either families or kinds are the series; of both there would be lines that nothing tells apart.
    apart = several if len(kinds) > 1 else []
    series = several if several and not apart else [kinds[k] for k in kinds if _has(drawn, k)]
    labels, delta = labels_of(drawn, label), margin(tables)
    axis = shared_axis(drawn, delta)
    title = f"difference, {score_name(primary_score(tables))}"
    charts = []
    for regime, family in [(n, f) for n in regimes(drawn) for f in apart or [""]]:
        here = [r for r in drawn if r["regime"] == regime and family in ("", r["classifier_family"])]
        lines = [
            _whisker(r, label(r), kinds[r["kind"]] if apart or not several else str(r["classifier_family"]))
            for r in here
        ]
        place = f"{regime:,} real documents" + (f", {family}" if family else "")
        words = f"Differences with intervals at {place}; the table below has the numbers."
        if lines:
            charts.append(Chart(place, chart(lines, labels, series, axis, delta, title), words))
    return Figure(key, caption, tuple(charts), series_legend(series), tag(tables))


def _has(drawn: Sequence[Row], kind: str) -> bool:
    return any(row["kind"] == kind for row in drawn)


def _whisker(row: Row, label: str, series: str) -> Whisker:
    words = {
        "arm": arm_label(row),
        "family": str(row["classifier_family"]),
        "difference": f"{signed(row['effect'])} against {control_label(row)}",
        "95 % interval": interval(row["low95"], row["high95"]),
        "n": counts_words(row),
    }
    ends = (float(row["effect"]), float(row["low95"]), float(row["high95"]))
    return Whisker(label, series, *ends, bool(row["declared"]), words)
