"""Small tables for the tests of the audit."""

from collections.abc import Sequence

from flows.auditing.records import Record, Table, Tables
from services.storage.columns import Columns

COLUMNS = Columns("text", ("labels",), id="id", guessed=("text", "labels"))


def record(i: int, text: str | None, *labels: str, family: str = "", source: str = "") -> Record:
    return Record(f"file:{i + 1}", str(i), text, labels, family, source)


def table(name: str, records: Sequence[Record], columns: Columns = COLUMNS) -> Table:
    return Table(name, tuple(records), columns)


def plain_rows(count: int, prefix: str = "text", labels: Sequence[str] = ("a", "b")) -> list[Record]:
    return [record(i, f"{prefix} number {i}", labels[i % len(labels)]) for i in range(count)]


def tables(real: Sequence[Record], test: Sequence[Record] = (), **synthetic: Sequence[Record]) -> Tables:
    return Tables(
        table("real", real),
        table("test", test) if test else None,
        {name: table(name, rows) for name, rows in synthetic.items()},
    )
