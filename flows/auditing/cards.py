"""Verdicts as a small piece of HTML for a notebook's output cell."""

from html import escape

from flows.report.formatting import count, plural
from flows.report.inputs import AuditedFile, AuditInput, Reading
from flows.report.wording import VERDICT_MARKS, file_worth, gain_words, remarks

# Border colours that differ in lightness too; the mark and the word say the same.
COLOURS = {"better": "#0072b2", "worse": "#d55e00", "equivalent": "#009e73", "negligible": "#009e73"}
OTHER_COLOUR = "#888888"

CARD = (
    "border:1px solid {colour};border-left:6px solid {colour};border-radius:6px;padding:.5em .8em;"
    "margin:.3em;display:inline-block;vertical-align:top;max-width:24em;font-family:sans-serif"
)


def verdict_cards(found: AuditInput) -> str:
    """Return one block per file with a card per reading."""
    return f"<div>{''.join(_file(entry) for entry in found.files)}</div>"


def size_words(reading: Reading) -> str:
    """Return the numbers a reading rests on."""
    return (
        f"{count(reading.synthetic_documents)} synthetic beside {count(reading.real_documents)} real "
        f"documents, {plural(reading.replicate_count, 'replicate')}, "
        f"{count(reading.test_family_count)} test families"
    )


def _file(entry: AuditedFile) -> str:
    cards = "".join(_card(reading) for reading in entry.readings)
    kept = f"{count(entry.accepted)} of {count(entry.requested)} documents accepted"
    return (
        f"<section><h4>{escape(entry.name)}</h4>{cards}<p>{escape(entry.name)} "
        f"{escape(file_worth(entry))}. {kept}.</p></section>"
    )


def _card(reading: Reading) -> str:
    style = CARD.format(colour=COLOURS.get(reading.verdict, OTHER_COLOUR))
    head = f"{VERDICT_MARKS.get(reading.verdict, '·')} {reading.verdict}"
    lines = [gain_words(reading), size_words(reading)]
    lines += [remarks(reading)] if remarks(reading) else []
    body = "".join(f"<div><small>{escape(line)}</small></div>" for line in lines)
    return f'<div style="{style}"><div>{escape(reading.title)}</div><b>{escape(head)}</b>{body}</div>'
