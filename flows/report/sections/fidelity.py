"""Distance to real text, and beside it the gain; never a correlation over a few generators."""

from typing import NamedTuple

from flows.report.figures.scatter import Axes, Point, chart
from flows.report.formatting import count, interval, listed, missing, plain, plural, undefined
from flows.report.inputs import ReportInput
from flows.report.page import Block, Cell, Chart, Column, Figure, Note, Section, Table
from flows.report.queries import (
    Row,
    arm_label,
    corpus_matches,
    gains,
    has_interval,
    headline,
    margin,
    regimes,
    rows,
    tag,
)
from flows.report.strips import shared_axis
from flows.report.summaries import Mean, fidelity_mean
from flows.report.wording import counts_words, effect_words

METRIC = "mmd2"
# The section that an experiment adds where there are correlations.
CORRELATED = "Fidelity and gain, regime by regime"
COLUMNS = (
    Column("Generator"),
    Column("Corpora for"),
    Column("Metric"),
    Column("Value", True),
    Column("Floor", True),
    Column("Ceiling", True),
    Column("Normalised", True),
    Column("n", True),
)
NOTE = (
    "Distances are to a held-out real reference that no generator saw; synthetic rows only. Intervals are "
    "95 % t intervals "
    "over the replicates' corpora. Normalised: 0 is the floor (real against real), 1 the ceiling; it is "
    "never clipped, "
    "so it can be negative."
)


class Pair(NamedTuple):
    gain: Row
    distance: Mean


def section(tables: ReportInput) -> Section:
    title = "Fidelity beside gain"
    if tables.fidelity.empty:
        return Section("fidelity", title, (Note("Fidelity was not measured in this study.", "undefined"),))
    return Section("fidelity", title, (*_scatter(tables), _table(tables)), tag(tables))


def _scatter(tables: ReportInput) -> tuple[Block, ...]:
    scope = headline(tables)
    family = scope.family if scope else ""
    chosen = [row for row in gains(tables) if row["classifier_family"] == family and has_interval(row)]
    pairs = [Pair(row, _distance(tables, row)) for row in chosen]
    drawn = [pair for pair in pairs if pair.distance.value is not None]
    lacking = sorted({arm_label(pair.gain) for pair in pairs if pair.distance.value is None})
    notes = [_correlation_note(tables, drawn)]
    if lacking:
        notes.append(
            Note(
                f"Not drawn, normalised {METRIC} undefined: {listed(lacking)} (not embedded, or for the reasons in the table).",
                "undefined",
            )
        )
    if not drawn:
        return tuple(notes)
    caption = (
        f"Normalised {METRIC} (left is closer to real text) beside gain against control, {family}. One "
        f"point a generator, "
        "95 % intervals on both axes; a wider cross is less sure. Names without room are in the tables alone."
    )
    return (Figure("fidelity", caption, _charts(tables, drawn), tag=tag(tables)), *notes)


def _distance(tables: ReportInput, gain: Row) -> Mean:
    every = [row for row in rows(tables.fidelity) if row["metric"] == METRIC]
    return fidelity_mean(
        [row for row in every if corpus_matches(row, str(gain["generator"]), gain["regime"])], "normalised"
    )


def _charts(tables: ReportInput, drawn: list[Pair]) -> tuple[Chart, ...]:
    ends = [end for pair in drawn for end in _ends(pair.distance)]
    air = 0.12 * ((max(ends) - min(ends)) or 1.0)
    x_domain = (min(ends) - air, max(ends) + air)
    y_domain = shared_axis([pair.gain for pair in drawn], margin(tables))
    axes = Axes(x_domain, y_domain, f"normalised {METRIC}", "gain against control")
    return tuple(
        Chart(
            f"{regime:,} real documents",
            chart([_point(pair) for pair in drawn if pair.gain["regime"] == regime], axes, margin(tables)),
            f"Distance to real text and gain at {regime} real documents; the tables have the numbers.",
        )
        for regime in regimes([pair.gain for pair in drawn])
    )


def _ends(mean: Mean) -> tuple[float, float]:
    centre = mean.value if mean.value is not None else 0.0
    return (centre if mean.low is None else mean.low, centre if mean.high is None else mean.high)


def _point(pair: Pair) -> Point:
    row, mean = pair
    words = {
        "generator": arm_label(row),
        f"normalised {METRIC}": f"{plain(mean.value)} ({interval(mean.low, mean.high, sign=False)})",
        "corpora": plural(mean.replicate_count, "replicate"),
        "gain": effect_words(row),
        "n": counts_words(row),
    }
    gain_ends = (float(row["effect"]), float(row["low95"]), float(row["high95"]))
    return Point(arm_label(row), float(mean.value or 0.0), *_ends(mean), *gain_ends, words)


def _correlation_note(tables: ReportInput, drawn: list[Pair]) -> Note:
    number = plural(len({pair.gain["generator"] for pair in drawn}), "generator")
    if any(section.title == CORRELATED for section in tables.sections):
        return Note(
            f"{number} drawn. Correlations, of those that stand in every regime: {CORRELATED}, below."
        )
    return Note(
        f"No correlation is printed: it needs at least 8 generators of one strategy and a reliable gain; "
        f"{number} can be drawn here. Read the points, not a trend."
    )


def _table(tables: ReportInput) -> Table:
    keys = list(
        dict.fromkeys((r["generator"], r["regime_scope"], r["metric"]) for r in rows(tables.fidelity))
    )
    groups = [(key, [r for r in rows(tables.fidelity) if _group(r) == key]) for key in keys]
    body = tuple(_row(key, members) for key, members in groups)
    return Table(
        "Distance to real text, between floor and ceiling", COLUMNS, body, NOTE, collapsed=len(body) > 16
    )


def _group(row: Row) -> tuple[object, ...]:
    return (row["generator"], row["regime_scope"], row["metric"])


def _row(key: tuple[object, ...], members: list[Row]) -> tuple[Cell, ...]:
    generator, scope, metric = (str(part) for part in key)
    return (
        Cell(generator),
        Cell(f"regime {scope}" if scope.isdigit() else "all regimes"),
        Cell(metric),
        _mean_cell(fidelity_mean(members, "value"), 4),
        Cell(_bound(members[0]["floor"])),
        Cell(_bound(members[0]["ceiling"])),
        _mean_cell(fidelity_mean(members, "normalised"), 3),
        Cell(plural(len(members), "corpus", "corpora"), f"{count(members[0]['sample_count'])} documents"),
    )


def _bound(value: object) -> str:
    return "not measured" if missing(value) else plain(value, 4)


def _mean_cell(mean: Mean, digits: int) -> Cell:
    if mean.value is None:
        return Cell(undefined(mean.reason))
    detail = mean.reason if mean.low is None else interval(mean.low, mean.high, digits, sign=False)
    return Cell(plain(mean.value, digits), detail)
