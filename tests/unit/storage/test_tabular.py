"""Files of rows, and whose column is whose."""

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from services.domain.errors import InvalidInputError, NotFoundError
from services.storage.columns import find_columns, records
from services.storage.tabular import read_rows, rows_of_records

ROWS = [
    {"id": "1", "text": "a walking stick, long", "labels": "a|b"},
    {"id": "2", "text": "two\nlines", "labels": "b"},
]


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def as_jsonl(rows: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


CSV = 'id,text,labels\n1,"a walking stick, long",a|b\n2,"two\nlines",b\n'


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.jsonl", as_jsonl(ROWS)),
        ("x.jsonl.gz", gzip.compress(as_jsonl(ROWS).encode())),
        ("x.csv", CSV),
        ("x.csv", "\ufeff" + CSV.replace("\n2", "\r\n2")),
        (
            "x.tsv",
            CSV.replace('"a walking stick, long"', "a walking stick, long")
            .replace("1,", "1\t")
            .replace("id,text,labels", "id\ttext\tlabels")
            .replace("long,", "long\t")
            .replace("2,", "2\t")
            .replace('",', '"\t'),
        ),
    ],
)
def test_formats_hold_the_same_rows(tmp_path: Path, name: str, content: str | bytes) -> None:
    table = read_rows(write(tmp_path, name, content))
    assert [dict(row.values) for row in table.rows] == ROWS
    assert table.columns == ("id", "text", "labels")


def test_parquet_keeps_lists(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"text": ["some text"], "labels": [["a", "b"]]}), path)
    table = read_rows(path)
    assert records(table, find_columns(table))[0].labels == ("a", "b")


def test_places_point_at_the_line_where_a_row_begins(tmp_path: Path) -> None:
    path = write(tmp_path, "x.csv", 'text,labels\n"one\ntwo",a\nthree,b\n')
    assert [row.place for row in read_rows(path).rows] == ["x.csv:2", "x.csv:4"]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("x.jsonl", '{"text": "a"}\n{"text": \n', r"x\.jsonl:2: malformed JSON"),
        ("x.jsonl", '{"text": "a"}\n[1]\n', r"x\.jsonl:2: a line has to be a JSON object"),
        ("x.csv", "text,labels\none,a,b\n", r"x\.csv:2: 3 fields where the header has 2"),
        ("x.csv", 'text,labels\n"one,a\n', r"x\.csv:2: malformed"),
        ("x.csv", "text,text\n1,2\n", "occurs twice"),
        ("x.csv", "text,labels\n", "no rows"),
        ("x.csv", "text,labels\ncaf\xe9,a\n".encode("latin-1"), r"x\.csv:2: not UTF-8"),
        ("x.jsonl.gz", b"no gzip", "gzip"),
        ("x.parquet", b"no parquet", "Parquet"),
        ("x.xlsx", b"", "cannot tell its kind"),
    ],
)
def test_malformed_files_name_the_place(tmp_path: Path, name: str, content: str | bytes, says: str) -> None:
    with pytest.raises(InvalidInputError, match=says):
        read_rows(write(tmp_path, name, content))


def test_absent_file_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        read_rows(tmp_path / "absent.csv")


def labels_of(rows: list[dict[str, Any]], **given: Any) -> list[tuple[str, ...]]:
    table = rows_of_records("rows", rows)
    return [record.labels for record in records(table, find_columns(table, given))]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ([["a", "b"], ["b"]], [("a", "b"), ("b",)]),
        (['["a", "b"]', "[]"], [("a", "b"), ()]),
        (["a|b", "b"], [("a", "b"), ("b",)]),
        (["a; b", "b"], [("a", "b"), ("b",)]),
        (["a,b", "b ,c"], [("a", "b"), ("b", "c")]),
        # No part recurs: the commas belong to the names.
        (["Lenses, contact", "Canes"], [("Lenses, contact",), ("Canes",)]),
        ([1, 0], [("1",), ("0",)]),
        ([None, "a"], [(), ("a",)]),
    ],
)
def test_labels_may_be_lists_or_joined_names(cells: list[Any], expected: list[tuple[str, ...]]) -> None:
    assert labels_of([{"text": "some text", "labels": cell} for cell in cells]) == expected


def test_labels_may_be_columns_of_zeros_and_ones() -> None:
    rows = [
        {"text": "a text of some length", "cane": 1, "lens": "0"},
        {"text": "another one", "cane": "1", "lens": 1},
    ]
    assert labels_of(rows) == [("cane",), ("cane", "lens")]
    with pytest.raises(InvalidInputError, match="rows, row 1: label column 'lens' holds 'x'"):
        labels_of([*rows[:1], {"text": "x", "cane": 1, "lens": "x"}], labels=("cane", "lens"))


def test_given_columns_win_and_only_the_others_count_as_guessed() -> None:
    table = rows_of_records(
        "rows", [{"title": "t", "text": "long text here", "label": "a", "group": "g", "key": "k"}]
    )
    columns = find_columns(table, {"text": "title", "id": "key", "family": ""})
    assert (columns.text, columns.id, columns.family, columns.labels) == ("title", "key", "", ("label",))
    assert columns.guessed == ("labels",)


def test_text_is_guessed_by_length_where_no_name_helps() -> None:
    table = rows_of_records(
        "rows", [{"code": "x1", "claim one": "a device comprising a cane and a grip", "label": "a"}]
    )
    assert find_columns(table).text == "claim one"


@pytest.mark.parametrize(
    ("row", "given", "says"),
    [
        ({"x": "short", "label": "a"}, {}, "which column holds the text"),
        ({"text": "some text"}, {}, "which column holds the labels"),
        ({"text": "some text", "label": "a"}, {"text": "body"}, "no column 'body'; it has: text, label"),
        ({"text": "some text", "label": "a"}, {"txt": "text"}, "no role 'txt'"),
    ],
)
def test_columns_that_cannot_be_found_are_asked_for(
    row: dict[str, Any], given: dict[str, Any], says: str
) -> None:
    with pytest.raises(InvalidInputError, match=says):
        find_columns(rows_of_records("rows", [row]), given)


@pytest.mark.realdata
def test_real_sets_are_read_without_being_told_anything(realdata: Path) -> None:
    path = next((realdata / "patents_green_aviation").glob("data.jsonl.gz"))
    table = read_rows(path)
    columns = find_columns(table)
    rows = records(table, columns)
    assert (columns.id, columns.text, columns.labels, columns.family) == ("id", "text", ("labels",), "group")
    assert max(len(row.labels) for row in rows) > 1
