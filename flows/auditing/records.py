"""Rows of the audited files, before they are documents of one task."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from services.storage.columns import Columns


class Record(NamedTuple):
    """One row.

    Attributes:
        place: Where it stands, for messages: "train.csv:17" or "real, row 16".
        id: As the file gives it; without such a column the row's own place.
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


@dataclass(frozen=True, slots=True)
class Table:
    """A file or a frame; `name` is what the report calls it."""

    name: str
    records: tuple[Record, ...]
    columns: Columns


@dataclass(frozen=True, slots=True)
class Tables:
    """All that is audited; synthetic tables by name, in the order given.

    Attributes:
        test_of_split: The test documents are the rows of the real file whose split is "test".
    """

    real: Table
    test: Table | None
    synthetic: Mapping[str, Table]
    test_of_split: bool = False
