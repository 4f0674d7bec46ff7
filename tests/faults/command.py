"""The command a person runs, with a store of its own, and the processes it starts."""

import os
import re
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.faults.small_study import DESIGN, cells, keys, measurements
from tests.integration.stubs import REPOSITORY, eventually

PATIENCE_SECONDS = 300.0


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
        return measurements(self.folder / self.name)

    def start(self) -> subprocess.Popen[bytes]:
        """Run the command a person would, from the repository."""
        (self.folder / self.name).mkdir(exist_ok=True)
        (self.folder / "design.toml").write_text(DESIGN)
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
        return cells(self.store)

    def keys(self) -> dict[Path, int]:
        """Return what is published, and when it was written."""
        return keys(self.store)

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
