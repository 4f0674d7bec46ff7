"""Rows of JSONL, CSV and Parquet files, with a place to point at when one is wrong."""

import codecs
import csv
import gzip
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from services.domain.errors import InvalidInputError, NotFoundError

JSON_LINES = (".jsonl", ".ndjson", ".json")
SEPARATED = {".csv": ",", ".tsv": "\t"}
PARQUET = (".parquet", ".pq")
# For every message that says which files can be read.
ACCEPTED = f"{', '.join((*SEPARATED, *JSON_LINES, *PARQUET))}, each also with .gz after it"

UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

# A field longer than the csv module's default of 128 KiB is a document like any other.
LONGEST_FIELD = 1 << 27


class Row(NamedTuple):
    """One row; `place` is the file's name and the line (of Parquet: the row, from 1)."""

    place: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RowTable:
    """A file's rows and its columns in the order of their first appearance."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def read_rows(path: Path) -> RowTable:
    """Read a file; its ending, after an optional ".gz", says what it is.

    Raises:
        NotFoundError: There is no such file.
        InvalidInputError: Its kind is unknown, it has no rows, or a line is malformed; the
            message names file and line.
    """
    if path.is_dir():
        raise InvalidInputError(f"{path} is a folder; give a single file: {ACCEPTED}", field="path")
    if not path.is_file():
        raise NotFoundError(f"there is no file {path}", path=str(path))
    suffix = Path(path.stem).suffix if path.suffix == ".gz" else path.suffix
    data = _bytes(path)
    if suffix.lower() in JSON_LINES:
        rows = tuple(_json_rows(path.name, _text(path, data)))
    elif suffix.lower() in SEPARATED:
        rows = tuple(_separated_rows(path.name, _text(path, data), SEPARATED[suffix.lower()]))
    elif suffix.lower() in PARQUET:
        rows = tuple(_parquet_rows(path.name, data))
    else:
        raise InvalidInputError(
            f"{path.name}: cannot tell its kind from {suffix!r}; use {ACCEPTED}",
            field="path",
        )
    if not rows:
        raise InvalidInputError(
            f"{path.name} has no rows{'' if data else ': it is empty'}; give a file with documents",
            field="path",
        )
    return RowTable(path.name, tuple(dict.fromkeys(name for row in rows for name in row.values)), rows)


def rows_of_records(name: str, records: Sequence[Mapping[str, Any]]) -> RowTable:
    """Return rows that are in memory already; places count them from 0."""
    rows = tuple(Row(f"{name}, row {i}", record) for i, record in enumerate(records))
    if not rows:
        raise InvalidInputError(f"{name} has no rows", field="path")
    return RowTable(name, tuple(dict.fromkeys(column for row in rows for column in row.values)), rows)


def _bytes(path: Path) -> bytes:
    data = path.read_bytes()
    if path.suffix != ".gz":
        return data
    try:
        return gzip.decompress(data)
    except (OSError, EOFError) as error:
        raise InvalidInputError(f"{path.name} is no whole gzip file: {error}", field="path") from None


def _text(path: Path, data: bytes) -> str:
    try:
        # Spreadsheets put a mark in front, which is no part of the first column's name.
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        wide = ", it begins like UTF-16" if data[:2] in UTF_16 else ""
        raise InvalidInputError(
            f"{path.name}:{line}: not UTF-8 (byte {error.start}{wide}); save or convert the file as UTF-8",
            field="path",
        ) from None


def _json_rows(name: str, text: str) -> Iterator[Row]:
    # Not splitlines: JSON strings may hold other line separators of Unicode.
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            values = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise InvalidInputError(f"{name}:{number}: malformed JSON: {error}", field="path") from None
        if not isinstance(values, dict):
            raise InvalidInputError(
                f"{name}:{number}: a line has to be a JSON object, not {type(values).__name__}; write one object "
                "with text and labels per line, without brackets or commas between them",
                field="path",
            )
        yield Row(f"{name}:{number}", values)


def _separated_rows(name: str, text: str, delimiter: str) -> Iterator[Row]:
    csv.field_size_limit(LONGEST_FIELD)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    header: list[str] = []
    start = 1
    try:
        for cells in reader:
            if cells and not header:
                header = _header(name, cells)
            elif cells:
                yield Row(f"{name}:{start}", _cells(f"{name}:{start}", header, cells))
            # A quoted field may hold line breaks: a row begins after the last line of the one before.
            start = reader.line_num + 1
    except csv.Error as error:
        raise InvalidInputError(f"{name}:{reader.line_num}: malformed row: {error}", field="path") from None


def _header(name: str, cells: Sequence[str]) -> list[str]:
    columns = [cell.strip() for cell in cells]
    twice = [column for column in columns if columns.count(column) > 1]
    if twice:
        raise InvalidInputError(f"{name}:1: column {twice[0]!r} occurs twice", field="path")
    return columns


def _cells(place: str, header: Sequence[str], cells: Sequence[str]) -> Mapping[str, str]:
    if len(cells) != len(header):
        raise InvalidInputError(
            f"{place}: {len(cells)} fields where the header has {len(header)}; quote fields that hold separators",
            field="path",
        )
    return dict(zip(header, cells, strict=True))


def _parquet_rows(name: str, data: bytes) -> Iterator[Row]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(io.BytesIO(data))
    except pa.ArrowException as error:
        raise InvalidInputError(f"{name} is no Parquet file: {error}", field="path") from None
    for number, values in enumerate(table.to_pylist(), start=1):
        yield Row(f"{name}:{number}", values)
