"""Folders that nothing can be written to are told before the work is done that would be."""

import os
from pathlib import Path

import pytest

from services.storage.errors import StoreNotWritableError, require_writable
from services.storage.files import publish_once, replace


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "file").write_text("in the way")
    return tmp_path / "file"


@pytest.mark.parametrize("below", ["", "results", "results/a/b"])
def test_a_file_in_the_way_is_named(below: str, file: Path) -> None:
    with pytest.raises(
        StoreNotWritableError, match=rf"cannot write below .*\({file} is a file\).*name another one"
    ):
        require_writable(file / below)


def test_a_folder_that_can_be_made_is_not_made_yet(tmp_path: Path) -> None:
    require_writable(tmp_path / "results" / "a")
    assert not (tmp_path / "results").exists()


def test_a_read_only_folder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Root may write anywhere, so the system's answer is made up.
    monkeypatch.setattr(os, "access", lambda place, how: Path(place) != tmp_path)
    with pytest.raises(
        StoreNotWritableError, match=r"\(Permission denied\); .*change its permissions or its mount"
    ):
        require_writable(tmp_path / "results")


def test_writing_where_a_file_is_says_the_same(file: Path) -> None:
    for write in (publish_once, replace):
        with pytest.raises(StoreNotWritableError, match=rf"cannot write below {file}"):
            write(file / "object", b"bytes")
