"""The grid as a heat map of numbers: exploratory, Benjamini-Hochberg over its cells."""

from flows.report.formatting import interval, missing, p_value, score_name, signed, undefined
from flows.report.inputs import ReportInput
from flows.report.page import Cell, Column, Note, Section, Table
from flows.report.queries import (
    Row,
    arm_label,
    ceilings,
    control_label,
    families,
    gains,
    margin,
    primary_score,
    regimes,
    tag,
)
from flows.report.sections.gains import labels_of
from flows.report.wording import counts_words

FALSE_DISCOVERY_RATE = 0.10


def section(tables: ReportInput) -> Section:
    every = gains(tables) + ceilings(tables, over_real=False)
    title = "The grid (exploratory)"
    if not every:
        return Section("grid", title, (Note(undefined("no contrast was computed"), "undefined"),))
    places = [(family, regime) for family in families(every) for regime in regimes(every)]
    found = {(arm_label(r), str(r["classifier_family"]), int(r["regime"])): r for r in every}
    body = tuple(
        (Cell(label), *(_cell(found.get((label, *place)), margin(tables)) for place in places))
        for label in labels_of(every)
    )
    columns = (Column("Corpus"), *(Column(f"{family}, {regime:,}", True) for family, regime in places))
    caption = (
        f"Exploratory: gain against control in {score_name(primary_score(tables))}, 95 % interval below it"
    )
    return Section("grid", title, (Table(caption, columns, body, _note()),), tag(tables))


def _cell(row: Row | None, delta: float) -> Cell:
    if row is None:
        return Cell("not run")
    if missing(row["effect"]):
        return Cell(undefined(row["note"]))
    mark = "◆" if row["declared"] else ("*" if _discovered(row) else "")
    title = (
        f"{counts_words(row)}; against {control_label(row)}; corrected p {p_value(row['adjusted_p_value'])}"
    )
    heat = heat_class(float(row["effect"]), delta)
    return Cell(
        f"{signed(row['effect'])}{mark}", interval(row["low95"], row["high95"]), heat=heat, title=title
    )


def heat_class(effect: float, delta: float) -> int:
    """0 within the margin, then ±1 to twice, ±2 to four times and ±3 beyond it."""
    steps = sum(abs(effect) >= bound * delta for bound in (1, 2, 4))
    return steps if effect >= 0 else -steps


def _discovered(row: Row) -> bool:
    return not missing(row["adjusted_p_value"]) and float(row["adjusted_p_value"]) <= FALSE_DISCOVERY_RATE


def _note() -> str:
    return (
        "Colour: none inside ±δ, then up to 2δ, up to 4δ and beyond; blue is up, orange is down. "
        f"* Benjamini-Hochberg q ≤ {FALSE_DISCOVERY_RATE:.2f} over the exploratory cells. ◆ declared: its "
        f"verdict "
        "stands above. These cells suggest what to test next and carry no verdict."
    )
