"""A nursery, labs, and what an undisturbed run measures."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.run import run_everything
from services.storage.store import Store
from tests.faults.command import Study
from tests.faults.hooks import Lab
from tests.faults.nursery import Nursery
from tests.faults.small_study import CELL_COUNT, cells, measurements, opened
from tests.faults.workload import work


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    nursery = Nursery()
    yield nursery
    nursery.close()


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return new_lab(tmp_path / "lab")


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The measurements of an undisturbed run, in this process and without hooks."""
    return work(Store(tmp_path_factory.mktemp("undisturbed") / "store"))


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where commands run: one Prefect database for all of them."""
    folder = tmp_path_factory.mktemp("faults")
    yield folder
    for process in Study(folder, "").processes():
        process.kill()


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Run all stages in this process, which costs a third; that the command agrees is a test of its own."""
    folder = tmp_path_factory.mktemp("undisturbed-study")
    with opened(folder) as run:
        run_everything(run)
    assert len(cells(folder / "store")) == CELL_COUNT
    return measurements(folder)


def new_lab(folder: Path) -> Lab:
    folder.mkdir()
    return Lab(folder)
