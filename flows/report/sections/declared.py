"""The declared claims with their verdicts, and for simulated generators the planted truth beside them."""

from flows.report.claims import Claim, Finding
from flows.report.formatting import (
    EN_DASH,
    count,
    missing,
    p_value,
    plain,
    plural,
    signed,
    text_or,
    undefined,
)
from flows.report.inputs import ReportInput
from flows.report.page import Block, Cell, Column, Note, Section, Table
from flows.report.queries import Row, arm_label, beyond_half, control_label, declared, margin, rows, tag
from flows.report.sections.donors import donors_note
from flows.report.strips import shared_axis, strip
from flows.report.wording import (
    ON_REAL_DOCUMENTS,
    ON_TRAINING_SETS,
    conditions,
    interval95,
    judged_worth,
    verdict_words,
)

COLUMNS = (
    Column("Corpus"),
    Column("Verdict"),
    Column("Gain against control", True),
    Column("Interval, with ±δ"),
    Column("Planted truth"),
    Column("Holm p, MDE", True),
    Column("Means", True),
    Column("n", True),
)
WORTH_COLUMNS = (Column("Corpus"), Column("Worth in real documents"), Column("Measured up to", True))
VERDICT_NOTE = (
    "Better or worse: Holm-corrected p < .05. Equivalent: the 90 % interval lies inside ±δ. Negligible: "
    "both. "
    "Inconclusive: neither. The shaded band is ±δ; MDE is the smallest effect this design finds with power "
    ".80."
)


def truth_agreement(tables: ReportInput) -> Finding:
    truths = _truths(tables)
    pairs = [(row, truths[_key(row)]) for row in declared(tables) if _key(row) in truths]
    clear = [(row, truth) for row, truth in pairs if truth["truth_class"] != "unclear"]
    if not clear:
        return Finding("none", {"note": text_or(tables.truth_note, "truth not computed for this design")})
    verdicts = [_agreement(str(row["verdict"]), str(truth["truth_class"])) for row, truth in clear]
    words = {
        "total": plural(len(clear), "declared claim"),
        "agree": verdicts.count("agrees"),
        "opposite": verdicts.count("differs"),
        "open": verdicts.count("open"),
    }
    return Finding("compared", words)


TRUTH = Claim(
    "truth_agreement",
    "contrasts where declared, joined with planted_truth",
    {
        "compared": "Of {total} with a clear planted truth, {agree} verdicts agree with it, {opposite} differ and "
        "{open} are left open; one study is no test of the method.",
        "none": "No planted truth stands beside these verdicts: {note}.",
    },
    truth_agreement,
)


def section(tables: ReportInput) -> Section:
    claims = declared(tables)
    if not claims:
        return Section("claims", "Declared claims", (_no_claims(tables),))
    blocks: list[Block] = [_table(tables, claims)]
    if len(tables.planted_truth) or tables.truth_note:
        blocks.append(TRUTH.read(tables))
    donors = donors_note(tables, claims)
    blocks += [*([donors] if donors else []), *(Note(text) for text in _given(tables, claims))]
    blocks.append(_worths(tables, claims))
    return Section("claims", "Declared claims and their verdicts", tuple(blocks), tag(tables))


def _gain_cell(row: Row) -> Cell:
    if missing(row["effect"]):
        return Cell(undefined(row["note"]))
    return Cell(signed(row["effect"]), interval95(row))


def _test_cells(row: Row) -> tuple[Cell, ...]:
    """Corrected p with the MDE, means and n of one contrast."""
    return (
        Cell(p_value(row["adjusted_p_value"]), f"MDE {plain(row['mde'])}"),
        Cell(plain(row["treatment_mean"]), f"control {plain(row['control_mean'])}"),
        Cell(
            f"{count(row['replicate_count'])} replicates", f"{count(row['test_family_count'])} test families"
        ),
    )


def _table(tables: ReportInput, claims: list[Row]) -> Table:
    delta, truths = margin(tables), _truths(tables)
    axis = shared_axis(claims, delta)
    body = []
    for row in claims:
        verdict = str(row["verdict"])
        cells = [
            Cell(arm_label(row), _where(row)),
            Cell(verdict_words(verdict), _wording(tables, row), chip=verdict),
        ]
        cells += [_gain_cell(row), Cell("", strip=strip(row, delta, axis))]
        cells += [_truth_cell(row, truths.get(_key(row)), tables.truth_note)] if truths else []
        body.append((*cells, *_test_cells(row)))
    columns = tuple(column for column in COLUMNS if truths or column.title != "Planted truth")
    return Table(
        "Declared before the run; every verdict is against the control named",
        columns,
        tuple(body),
        VERDICT_NOTE,
    )


def _worths(tables: ReportInput, claims: list[Row]) -> Table:
    rulers = {_key(row): row for row in rows(tables.worths)}
    found = [(row, rulers.get(_key(row))) for row in claims]
    body = tuple(
        (
            Cell(arm_label(row)),
            Cell(judged_worth(ruler, str(row["verdict"]), str(row["note"]) if ruler else "")),
            Cell(EN_DASH if ruler is None else count(ruler["cap"])),
        )
        for row, ruler in found
    )
    note = (
        "The ruler is the row twin with some of its copies replaced by new real documents. The interval "
        "holds every "
        "number of new documents whose 95 % interval of the difference holds zero. A worth is "
        "stated only where the verdict is better; other intervals are exploratory."
    )
    return Table("What each declared corpus is worth", WORTH_COLUMNS, body, note)


def _where(row: Row) -> str:
    return f"against {control_label(row)}, at {count(row['regime'])}, {row['classifier_family']}"


def _wording(tables: ReportInput, row: Row) -> str:
    """The conditions and the note; a note that says the condition itself is not repeated."""
    note = text_or(row["note"], "").replace("conditional: ", f"{ON_TRAINING_SETS}: ")
    known = [words for words in conditions(tables, row) if words not in note]
    return "; ".join([*known, note] if note else known)


def _truth_cell(row: Row, truth: Row | None, note: str) -> Cell:
    if truth is None:
        return Cell(EN_DASH, text_or(note, "truth not computed"))
    theta = f"θ = {signed(truth['theta'])} ± {plain(truth['standard_error'])} SE"
    agreement = _agreement(str(row["verdict"]), str(truth["truth_class"]))
    words = {"agrees": "verdict agrees", "differs": "verdict differs", "open": "left open"}[agreement]
    return Cell(
        verdict_words(str(truth["truth_class"])), f"{theta}; {words}", chip=f"{truth['truth_class']} planted"
    )


def _agreement(verdict: str, truth: str) -> str:
    if verdict in ("inconclusive", "not tested", "exploratory") or truth == "unclear":
        return "open"
    return "agrees" if ("equivalent" if verdict == "negligible" else verdict) == truth else "differs"


def _no_claims(tables: ReportInput) -> Note:
    promised = len(tables.design.get("declared") or ())
    if not promised:
        return Note("No claim was declared: no verdicts.", "undefined")
    text = f"{plural(promised, 'claim')} declared, but the experiment that tests claims was not run: no verdicts."
    return Note(text, "undefined")


def _given(tables: ReportInput, claims: list[Row]) -> list[str]:
    """What the verdicts take as given, and for which corpora."""
    fixed = ", ".join(arm_label(row) for row in claims if row["conditional"])
    kept = ", ".join(arm_label(row) for row in claims if beyond_half(tables, row["regime"]))
    found = []
    if fixed:
        found.append(
            f"{fixed}: the replicates do not differ and the intervals are over test families only. These "
            f"verdicts are {ON_TRAINING_SETS} and say nothing about other draws of them."
        )
    if kept:
        found.append(
            f"{kept}: the regime is more than half of the train pool, so that replicates share real "
            f"documents. These verdicts are {ON_REAL_DOCUMENTS}."
        )
    return found


def _truths(tables: ReportInput) -> dict[tuple[object, ...], Row]:
    return {_key(row): row for row in rows(tables.planted_truth)}


def _key(row: Row) -> tuple[object, ...]:
    return (row["generator"], row["regime"], row["classifier_family"])
