"""The command line over what strangers have: one line that says what was wrong, an exit code, no traceback."""

import json
from pathlib import Path
from typing import Any

import pytest

from synthtrial import cli

LABELS = ("cane", "lamp")
REAL = [
    {"id": f"r{i}", "text": f"a {LABELS[i % 2]} of kind {i % 7} in place {i}", "labels": [LABELS[i % 2]]}
    for i in range(40)
]


def lines(rows: list[dict[str, Any]]) -> str:
    return "\n".join(json.dumps(row) for row in rows)


WITHOUT = [{key: value for key, value in row.items() if key != "labels"} for row in REAL]
CASES: dict[str, tuple[str, str | bytes, str]] = {
    "an empty file": ("x.jsonl", "", "x.jsonl has no rows: it is empty; give a file with documents"),
    "no labels in a row": (
        "x.jsonl",
        lines([*REAL, {"id": "last", "text": "without labels"}]),
        "x.jsonl:41: document 'last' has no labels (column 'labels'); remove the row or name another column",
    ),
    "no labels at all": ("x.jsonl", lines(WITHOUT), "cannot tell which column holds the labels; name it"),
    "duplicate ids": (
        "x.jsonl",
        lines([*REAL, REAL[3]]),
        "for example 'r3' at x.jsonl:4 and x.jsonl:41; make",
    ),
    "not UTF-8": (
        "x.csv",
        "text,labels\nune canne blanche cach\xe9e,cane\n".encode("latin-1"),
        "x.csv:2: not UTF-8",
    ),
    "half of a character": (
        "x.jsonl",
        lines(REAL).replace("r7", "r7\\ud800", 1),
        "x.jsonl:8: column 'id' holds",
    ),
    "nested without end": ("x.jsonl", "[" * 100_000, "x.jsonl:1: malformed JSON"),
    "an array": ("x.json", json.dumps(REAL), "not list; write one object with text and labels per line"),
    "one label for all": (
        "x.jsonl",
        lines([{**row, "labels": ["cane"]} for row in REAL]),
        "all documents of x.jsonl have the same labels, 'cane', so that nothing is to be told apart",
    ),
    "an unknown kind": ("x.xlsx", b"PK", "x.xlsx: cannot tell its kind from '.xlsx'; use .csv"),
}


@pytest.mark.parametrize("case", CASES)
def test_a_file_is_refused_in_one_line(case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name, content, says = CASES[case]
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    assert _audited(tmp_path, name) == 2
    said = capsys.readouterr()
    assert said.err.startswith("Error: ") and said.err.count("\n") == 1
    assert says in said.err
    assert not (tmp_path / "out").exists()


def test_a_report_that_could_not_be_written_stops_the_audit_before_its_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "x.jsonl").write_text(lines(REAL))
    (tmp_path / "out").write_text("a file in its place")
    assert _audited(tmp_path, "x.jsonl") == 2
    said = capsys.readouterr()
    assert f"cannot write below {tmp_path / 'out'} ({tmp_path / 'out'} is a file)" in said.err
    assert "Preflight" not in said.out


def _audited(folder: Path, real: str) -> int:
    (folder / "gpt.jsonl").write_text(
        lines([{"text": f"some {LABELS[i % 2]} {i}", "labels": [LABELS[i % 2]]} for i in range(9)])
    )
    return cli.main(
        [
            "audit",
            "--real",
            str(folder / real),
            "--synthetic",
            str(folder / "gpt.jsonl"),
            "--output",
            str(folder / "out"),
        ]
    )
