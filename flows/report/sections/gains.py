"""Gain against control of every arm and regime, and the exploratory grid."""

from collections.abc import Callable

from flows.report.figures.intervals import Whisker, chart
from flows.report.figures.theme import series_legend
from flows.report.formatting import (
    count,
    missing,
    p_value,
    plural,
    score_name,
    signed,
    text_or,
    undefined,
)
from flows.report.inputs import ReportInput
from flows.report.page import Cell, Chart, Column, Figure, Note, Section, Table
from flows.report.queries import (
    Row,
    arm_label,
    ceilings,
    control_label,
    families,
    gains,
    has_interval,
    margin,
    primary_score,
    regimes,
    tag,
)
from flows.report.sections.scores import scores
from flows.report.strips import shared_axis
from flows.report.wording import counts_words, interval95, verdict_words

TABLE_COLUMNS = (
    Column("Corpus"),
    Column("Regime", True),
    Column("Family"),
    Column("Control"),
    Column("Gain", True),
    Column("95 % interval", True),
    Column("n", True),
    Column("p, corrected", True),
    Column("Verdict"),
)


def section(tables: ReportInput) -> Section:
    every = gains(tables) + ceilings(tables, over_real=False)
    drawn = [row for row in every if has_interval(row)]
    title = "Gain against control, by arm and regime"
    if not drawn:
        return Section("gains", title, (Note(undefined("no contrast has an effect"), "undefined"),))
    caption = (
        f"Gain in {score_name(primary_score(tables))} against a control of the same size, with 95 % "
        "intervals. Filled: declared. Hollow: exploratory. Shaded: the margin ±δ."
    )
    figure = Figure("gains", caption, _charts(tables, drawn), series_legend(families(drawn)), tag(tables))
    blocks = (figure, numbers(every, "The numbers of this figure"), _others(tables), scores(tables))
    return Section("gains", title, blocks, tag(tables))


def numbers(every: list[Row], caption: str) -> Table:
    """The figure in figures: also what a screen reader and a printer get."""
    body = tuple(
        (
            Cell(arm_label(row)),
            Cell(count(row["regime"])),
            Cell(str(row["classifier_family"])),
            Cell(control_label(row)),
            Cell(undefined(row["note"]) if missing(row["effect"]) else signed(row["effect"])),
            Cell(interval95(row)),
            Cell(count(row["replicate_count"]), plural(int(row["test_family_count"]), "family", "families")),
            Cell(p_value(row["adjusted_p_value"]), "Holm" if row["declared"] else "BH"),
            Cell(verdict_words(str(row["verdict"])), chip=str(row["verdict"])),
        )
        for row in every
    )
    return Table(caption, TABLE_COLUMNS, body, collapsed=True)


def labels_of(every: list[Row], label: Callable[[Row], str] = arm_label) -> list[str]:
    """Row labels in the page's order, the ceiling last, the same in every chart."""
    ordered = sorted(every, key=lambda row: row["kind"] == "ceiling")
    return list(dict.fromkeys(label(row) for row in ordered))


def _charts(tables: ReportInput, drawn: list[Row]) -> tuple[Chart, ...]:
    series, labels, delta = families(drawn), labels_of(drawn), margin(tables)
    axis = shared_axis(drawn, delta)
    title = f"gain against control, {score_name(primary_score(tables))}"
    return tuple(
        Chart(
            f"{regime:,} real documents",
            chart([_whisker(r) for r in drawn if r["regime"] == regime], labels, series, axis, delta, title),
            f"Gains with intervals at {regime} real documents; the table below has the numbers.",
        )
        for regime in regimes(drawn)
    )


def _whisker(row: Row) -> Whisker:
    words = {
        "corpus": arm_label(row),
        "family": str(row["classifier_family"]),
        "gain": f"{signed(row['effect'])} against {control_label(row)}",
        "95 % interval": interval95(row),
        "n": counts_words(row),
        "corrected p": p_value(row["adjusted_p_value"]),
        "verdict": text_or(row["verdict"], "exploratory"),
    }
    ends = (float(row["effect"]), float(row["low95"]), float(row["high95"]))
    return Whisker(arm_label(row), str(row["classifier_family"]), *ends, bool(row["declared"]), words)


def _others(tables: ReportInput) -> Table | Note:
    scores = sorted(set(tables.contrasts.loc[tables.contrasts["kind"] == "gain_vs_control", "score"]))
    others = [score for score in scores if score != primary_score(tables)]
    every = [row for score in others for row in gains(tables, score=score)]
    if not every:
        return Note("Other scores were not compared by contrasts; their means stand below.")
    body = tuple(
        (Cell(score_name(str(row["score"]))), *cells)
        for row, cells in zip(every, numbers(every, "").rows, strict=True)
    )
    columns = (Column("Score"), *TABLE_COLUMNS)
    return Table("The same contrasts on other scores: shown, never declared", columns, body, collapsed=True)
