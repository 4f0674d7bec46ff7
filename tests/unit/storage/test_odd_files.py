"""Files as strangers have them: what can be read is, and what cannot names its place and what would do."""

import json
from pathlib import Path
from typing import Any

import pytest

from services.domain.errors import InvalidInputError
from services.storage.columns import find_columns, records
from services.storage.tabular import read_rows, rows_of_records

ROWS = [{"text": "a cane to lean on", "labels": ["cane"]}, {"text": "a lamp to read by", "labels": ["lamp"]}]
LINES = "\n".join(json.dumps(row) for row in ROWS)
CSV = "text,labels\na cane to lean on,cane\na lamp to read by,lamp\n"


def read(folder: Path, name: str, content: str | bytes) -> list[tuple[str, tuple[str, ...]]]:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    table = read_rows(path)
    return [(record.text, record.labels) for record in records(table, find_columns(table))]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.jsonl", b"\xef\xbb\xbf" + LINES.encode()),
        ("x.jsonl", LINES.replace("\n", "\r\n")),
        ("x.csv", b"\xef\xbb\xbf" + CSV.encode()),
        ("x.csv", CSV.replace("\n", "\r\n")),
        ("x.csv", CSV.replace("\n", "\r")),
        ("x.jsonl", f"\n{LINES}\n\n"),
    ],
)
def test_marks_line_ends_and_blank_lines_make_no_difference(
    name: str, content: str | bytes, tmp_path: Path
) -> None:
    assert read(tmp_path, name, content) == [(row["text"], tuple(row["labels"])) for row in ROWS]


HALF = '{"text": "half \\ud800 of one", "labels": ["cane"]}'
REFUSED: dict[str, tuple[str, str | bytes, str]] = {
    "empty": ("x.jsonl", "", "x.jsonl has no rows: it is empty; give a file with documents"),
    "a header alone": ("x.csv", "text,labels\n", "x.csv has no rows; give a file with documents"),
    "of one array": (
        "x.json",
        json.dumps(ROWS),
        "x.json:1: a line has to be a JSON object, not list; write one object",
    ),
    "of Latin-1": (
        "x.csv",
        CSV.replace("cane", "caf\xe9").encode("latin-1"),
        "x.csv:2: not UTF-8 (byte 17); save or convert",
    ),
    "of UTF-16": (
        "x.csv",
        CSV.encode("utf-16"),
        "x.csv:1: not UTF-8 (byte 0, it begins like UTF-16); save or convert",
    ),
    "nested without end": ("x.jsonl", "[" * 100_000, "x.jsonl:1: malformed JSON: "),
    "half of a character": (
        "x.jsonl",
        f"{LINES}\n{HALF}",
        "x.jsonl:3: column 'text' holds '\\ud800', half of a character",
    ),
    "half of one in a label": (
        "x.jsonl",
        f"{LINES}\n{HALF.replace('cane', 'ca' + chr(92) + 'udfffne').replace(chr(92) + 'ud800', '')}",
        "x.jsonl:3: column 'labels' holds '\\udfff'",
    ),
    "labels in lists of lists": (
        "x.jsonl",
        LINES.replace('["lamp"]', '[["lamp"]]'),
        "x.jsonl:2: labels column 'labels' holds a list where a name or a list of names is needed",
    ),
    "labels as keys": (
        "x.jsonl",
        LINES.replace('["lamp"]', '{"lamp": 1}'),
        "x.jsonl:2: labels column 'labels' holds a dict where a name or a list of names is needed",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_read_names_its_place_and_what_would_do(case: str, tmp_path: Path) -> None:
    name, content, says = REFUSED[case]
    with pytest.raises(InvalidInputError) as caught:
        read(tmp_path, name, content)
    assert says in caught.value.message
    assert caught.value.field == "path"


@pytest.mark.parametrize("missing", ["NaN", "null", "[]", "[null]", '["", NaN]'])
def test_what_pandas_writes_for_nothing_is_nothing_and_no_word(missing: str, tmp_path: Path) -> None:
    found = read(tmp_path, "x.jsonl", f'{LINES}\n{{"text": NaN, "labels": {missing}}}')
    assert found[2] == ("", ())


def test_numbers_and_flags_are_words() -> None:
    rows: list[dict[str, Any]] = [{"text": 7, "labels": [1, True, 2.5]}]
    table = rows_of_records("rows", rows)
    (record,) = records(table, find_columns(table))
    assert (record.text, record.labels) == ("7", ("1", "True", "2.5"))
