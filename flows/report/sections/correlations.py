"""Correlations of fidelity with gain, between regimes, and the published ones beside them."""

from collections.abc import Callable, Sequence

from flows.report.formatting import EN_DASH, interval, missing, p_value, plain, signed
from flows.report.page import Cell, Column, Note, Table
from flows.report.queries import Row
from services.evaluator.correlation.reconstruction import reconstruct

GAIN, PERFORMANCE = "gain", "performance"
TITLES = {GAIN: "gain", PERFORMANCE: "score itself"}
# What arXiv 2605.24296 prints; only 14 points a regime give its z.
PAPER_R, PAPER_COUNT = (0.95, -0.73), 14
# Of correlations over some ten corpora more would be noise.
DIGITS = 2


def paper() -> Note:
    """Return the published comparison, reconstructed, and why it is no test."""
    found = reconstruct(PAPER_R[0], PAPER_COUNT, PAPER_R[1], PAPER_COUNT)
    ends = interval(found.interval95.low, found.interval95.high, 4, sign=False)
    return Note(
        f"Published (arXiv 2605.24296), reconstructed: r = {signed(PAPER_R[0], 2)} with few and "
        f"{signed(PAPER_R[1], 2)} with many real documents, {PAPER_COUNT} points each, z = {found.z:.3f}, interval "
        f"{ends}. This {found.note}. It is shown for comparison; the tests above are the dependent ones."
    )


def correlations(found: Sequence[Row]) -> Table:
    """Return correlations of fidelity with gain or score, or why there are none."""
    columns = (
        Column("Metric"),
        Column("Against"),
        Column("Regime", True),
        Column("r", True),
        Column("95 % interval", True),
        Column("Spearman", True),
        Column("Leaving one out", True),
        Column("Reliability", True),
        Column("n", True),
    )
    body = tuple(
        (
            _metric(row),
            Cell(TITLES[row["outcome"]]),
            Cell(str(row["regime"])),
            _or_refused(row, "pearson"),
            _interval(row, "low95", "high95"),
            _known(row["spearman"], signed),
            _interval(row, "leave_one_out_low", "leave_one_out_high"),
            _known(row["reliability"], plain),
            Cell(str(row["corpus_count"]), "corpora"),
        )
        for row in found
    )
    notes = dict.fromkeys(str(row["note"]) for row in found if row["note"])
    return Table("Correlation of fidelity with gain, within strategies", columns, body, "; ".join(notes))


def differences(found: Sequence[Row]) -> Table:
    """Return correlations at the smallest and the largest regime, and what lies between them."""
    columns = (
        Column("Metric"),
        Column("Against"),
        Column("r, smallest regime", True),
        Column("r, largest regime", True),
        Column("Difference", True),
        Column("95 % interval (Zou)", True),
        Column("p (Meng, Rosenthal, Rubin)", True),
        Column("z as if independent", True),
    )
    body = tuple(
        (
            _metric(row),
            Cell(TITLES[row["outcome"]]),
            _known(row["first_pearson"], signed),
            _known(row["second_pearson"], signed),
            _or_refused(row, "difference"),
            _interval(row, "low95", "high95"),
            _p(row["p_value"], "" if missing(row["difference"]) else str(row["refused"])),
            _known(row.get("reconstruction_z"), signed),
        )
        for row in found
    )
    return Table("Does the correlation differ between the regimes?", columns, body)


def inversions(found: Sequence[Row]) -> Table:
    """Return whether signs turn between the regimes."""
    columns = (
        Column("Metric"),
        Column("Against"),
        Column("Inverted?"),
        Column("Holm p", True),
        Column("Power", True),
    )
    body = tuple(
        (
            _metric(row),
            Cell(TITLES[row["outcome"]]),
            Cell("refused", str(row["refused"]))
            if row["refused"]
            else Cell("yes" if row["inverted"] else "not shown"),
            _p(row["adjusted_p_value"]),
            _known(row["power"], plain, f"to see correlations of ±{row['assumed_correlation']:g}"),
        )
        for row in found
    )
    return Table("Does its sign turn? Both signs must hold at once", columns, body)


def _or_refused(row: Row, name: str) -> Cell:
    return Cell("refused", str(row["refused"])) if missing(row[name]) else Cell(signed(row[name], DIGITS))


def _known(value: object, show: Callable[[object, int], str], detail: str = "") -> Cell:
    return Cell(EN_DASH if missing(value) else show(value, DIGITS), detail)


def _interval(row: Row, low: str, high: str) -> Cell:
    return Cell(EN_DASH if missing(row[low]) else interval(row[low], row[high], DIGITS))


def _p(value: object, reason: str = "") -> Cell:
    return Cell(EN_DASH, reason) if missing(value) else Cell(p_value(value))


def _metric(row: Row) -> Cell:
    """Return a metric's name, and where it is known which of its values are nearer to real text."""
    lower = row.get("lower_is_better")
    return Cell(str(row["metric"]), "" if missing(lower) else f"{'lower' if lower else 'higher'} is nearer")
