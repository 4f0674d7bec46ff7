"""kill -9 in the middle of a real study, then the same command: it completes, and no number differs."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from flows.design import load_design, load_profile
from flows.run import open_run, run_everything
from services.storage.store import Store
from tests.integration.stubs import REPOSITORY, eventually

PATIENCE_SECONDS = 300.0
# Two batches train at once, so the first cell is published before the third of six batches begins.
DESIGN = """
name = "faults"
seed = 5
replicates = 6
regimes = [60]
synthetic_documents = 40
families = ["tfidf_linear"]
encoder = ""
folds = 3
experiments = ["a_e1_grid"]
fidelity_metrics = []
dataset = {train = 700, test = 220, reference = 0}
claims = {regime = 60}
generators = [{name = "oracle", label_source = "backend"}]
"""
CELL_COUNT = 18


@dataclass(frozen=True)
class Study:
    """A study with a store of its own; studies in one folder share Prefect's database."""

    folder: Path
    name: str

    @property
    def store(self) -> Path:
        return self.folder / self.name / "store"

    @property
    def results(self) -> Path:
        return self.folder / self.name / "results"

    @property
    def output(self) -> str:
        return (self.folder / self.name / "output.txt").read_text()

    @property
    def measurements(self) -> bytes:
        return (self.results / "latest" / "measurements.parquet").read_bytes()

    def start(self) -> subprocess.Popen[bytes]:
        """Run the command a person would, from the repository."""
        (self.folder / self.name).mkdir(exist_ok=True)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SYNTHTRIAL")}
        with open(self.folder / self.name / "output.txt", "wb") as output:
            return subprocess.Popen(
                [sys.executable, "-m", "synthtrial.launch", "study", "--design", self.folder / "design.toml"],
                env={
                    **kept,
                    "SYNTHTRIAL_STATE": str(self.folder / "state"),
                    "SYNTHTRIAL_STORE": str(self.store),
                    "SYNTHTRIAL_RESULTS": str(self.results),
                },
                cwd=REPOSITORY,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def complete(self) -> bytes:
        """Run to the end and return the measurements."""
        assert self.start().wait(PATIENCE_SECONDS) == 0, self.output
        return self.measurements

    def start_and_kill(self, word: str) -> subprocess.Popen[bytes]:
        """Kill what has a word in its command as soon as a cell is published."""
        command = self.start()
        assert eventually(lambda: self.cells() or command.poll() is not None, PATIENCE_SECONDS)
        killed = self.processes(word)
        assert killed, self.output
        for process in killed:
            process.send_signal(signal.SIGKILL)
        return command

    def cells(self) -> list[Path]:
        """Return the keys of finished cells."""
        return [path for path in self.keys() if b'"kind":"cell"' in path.read_bytes()]

    def keys(self) -> dict[Path, int]:
        """Return what is published, and when it was written."""
        return {path: path.stat().st_mtime_ns for path in self.store.glob("keys/??/*.json")}

    def processes(self, word: str = "") -> list[psutil.Process]:
        """Return what runs for the studies of this folder and has a word in its command."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error, OSError):
                mine = process.environ().get("SYNTHTRIAL_STATE") == str(self.folder / "state")
                if mine and (not word or word in process.cmdline()):
                    found.append(process)
        return found

    def found_in_store(self) -> int:
        """Return how many cells the last run says it found done."""
        log = (self.folder / "state" / "logs" / "prefect-worker.log").read_text()
        (count,) = re.findall(r"(\d+) cells found in the store", log)
        return int(count)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("faults")
    (folder / "design.toml").write_text(DESIGN)
    yield folder
    for process in Study(folder, "").processes():
        process.kill()


@pytest.fixture(scope="module")
def undisturbed(folder: Path) -> bytes:
    """Run all stages in this process, which costs a third; that the command agrees is a test of its own."""
    study = Study(folder, "undisturbed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SYNTHTRIAL_STATE", str(folder / "in_process"))
        patch.setenv("SYNTHTRIAL_RESULTS", str(study.results))
        design = load_design(str(folder / "design.toml"))
        with open_run(design, load_profile("embedded"), Store(study.store)) as run:
            run_everything(run)
    assert len(study.cells()) == CELL_COUNT
    return study.measurements


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
    design = load_design(str(folder / "design.toml"))
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
