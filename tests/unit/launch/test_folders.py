"""Folders that a study could not write its report to are told before it starts."""

from pathlib import Path

import pytest

from services.storage.errors import StoreNotWritableError
from synthtrial import cli
from synthtrial.launching.following import checked
from synthtrial.launching.settings import Settings


@pytest.mark.parametrize("variable", ["SYNTHTRIAL_STATE", "SYNTHTRIAL_STORE", "SYNTHTRIAL_RESULTS"])
def test_a_folder_in_whose_place_a_file_is_stops_the_study(
    variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv(variable, str(tmp_path / "file" / "folder"))
    with pytest.raises(StoreNotWritableError, match=f"{tmp_path / 'file'} is a file"):
        checked(Settings(tmp_path, design="smoke"))
    assert cli.main(["study", "--design", "smoke"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("Error: cannot write below ") and "name another one" in said


def test_folders_that_can_be_made_will_do(tmp_path: Path) -> None:
    settings = Settings(tmp_path, design="smoke")
    assert checked(settings) == settings
    assert not list(tmp_path.iterdir())
