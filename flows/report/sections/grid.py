"""The grid as a heat map of numbers: exploratory, Benjamini-Hochberg over its cells."""

from flows.report.formatting import missing, p_value, score_name, signed, text_or, undefined
from flows.report.inputs import ReportInput
from flows.report.page import Cell, Column, Note, Section, Table
from flows.report.queries import (
    Row,
    arm_label,
    beyond_half,
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
from flows.report.wording import ON_REAL_DOCUMENTS, ON_TRAINING_SETS, counts_words, interval95
from services.evaluator.planning import Rules

FALSE_DISCOVERY_RATE = 0.10
RULES = Rules()


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
    given = {regime: "†" if beyond_half(tables, regime) else "" for regime in regimes(every)}
    titles = [f"{family}, {regime:,}{given[regime]}" for family, regime in places]
    columns = (Column("Corpus"), *(Column(title, True) for title in titles))
    note = " ".join([_note(), *_given(every, beyond=any(given.values()))])
    caption = (
        f"Exploratory: gain against control in {score_name(primary_score(tables))}, 95 % interval below it"
    )
    return Section("grid", title, (Table(caption, columns, body, note),), tag(tables))


def _cell(row: Row | None, delta: float) -> Cell:
    if row is None:
        return Cell("not run")
    if missing(row["effect"]):
        return Cell(undefined(row["note"]))
    mark = "◆" if row["declared"] else ("*" if _discovered(row) else "")
    mark += "‡" if row["conditional"] else ""
    tested = f"corrected p {p_value(row['adjusted_p_value'])}"
    note = text_or(row["note"], "")
    title = "; ".join([counts_words(row), f"against {control_label(row)}", tested, *([note] if note else [])])
    heat = heat_class(float(row["effect"]), delta)
    return Cell(f"{signed(row['effect'])}{mark}", interval95(row), heat=heat, title=title)


def heat_class(effect: float, delta: float) -> int:
    """0 within the margin, then ±1 to twice, ±2 to four times and ±3 beyond it."""
    steps = sum(abs(effect) >= bound * delta for bound in (1, 2, 4))
    return steps if effect >= 0 else -steps


def _discovered(row: Row) -> bool:
    known = not missing(row["adjusted_p_value"]) and _large_enough(row)
    return known and float(row["adjusted_p_value"]) <= FALSE_DISCOVERY_RATE


def _large_enough(row: Row) -> bool:
    """Whether a declared claim on as much could have had a verdict."""
    minima = (
        ("replicate_count", RULES.minimum_replicates),
        ("test_family_count", RULES.minimum_families),
        ("positive_count", RULES.minimum_positives),
    )
    return all(not missing(row[name]) and int(row[name]) >= least for name, least in minima)


def _given(every: list[Row], *, beyond: bool) -> list[str]:
    """Explain the daggers that the table shows."""
    words = [f"† {ON_REAL_DOCUMENTS}: the regime is more than half of the train pool."] if beyond else []
    fixed = f"‡ {ON_TRAINING_SETS}: the interval is over test families only."
    return [*words, fixed] if any(row["conditional"] for row in every) else words


def _note() -> str:
    return (
        "Colour: none inside ±δ, then up to 2δ, up to 4δ and beyond; blue is up, orange is down. "
        f"* Benjamini-Hochberg q ≤ {FALSE_DISCOVERY_RATE:.2f} over the exploratory cells, given "
        f"only from {RULES.minimum_replicates} replicates, {RULES.minimum_families} test families and "
        f"{RULES.minimum_positives} positive labels on. ◆ declared: its verdict stands above. These cells suggest what to test next and carry no verdict."
    )
