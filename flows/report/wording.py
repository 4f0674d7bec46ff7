"""Effects, worths and p values as phrases; conditional results say so."""

from flows.report.formatting import count, interval, missing, number_or_none, signed, text_or
from flows.report.inputs import THIS_GENERATOR, AuditedFile, Reading, ReportInput
from flows.report.queries import Row, beyond_half

ON_TRAINING_SETS = "conditional on these training sets"
ON_REAL_DOCUMENTS = "conditional on these real documents"
OVER_FAMILIES = "the interval is over test families only"

# What parts the remarks of a note; why something is lacking always comes first.
BETWEEN_REMARKS = "; "

VERDICT_MARKS = {
    "better": "▲",
    "worse": "▼",
    "equivalent": "=",
    "negligible": "≈",
    "inconclusive": "?",
    "exploratory": "○",
    "not tested": "–",
    "unclear": "?",
}


def verdict_words(verdict: str) -> str:
    """A mark and the word: colour is never the only sign."""
    return f"{VERDICT_MARKS.get(verdict, '·')} {verdict}"


def effect_words(row: Row) -> str:
    """ "+0.021 (95 % interval +0.010 to +0.032)", or the reason why there is none."""
    if missing(row["effect"]):
        return f"undefined: {text_or(row['note'], 'no reason recorded')}"
    return f"{signed(row['effect'])} ({_interval_words(interval95(row))})"


def gain_words(reading: Reading) -> str:
    """ "gain +0.021, 95 % interval +0.010 to +0.032", or the reason why there is none."""
    if missing(reading.effect):
        return f"undefined: {text_or(reading.note, 'no reason recorded')}"
    row = {"low95": reading.low95, "high95": reading.high95, "note": reading.note}
    return f"gain {signed(reading.effect)}, {_interval_words(interval95(row))}"


def interval95(row: Row) -> str:
    """ "+0.010 to +0.032", or "no interval: " and the reason, with which such a contrast's note begins."""
    reason = text_or(row["note"], "no reason recorded").partition(BETWEEN_REMARKS)[0]
    return interval(row["low95"], row["high95"], reason=reason)


def remarks(reading: Reading) -> str:
    """The note without what `gain_words` says already."""
    if missing(reading.effect):
        return ""
    if not missing(reading.low95):
        return reading.note
    return reading.note.partition(BETWEEN_REMARKS)[2]


def above_zero(row: Row) -> bool:
    low = number_or_none(row["low95"])
    return low is not None and low > 0


def below_zero(row: Row) -> bool:
    high = number_or_none(row["high95"])
    return high is not None and high < 0


def counts_words(row: Row) -> str:
    """ "8 replicates, 412 test families"."""
    return f"{count(row['replicate_count'])} replicates, {count(row['test_family_count'])} test families"


def conditions(tables: ReportInput, row: Row) -> list[str]:
    """What a contrast takes as given: training sets that do not vary, or real documents that hardly do."""
    fixed = [ON_TRAINING_SETS] if row["conditional"] else []
    return [*fixed, ON_REAL_DOCUMENTS] if beyond_half(tables, row["regime"]) else fixed


def judged_worth(ruler: Row | None, verdict: str, reason: str = "") -> str:
    """Completes "<corpus> ..." with no more than its verdict allows: only "better" states a worth.

    Args:
        reason: Why there is no ruler, or no verdict.
    """
    if ruler is None:
        return _lacking("has a worth that was not measured", reason)
    if verdict == "not tested":
        return _lacking(
            "has a worth that is not stated, there being no verdict", reason, text_or(ruler["note"], "")
        )
    if verdict == "better" or undefined_worth(ruler):
        return worth_words(ruler)
    shown = f"exploratory, at {count(ruler['regime'])}: 95 % interval {worth_ends(ruler)}"
    if worth_ends(ruler).startswith("less than none"):
        return _noted(f"is not shown to be worth any further labelled document ({shown})", ruler)
    return _noted(f"has a worth that is not stated, its verdict not being better ({shown})", ruler)


def file_worth(entry: AuditedFile) -> str:
    """Completes "<file> ..." from its ruler and the verdict on its generator, whose arms the ruler measures."""
    found = next((reading for reading in entry.readings if reading.title == THIS_GENERATOR), None)
    verdict, why = (found.verdict, found.note) if found else ("not tested", "")
    if entry.worth is None:
        return judged_worth(None, verdict, entry.worth_note)
    names = ("regime", "worth", "low", "high", "less_than_none", "more_than_cap", "cap", "note")
    return judged_worth({name: getattr(entry.worth, name) for name in names}, verdict, why)


def worth_words(ruler: Row) -> str:
    """ "adds what about 40 more labelled documents would, at 165 (...)", with the ruler's note."""
    if undefined_worth(ruler):
        at = f"at {count(ruler['regime'])}"
        return f"has an undefined worth, {at}: {text_or(ruler['note'], 'no reason recorded')}"
    return _noted(_measured_worth(ruler), ruler)


def undefined_worth(ruler: Row) -> bool:
    return missing(ruler["worth"]) and not (ruler["less_than_none"] or ruler["more_than_cap"])


def worth_ends(ruler: Row) -> str:
    """ "12 to 80", "less than none to 4" or "300 to more than 660"."""
    low = "less than none" if missing(ruler["low"]) else count(ruler["low"])
    high = f"more than {count(ruler['cap'])}" if missing(ruler["high"]) else count(ruler["high"])
    return f"{low} to {high}"


def _lacking(words: str, *notes: str) -> str:
    """The words and why: every reason once, also where one holds another; a condition is no reason."""
    parts = dict.fromkeys(part for note in notes for part in note.split(BETWEEN_REMARKS) if part)
    reasons = [part for part in parts if not any(part != other and part in other for other in parts)]
    reasons = [part for part in reasons if not part.startswith(("conditional", "small test"))]
    return f"{words}: {BETWEEN_REMARKS.join(reasons)}" if reasons else words


def _interval_words(shown: str) -> str:
    return shown if shown.startswith("no interval") else f"95 % interval {shown}"


def _noted(words: str, ruler: Row) -> str:
    note = text_or(ruler["note"], "")
    return f"{words}; {note}" if note else words


def _measured_worth(ruler: Row) -> str:
    shown = f"(95 % interval {worth_ends(ruler)})"
    at = f"at {count(ruler['regime'])}"
    if ruler["less_than_none"]:
        return f"is worth less than no further labelled document, {at} {shown}"
    if ruler["more_than_cap"]:
        most = f"{at}, the most its ruler measures"
        return f"adds more than {count(ruler['cap'])} further labelled documents would, {most} {shown}"
    return f"adds what about {count(ruler['worth'])} more labelled documents would, {at} {shown}"
