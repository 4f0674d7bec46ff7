"""Registries over folders whose files fail at first."""

import sys
from pathlib import Path
from types import ModuleType

import pytest

from services.domain.errors import InvalidInputError
from services.domain.registry import Registry

SOURCE = "from registry_under_test import THINGS\n\nTHINGS.register({name!r}, {value})\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SYNTHTRIAL_PLUGINS", str(tmp_path))
    (tmp_path / "things").mkdir()
    return tmp_path / "things"


@pytest.fixture
def things(monkeypatch: pytest.MonkeyPatch) -> Registry[int]:
    registry = Registry[int]("things", "services.domain")
    module = ModuleType("registry_under_test")
    module.THINGS = registry  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return registry


def test_a_plugin_that_failed_says_so_every_time(folder: Path, things: Registry[int]) -> None:
    (folder / "broken.py").write_text("raise RuntimeError('no such library')")
    for _ in range(2):
        with pytest.raises(RuntimeError, match="no such library"):
            things.get("broken")


def test_a_mended_plugin_is_found_beside_those_that_were(folder: Path, things: Registry[int]) -> None:
    (folder / "a.py").write_text(SOURCE.format(name="first", value=1))
    (folder / "b.py").write_text(SOURCE.format(name="second", value=2) + "raise RuntimeError('half')\n")
    with pytest.raises(RuntimeError, match="half"):
        things.names()
    (folder / "b.py").write_text(SOURCE.format(name="second", value=22))
    assert things.names() == ("first", "second")
    assert things.get("second") == 22


def test_a_plugin_folder_that_is_not_there_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNTHTRIAL_PLUGINS", "no/such/folder")
    registry: Registry[int] = Registry("numbers", "services.domain")
    with pytest.raises(InvalidInputError, match="'no/such/folder', which is no folder"):
        registry.names()
