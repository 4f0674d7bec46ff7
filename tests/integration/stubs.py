"""A project of stubs in a temporary folder, and what runs in it."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

REPOSITORY = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 60.0


@dataclass(frozen=True)
class Project:
    """A folder in which the supervisor finds stubs instead of a study."""

    root: Path

    @property
    def home(self) -> Path:
        return self.root / "home"

    def start(self, command: str, prefect: str, port: int, **extra: str) -> subprocess.Popen[str]:
        """Start the supervisor; what it prints is in `output`."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SYNTHTRIAL")}
        path = os.pathsep.join([str(self.root), str(REPOSITORY)])
        with open(self.root / "output.txt", "w") as output:
            return subprocess.Popen(
                [sys.executable, str(self.root / "driver.py"), command, prefect, str(port)],
                env={
                    **kept,
                    "HOME": str(self.home),
                    "PYTHONPATH": path,
                    "STUB_PROJECT": str(self.root),
                    **extra,
                },
                cwd=self.root,
                stdout=output,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )

    @property
    def output(self) -> str:
        return (self.root / "output.txt").read_text()

    @property
    def memory(self) -> dict[str, Any]:
        record: dict[str, Any] = json.loads((self.root / ".synthtrial" / "memory.json").read_text())
        return record

    def processes(self, role: str = "") -> list[psutil.Process]:
        """Return what runs on behalf of this project, found by its environment."""
        found = []
        for process in psutil.process_iter():
            try:
                environment = process.environ()
            except (psutil.Error, OSError):
                continue
            mine = environment.get("STUB_PROJECT") == str(self.root)
            if mine and role in ("", environment.get("SYNTHTRIAL_ROLE")):
                found.append(process)
        return found

    def kill_all(self) -> None:
        """Leave nothing behind, whatever a test did."""
        for process in self.processes():
            process.kill()


def make_project(folder: Path) -> Project:
    """Copy the stubs and the real deployment file."""
    shutil.copytree(Path(__file__).parent / "stub_project", folder, dirs_exist_ok=True)
    shutil.copytree(REPOSITORY / "deploy", folder / "deploy")
    project = Project(folder)
    project.home.mkdir()
    return project


def eventually(condition: Callable[[], object], seconds: float = PATIENCE_SECONDS) -> bool:
    """Wait for a condition and say whether it came true."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
