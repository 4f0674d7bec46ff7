import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from flows.auditing.loading import file_names, load_tables, named_sources
from services.domain.errors import InvalidInputError, NotFoundError
from services.storage.tabular import ACCEPTED

REAL = pd.DataFrame(
    {"text": ["a valve in a pipe of steel", "a pump in a hull of wood"] * 2, "labels": ["x|y", "x"] * 2}
)
WRITTEN = {"gpt": pd.DataFrame({"text": ["a tap of brass for water"], "labels": ["x"]})}


def test_a_frame_is_read_like_a_file(tmp_path: Path) -> None:
    REAL.to_csv(tmp_path / "real.csv", index=False)
    (framed, filed) = (load_tables(real, None, WRITTEN, {}).real for real in (REAL, tmp_path / "real.csv"))
    assert [r.labels for r in framed.records] == [r.labels for r in filed.records] == [("x", "y"), ("x",)] * 2
    assert framed.columns.guessed == filed.columns.guessed


def test_lists_and_arrays_of_labels_are_read() -> None:
    frame = pd.DataFrame({"text": ["one", "two", "three"], "labels": [["x", "y"], np.array(["x"]), {"y"}]})
    assert [r.labels for r in load_tables(frame, None, WRITTEN, {}).real.records] == [
        ("x", "y"),
        ("x",),
        ("y",),
    ]


def test_a_missing_cell_is_no_text() -> None:
    frame = pd.DataFrame({"text": ["one", None, ""], "labels": ["x", "x", "x"]})
    assert [r.text for r in load_tables(REAL, None, {"gpt": frame}, {}).synthetic["gpt"].records] == [
        "one",
        None,
        "",
    ]


def test_rows_without_an_id_column_cannot_be_sources() -> None:
    frame = pd.DataFrame({"text": ["one"], "labels": ["x"], "source_id": ["0"]})
    found = load_tables(REAL, None, {"gpt": frame}, {})
    assert found.synthetic["gpt"].records[0].source not in {r.id for r in found.real.records}


def test_the_real_files_own_split_is_the_test() -> None:
    found = load_tables(REAL.assign(split=["train", "test", "dev", "test"]), None, WRITTEN, {})
    assert found.test_of_split and found.test is not None
    assert (len(found.real.records), len(found.test.records)) == (2, 2)


def test_a_column_of_one_file_need_not_be_in_the_others() -> None:
    written = {"gpt": WRITTEN["gpt"].assign(parent=["7"])}
    found = load_tables(REAL, None, written, {"source": "parent"})
    assert found.synthetic["gpt"].records[0].source == "7"


def test_a_column_of_no_file_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="no file has a column 'parent' for --source-column"):
        load_tables(REAL, None, WRITTEN, {"source": "parent"})


def test_columns_that_cannot_be_guessed_are_asked_for() -> None:
    with pytest.raises(InvalidInputError, match="cannot tell which column holds the labels"):
        load_tables(REAL.rename(columns={"labels": "foo"}), None, WRITTEN, {})


def test_a_malformed_line_is_named(tmp_path: Path) -> None:
    lines = [json.dumps({"text": "fine", "labels": ["x"]}), "{not json"]
    (tmp_path / "gpt.jsonl").write_text("\n".join(lines))
    with pytest.raises(InvalidInputError, match=r"gpt\.jsonl:2: malformed JSON"):
        load_tables(REAL, None, {"gpt": tmp_path / "gpt.jsonl"}, {})


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"there is no file .*absent\.csv; give the path of"):
        load_tables(tmp_path / "absent.csv", None, WRITTEN, {})


def test_an_empty_frame_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="real has no rows"):
        load_tables(REAL.iloc[:0], None, WRITTEN, {})


def test_an_audit_without_synthetic_files_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="at least one synthetic file"):
        load_tables(REAL, None, {}, {})


def test_files_go_by_their_names() -> None:
    assert list(file_names(["a/gpt.csv", "llama.jsonl.gz"])) == ["gpt", "llama"]
    with pytest.raises(InvalidInputError, match="would both be called 'gpt'"):
        file_names(["a/gpt.csv", "b/gpt.jsonl"])


def test_a_single_frame_or_path_and_lists_of_paths_are_named() -> None:
    assert list(named_sources(REAL)) == ["synthetic"]
    assert named_sources("a/gpt.csv") == named_sources(Path("a/gpt.csv")) == {"gpt": Path("a/gpt.csv")}
    assert list(named_sources(["a/gpt.csv", Path("b/llama.jsonl")])) == ["gpt", "llama"]
    assert list(load_tables(REAL, None, WRITTEN["gpt"], {}).synthetic) == ["synthetic"]


@pytest.mark.parametrize(
    ("synthetic", "message"),
    [
        (3, "synthetic is a int; give a frame, a path, a list of paths, or a mapping"),
        ([REAL], "synthetic is a list that holds a DataFrame; give"),
        ({"gpt": [1]}, "synthetic: a list that holds a int is neither a frame nor a path"),
        (None, "synthetic is a NoneType"),
    ],
)
def test_anything_else_is_refused(synthetic: object, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message) as caught:
        named_sources(synthetic)
    assert caught.value.field == "synthetic"


def test_a_folder_is_called_one_and_all_kinds_of_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="is a folder") as of_folder:
        load_tables(tmp_path, None, WRITTEN, {})
    with pytest.raises(NotFoundError) as of_absent:
        load_tables(tmp_path / "absent.csv", None, WRITTEN, {})
    (tmp_path / "notes.md").write_text("words")
    with pytest.raises(InvalidInputError) as of_kind:
        load_tables(tmp_path / "notes.md", None, WRITTEN, {})
    assert all(ACCEPTED in caught.value.message for caught in (of_folder, of_absent, of_kind))
