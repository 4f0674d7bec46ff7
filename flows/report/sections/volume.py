"""Raw gain beside controlled gain: how much of it a control of the same size shows too."""

from flows.report.figures.intervals import Whisker, chart
from flows.report.figures.theme import series_legend
from flows.report.formatting import EN_DASH, count, interval, missing, plural, score_name, signed, undefined
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
    headline,
    margin,
    primary_score,
    regimes,
    tag,
)
from flows.report.sections.gains import labels_of
from flows.report.strips import shared_axis
from flows.report.summaries import Share, volume_share
from flows.report.wording import counts_words, interval95

KINDS = {
    "gain_vs_real": "against real only (raw)",
    "gain_vs_resampled": "against the resampled twin",
    "gain_vs_control": "against the control",
}
COLUMNS = (
    Column("Corpus"),
    Column("Regime", True),
    Column("Family"),
    Column("Raw gain", True),
    Column("Against resampled twin", True),
    Column("Against control", True),
    Column("Volume, in points", True),
    Column("Volume share of the raw gain"),
)
NOTE = (
    "Raw gain = volume + gain against control. Volume is what the control, copies of real documents, gains "
    "over real "
    "data alone. A share is stated only where the raw gain's lower 95 % bound is above .02 and Fieller's g "
    "is below "
    ".2; shares may be negative or above 1. The resampled twin draws all of its documents with replacement "
    "and loses "
    "real ones by it: a handicapped control, shown because papers use it."
)


def section(tables: ReportInput) -> Section:
    raw, title = gains(tables, "gain_vs_real"), "Raw gain beside controlled gain"
    pairs = [(row, found) for row in gains(tables) if (found := _partner(row, raw)) is not None]
    if not pairs:
        text = undefined("no arm has both a gain over real data alone and a gain against its control")
        return Section("volume", title, (Note(text, "undefined"),))
    resampled = gains(tables, "gain_vs_resampled")
    return Section("volume", title, (_figure(tables, pairs), _table(tables, pairs, resampled)), tag(tables))


def _partner(row: Row, others: list[Row]) -> Row | None:
    keys = ("generator", "regime", "classifier_family", "arm")
    return next((other for other in others if all(other[key] == row[key] for key in keys)), None)


def _figure(tables: ReportInput, pairs: list[tuple[Row, Row]]) -> Figure:
    scope = headline(tables)
    family = scope.family if scope else families([row for row, _ in pairs])[0]
    candidates = [row for pair in pairs for row in pair] + ceilings(tables, over_real=True)
    drawn = [r for r in candidates if r["classifier_family"] == family and has_interval(r)]
    series = [KINDS["gain_vs_real"], KINDS["gain_vs_control"]]
    axis, labels, delta = shared_axis(drawn, margin(tables)), labels_of(drawn), margin(tables)
    charts = tuple(
        Chart(
            f"{regime:,} real documents",
            chart(
                [_whisker(row) for row in drawn if row["regime"] == regime],
                *(labels, series, axis, delta, f"gain, {score_name(primary_score(tables))}"),
            ),
            f"Raw and controlled gain at {regime} real documents; the table below has the numbers.",
        )
        for regime in regimes(drawn)
    )
    caption = (
        f"The same scores against two baselines ({family}, 95 % intervals). Where only the raw gain is above "
        "zero, only volume is shown. new_real, further real documents over real data alone, is the ceiling."
    )
    return Figure("volume", caption, charts, series_legend(series), tag(tables))


def _whisker(row: Row) -> Whisker:
    words = {
        "corpus": arm_label(row),
        "gain": f"{signed(row['effect'])} against {control_label(row)}",
        "95 % interval": interval95(row),
        "n": counts_words(row),
    }
    ends = (float(row["effect"]), float(row["low95"]), float(row["high95"]))
    return Whisker(
        arm_label(row),
        KINDS["gain_vs_real" if row["kind"] == "ceiling" else str(row["kind"])],
        *ends,
        row["kind"] == "gain_vs_control",
        words,
    )


def _table(tables: ReportInput, pairs: list[tuple[Row, Row]], resampled: list[Row]) -> Table:
    body = []
    for row, raw in pairs:
        share = volume_share(tables, row, raw)
        cells = (Cell(arm_label(row)), Cell(count(row["regime"])), Cell(str(row["classifier_family"])))
        gain_cells = (_gain_cell(raw), _gain_cell(_partner(row, resampled)), _gain_cell(row))
        body.append((*cells, *gain_cells, *_share_cells(share)))
    return Table(
        "Raw gain, controlled gain and what lies between",
        COLUMNS,
        tuple(body),
        NOTE,
        collapsed=len(body) > 16,
    )


def _gain_cell(row: Row | None) -> Cell:
    if row is None:
        return Cell(EN_DASH, "not run")
    if missing(row["effect"]):
        return Cell(undefined(row["note"]))
    return Cell(signed(row["effect"]), interval95(row), title=counts_words(row))


def _share_cells(share: Share) -> tuple[Cell, Cell]:
    if share.volume is None:
        return Cell(undefined(share.reason)), Cell(EN_DASH)
    volume = Cell(signed(share.volume), plural(share.replicate_count, "replicate"))
    if share.share is None:
        return volume, Cell("not stated", share.reason)
    return volume, Cell(f"{share.share:.2f}", interval(share.low, share.high, 2, sign=False))
