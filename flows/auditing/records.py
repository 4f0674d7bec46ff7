"""Rows of the audited files, before they are documents of one task."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple


class Record(NamedTuple):
    """One row.

    Attributes:
        place: Where it stands, for messages: "train.csv:17" or "real, row 16".
        id: As the file gives it, else its number from 0.
        text: None where the file holds nothing at all.
        labels: Stripped names without repetition, in the file's order.
        family: "" where the file names none.
        source: Identifier of the real document it was written from; "" where none is named.
    """

    place: str
    id: str
    text: str | None
    labels: tuple[str, ...]
    family: str
    source: str


class Columns(NamedTuple):
    """The columns read, settable one by one; "" is a column that does not exist."""

    text: str = ""
    labels: str = ""
    separator: str = ""
    id: str = ""
    family: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A file or a frame.

    Attributes:
        name: As the report calls it.
        guessed: The columns that were guessed, not given.
    """

    name: str
    records: tuple[Record, ...]
    columns: Columns
    guessed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tables:
    """All that is audited; synthetic tables by name, in the order given."""

    real: Table
    test: Table | None
    synthetic: Mapping[str, Table]
