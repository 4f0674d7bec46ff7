"""Files and frames as tables of records, with their columns found."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from flows.auditing.records import Record, Table, Tables
from services.domain.errors import InvalidInputError, NotFoundError
from services.storage import columns as naming
from services.storage.tabular import ACCEPTED, RowTable, read_rows, rows_of_records

Readable: TypeAlias = pd.DataFrame | str | Path

TEST = "test"
SYNTHETIC = "synthetic"
# Roles that every table must have; the others may be in some tables only.
EVERYWHERE = ("text", "labels", "separator")


def load_tables(real: Readable, test: Readable | None, synthetic: object, given: Mapping[str, Any]) -> Tables:
    """Read everything that is audited.

    Without a test table, the rows of the real one whose split is "test" are the test.

    Args:
        synthetic: A frame, a path, several paths, or frames or paths by name.
        given: Column names by role: text, labels, separator, id, family, source.

    Raises:
        InvalidInputError: A line is malformed, or columns are unknown or cannot be guessed.
        NotFoundError: There is no such file.
    """
    read = {
        name: _read(name, _readable(one, name)) for name, one in {"real": real, **_optional(test)}.items()
    }
    written = {name: _read(name, one) for name, one in named_sources(synthetic).items()}
    if not written:
        raise InvalidInputError("an audit needs at least one synthetic file", field=SYNTHETIC)
    _require_somewhere(given, (*read.values(), *written.values()))
    known = {name: _table(table, given) for name, table in read.items()}
    tables = Tables(
        known["real"],
        known.get(TEST),
        {name: replace(_table(t, given), name=name) for name, t in written.items()},
    )
    return tables if tables.test else _parted(tables, read["real"])


def file_names(paths: Sequence[str | Path]) -> dict[str, Path]:
    """Name files by what comes before their endings.

    Raises:
        InvalidInputError: Two files have one name.
    """
    named: dict[str, Path] = {}
    for path in map(Path, paths):
        name = path.name.removesuffix(".gz").rpartition(".")[0] or path.name
        if name in named:
            raise InvalidInputError(
                f"{named[name]} and {path} would both be called {name!r}; rename one of them",
                field=SYNTHETIC,
            )
        named[name] = path
    return named


def named_sources(synthetic: object) -> dict[str, Readable]:
    """Name what is audited: a mapping as it says, files by their names, a single frame "synthetic".

    Raises:
        InvalidInputError: It is none of these, or two files have one name.
    """
    if isinstance(synthetic, pd.DataFrame):
        return {SYNTHETIC: synthetic}
    if isinstance(synthetic, (str, Path)):
        return {**file_names([synthetic])}
    if isinstance(synthetic, Mapping):
        return {str(name): _readable(one, SYNTHETIC) for name, one in synthetic.items()}
    if isinstance(synthetic, Sequence) and all(isinstance(one, (str, Path)) for one in synthetic):
        return {**file_names(synthetic)}
    raise InvalidInputError(
        f"synthetic is {_kind(synthetic)}; give a frame, a path, a list of paths, or a mapping from names to "
        "frames or paths",
        field=SYNTHETIC,
    )


def _readable(source: object, name: str) -> Readable:
    if isinstance(source, (pd.DataFrame, str, Path)):
        return source
    raise InvalidInputError(
        f"{name}: {_kind(source)} is neither a frame nor a path; give one of these", field=name
    )


def _kind(value: object) -> str:
    """What it is, and of a list what it holds that is no path."""
    inside = [one for one in value if not isinstance(one, (str, Path))] if isinstance(value, list) else []
    return f"a {type(value).__name__}{f' that holds a {type(inside[0]).__name__}' if inside else ''}"


def _optional(test: Readable | None) -> dict[str, Readable]:
    return {} if test is None else {TEST: test}


def _read(name: str, source: Readable) -> RowTable:
    if isinstance(source, pd.DataFrame):
        return rows_of_records(name, [_plain(row) for row in source.to_dict("records")])
    try:
        return read_rows(Path(source))
    except NotFoundError as error:
        raise NotFoundError(f"{error.message}; give the path of a file: {ACCEPTED}", field=name) from None


def _plain(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(name): _value(value) for name, value in row.items()}


def _value(value: Any) -> Any:
    """Return a frame's cell as a file would hold it: no NaN, no arrays, no sets."""
    if isinstance(value, (list, tuple, set, frozenset, np.ndarray)):
        return [str(item) for item in (sorted(value) if isinstance(value, (set, frozenset)) else value)]
    return None if pd.isna(value) else value


def _table(rows: RowTable, given: Mapping[str, Any]) -> Table:
    usable = {
        role: value for role, value in given.items() if role in EVERYWHERE or value in ("", *rows.columns)
    }
    columns = naming.find_columns(rows, usable)
    found = naming.records(rows, columns)
    records = tuple(_record(r, row.values.get(columns.text)) for r, row in zip(found, rows.rows, strict=True))
    return Table(rows.name, records, columns)


def _record(record: naming.Record, text: Any) -> Record:
    return Record(
        place=record.place,
        id=record.id or record.place,
        text=None if text is None else record.text,
        labels=record.labels,
        family=record.family,
        source=record.source,
    )


def _require_somewhere(given: Mapping[str, Any], tables: Iterable[RowTable]) -> None:
    known = {column for table in tables for column in table.columns}
    for role, value in given.items():
        if role not in EVERYWHERE and value and value not in known:
            raise InvalidInputError(
                f"no file has a column {value!r} for --{role}-column; there are: {', '.join(sorted(known))}",
                field=f"columns.{role}",
            )


def _parted(tables: Tables, rows: RowTable) -> Tables:
    """Take the test from the real table's own split, if it has one."""
    split = tables.real.columns.split
    chosen = [split != "" and str(row.values.get(split) or "").strip().lower() == TEST for row in rows.rows]
    if not any(chosen) or all(chosen):
        return tables
    real, test = (
        replace(
            tables.real,
            name=f"{tables.real.name}{suffix}",
            records=tuple(r for r, c in zip(tables.real.records, chosen, strict=True) if c is wanted),
        )
        for wanted, suffix in ((False, ""), (True, f" ({split} = test)"))
    )
    return replace(tables, real=real, test=test, test_of_split=True)
