"""A page as Markdown: the same claims and tables; figures become their captions, strips are left out."""

from collections.abc import Callable
from typing import Any

from flows.report.page import (
    Block,
    Card,
    Cards,
    Cell,
    Comparison,
    Facts,
    Figure,
    Note,
    Page,
    Section,
    Sentence,
    Table,
)


def render(page: Page) -> str:
    """Markdown in the order of the HTML page."""
    head = [f"# {page.title}", page.subtitle, *([f"**{page.tag}**"] if page.tag else []), "## The answer"]
    lead = _escaped(page.lead.whole)
    answer = [f"{place}. {_sentence(claim)}" for place, claim in enumerate(page.answer, start=1)]
    body = [_section(section) for section in page.sections]
    return "\n\n".join([*head, lead, "\n".join(answer), *body]) + "\n"


def _section(section: Section) -> str:
    tag = [f"*{section.tag}*"] if section.tag else []
    return "\n\n".join([f"## {section.title}", *tag, *(_block(block) for block in section.blocks)])


def _block(block: Block) -> str:
    return DRAWN[type(block)](block)


def _sentence(claim: Sentence) -> str:
    items = [f"    - {_escaped(item)}" for item in claim.items]
    return "\n".join([f"{_escaped(claim.text)} *({claim.name}: {_escaped(claim.source)})*", *items])


def _table(table: Table) -> str:
    # Strips repeat numbers that stand in other columns.
    kept = [
        place
        for place in range(len(table.columns))
        if not table.rows or any(row[place].text for row in table.rows)
    ]
    columns = [table.columns[place] for place in kept]
    lines = [
        _line([column.title for column in columns]),
        _line(["---:" if column.numeric else "---" for column in columns]),
        *(_line([_cell(row[place]) for place in kept]) for row in table.rows),
    ]
    note = [_escaped(table.note)] if table.note else []
    return "\n\n".join([f"**{_escaped(table.caption)}**", "\n".join(lines), *note])


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(cell: Cell) -> str:
    return _escaped(f"{cell.text} ({cell.detail})" if cell.detail else cell.text)


def _figure(figure: Figure) -> str:
    tag = f" *{figure.tag}.*" if figure.tag else ""
    return f"*Figure:* {_escaped(figure.caption)} (Drawn in the HTML report; numbers in the tables.){tag}"


def _note(note: Note) -> str:
    return f"> {_escaped(note.text)}"


def _facts(facts: Facts) -> str:
    return "\n".join(f"- {_escaped(name)}: {_escaped(value)}" for name, value in facts.rows)


def _comparison(pair: Comparison) -> str:
    sides = ((pair.left_title, pair.left), (pair.right_title, pair.right))
    return "\n".join(
        [f"- {_escaped(pair.heading)}", *(f"    - {title}: {_escaped(text)}" for title, text in sides)]
    )


def _cards(cards: Cards) -> str:
    return "\n\n".join(_card(card) for card in cards.cards)


def _card(card: Card) -> str:
    lines = [f"### {_escaped(card.title)}: {card.verdict}", _escaped(card.lead), _facts(Facts(card.facts))]
    return "\n\n".join([*lines, *([_escaped(card.note)] if card.note else [])])


def _escaped(text: str) -> str:
    """Text that cannot open a table cell, a tag or a new line."""
    for character in "\\`*_|<>[]":
        text = text.replace(character, f"\\{character}")
    return " ".join(text.split())


DRAWN: dict[type[Any], Callable[[Any], str]] = {
    Table: _table,
    Figure: _figure,
    Sentence: _sentence,
    Note: _note,
    Facts: _facts,
    Comparison: _comparison,
    Cards: _cards,
}
