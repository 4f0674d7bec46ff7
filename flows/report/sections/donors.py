"""How well the row twins' copies could match the labels of the documents they stand for."""

from flows.report.formatting import missing, percent
from flows.report.inputs import ReportInput
from flows.report.page import Note
from flows.report.queries import Row, arm_label

COLUMN = "without_donor_share"


def donors_note(tables: ReportInput, claims: list[Row]) -> Note | None:
    """Return the share of copies whose label set no real document has; None where nobody counted."""
    if COLUMN not in tables.contrasts.columns:
        return None
    counted = [row for row in claims if not missing(row[COLUMN])]
    if not counted:
        return None
    shares = ", ".join(f"{arm_label(row)} {percent(row[COLUMN], 1.0)}" for row in counted)
    return Note(
        "Copies in the row twin for which the regime has no document with the same label set, so that any of its "
        f"documents was copied: {shares}. Where the share is high, part of a gain is label sets that the real "
        "documents lack."
    )
