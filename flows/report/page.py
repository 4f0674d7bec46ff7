"""The page as values: sections of claims, tables, figures and notes. HTML and Markdown are drawn from it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias


class Strip(NamedTuple):
    """An interval drawn in a table cell, on an axis that all strips of the table share."""

    estimate: float
    low: float
    high: float
    margin: float
    axis_low: float
    axis_high: float


class Cell(NamedTuple):
    """One table cell. `chip` and `heat` name a look; the text always says the same in words."""

    text: str
    detail: str = ""  # a second, smaller line
    chip: str = ""
    heat: int | None = None  # -3 (far worse) to 3 (far better); 0 is inside the margin
    strip: Strip | None = None
    title: str = ""


class Column(NamedTuple):
    title: str
    numeric: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """`collapsed` tables open on a click, and in print unless they are for `reference` only."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""
    collapsed: bool = False
    reference: bool = False


class Chart(NamedTuple):
    """One Vega-Lite chart of a figure; all charts of a figure share their axes."""

    title: str
    spec: Mapping[str, Any]
    description: str


@dataclass(frozen=True, slots=True)
class Figure:
    """Small multiples. `tag` repeats what the generators are."""

    key: str
    caption: str
    charts: tuple[Chart, ...]
    legend: tuple[tuple[str, str], ...] = ()  # (look, words)
    tag: str = ""


class Sentence(NamedTuple):
    """A claim as it reads now, and where its numbers come from."""

    name: str
    text: str
    source: str
    items: tuple[str, ...] = ()  # what a text that ends in a colon lists

    @property
    def whole(self) -> str:
        """The claim as one line."""
        return f"{self.text} {'; '.join(self.items)}." if self.items else self.text


class Note(NamedTuple):
    text: str
    look: str = "note"  # note, lead, banner or undefined


class Facts(NamedTuple):
    """Short facts, name and value."""

    rows: tuple[tuple[str, str], ...]


class Comparison(NamedTuple):
    """Two texts beside each other."""

    heading: str
    left_title: str
    left: str
    right_title: str
    right: str


class Card(NamedTuple):
    """One reading of an audited file: a verdict large enough to be seen first."""

    title: str
    chip: str
    verdict: str
    lead: str
    facts: tuple[tuple[str, str], ...]
    note: str
    strip: Strip | None


class Cards(NamedTuple):
    cards: tuple[Card, ...]


Block: TypeAlias = Table | Figure | Sentence | Note | Facts | Comparison | Cards


@dataclass(frozen=True, slots=True)
class Section:
    key: str
    title: str
    blocks: tuple[Block, ...]
    tag: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """A whole report. `lead`, in plain words, and `answer` stand on top, before everything else."""

    kicker: str
    title: str
    subtitle: str
    lead: Sentence
    answer: tuple[Sentence, ...]
    sections: tuple[Section, ...]
    tag: str = ""


class RenderedReport(NamedTuple):
    html: str
    markdown: str
