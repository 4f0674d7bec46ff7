"""kill -9 in the middle of a real study, then the same command: it completes, and no number differs."""

import signal
from pathlib import Path

import pytest

from flows.design import load_design
from tests.faults.command import PATIENCE_SECONDS, Study
from tests.faults.small_study import CELL_COUNT, DESIGN
from tests.integration.stubs import eventually


def goes_on(study: Study, undisturbed: bytes) -> None:
    """Assert that the same command completes what was begun, and nothing more."""
    assert study.processes() == []
    before, cells = study.keys(), len(study.cells())
    assert cells
    assert not study.results.exists()

    assert study.complete() == undisturbed

    assert before.items() <= study.keys().items()
    assert study.found_in_store() == cells
    assert study.processes() == []


def test_the_design_is_as_small_as_it_says(folder: Path) -> None:
    (folder / "small.toml").write_text(DESIGN)
    design = load_design(str(folder / "small.toml"))
    assert (design.encoder, design.fidelity_metrics, design.dataset.reference) == ("", (), 0)


def test_a_killed_flow_goes_on_where_it_was(folder: Path, undisturbed: bytes) -> None:
    study = Study(folder, "flow")
    command = study.start_and_kill("prefect.engine")

    assert command.wait(PATIENCE_SECONDS) == 1
    assert "the same command goes on from there" in study.output
    assert len(study.cells()) < CELL_COUNT
    goes_on(study, undisturbed)


@pytest.mark.faults
def test_the_command_measures_what_one_process_does(folder: Path, undisturbed: bytes) -> None:
    assert Study(folder, "command").complete() == undisturbed


@pytest.mark.faults
def test_a_killed_worker_goes_on_where_it_was(folder: Path, undisturbed: bytes) -> None:
    study = Study(folder, "worker")
    command = study.start_and_kill("worker")

    assert command.wait(PATIENCE_SECONDS) == 1
    assert "prefect worker ended with exit code -9" in study.output
    goes_on(study, undisturbed)


@pytest.mark.faults
def test_a_killed_supervisor_goes_on_where_it_was(folder: Path, undisturbed: bytes) -> None:
    study = Study(folder, "supervisor")
    command = study.start_and_kill("synthtrial.launch")

    assert command.wait(PATIENCE_SECONDS) == -signal.SIGKILL
    assert eventually(lambda: study.processes() == [])
    goes_on(study, undisturbed)


@pytest.mark.faults
def test_a_killed_service_is_started_again_and_the_study_completes(folder: Path, undisturbed: bytes) -> None:
    study = Study(folder, "service")
    command = study.start_and_kill("services.classifier")

    assert command.wait(PATIENCE_SECONDS) == 0, study.output
    assert "classifier ended with exit code -9; starting it again" in study.output
    assert study.measurements == undisturbed
    assert study.processes() == []
