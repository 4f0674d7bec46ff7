"""Processes that the supervisor starts itself."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from synthtrial.launching.environment import ROLE_VARIABLE
from synthtrial.launching.processes import die_with_parent
from synthtrial.launching.settings import LaunchError

RESTARTS = 3
LOG_LINES = 12
TICK_SECONDS = 0.2


@dataclass(slots=True)
class Child:
    """A process in a session of its own, so that Ctrl-C reaches the supervisor only."""

    role: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    folder: Path
    restarts: int = 0
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process; what it prints is added to its log."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                self.command,
                env={**self.environment, ROLE_VARIABLE: self.role},
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                # The supervisor has one thread.
                preexec_fn=die_with_parent,  # noqa: PLW1509
            )

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return None if self.process is None else self.process.poll()

    def failed(self) -> LaunchError:
        """Say that it ended, and what it said last."""
        return LaunchError(
            f"{self.role} ended with exit code {self.exit_code}; its log {self.log} ends:\n"
            f"{last_lines(self.log)}",
            role=self.role,
        )


class Children:
    """All of them, with a tick that whoever waits has to call."""

    def __init__(self, folder: Path, environment: Mapping[str, str], logs: Path) -> None:
        self._folder = folder
        self._environment = environment
        self._logs = logs
        self._watched: list[Child] = []
        self.on_tick: Callable[[], None] = lambda: None
        self.on_restart: Callable[[str], None] = lambda line: None

    def start(self, role: str, command: Sequence[str], restarts: int = 0, **extra: str) -> Child:
        """Start a process that has to live until the end.

        Args:
            role: What it does; also the name of its log.
            command: Program and arguments.
            restarts: How often it may be started again after it died.
            extra: Environment variables beside the common ones.
        """
        child = self._child(role, command, extra)
        child.restarts = restarts
        child.start()
        self._watched.append(child)
        return child

    def start_once(self, role: str, command: Sequence[str]) -> Child:
        """Start a process that is expected to end."""
        child = self._child(role, command, {})
        child.start()
        return child

    def finish(self, child: Child, seconds: float) -> None:
        """Wait for a process that is expected to end.

        Raises:
            LaunchError: It failed or took too long.
        """
        self.wait(lambda: child.exit_code is not None, seconds, child.role)
        if child.exit_code != 0:
            raise child.failed()

    def wait(self, condition: Callable[[], bool], seconds: float, what: str) -> None:
        """Wait until a condition holds.

        Raises:
            LaunchError: It did not in time, or a process died for good meanwhile.
        """
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise LaunchError(f"{what} was not ready after {seconds:.0f} s; see the logs in {self._logs}")
            self.check()
            self.on_tick()
            time.sleep(TICK_SECONDS)

    def check(self) -> None:
        """Start again what died, as often as it may.

        Raises:
            LaunchError: Something died that may not, or not again.
        """
        for child in self._watched:
            if child.exit_code is None:
                continue
            if child.restarts == 0:
                raise child.failed()
            child.restarts -= 1
            self.on_restart(f"{child.role} ended with exit code {child.exit_code}; starting it again")
            child.start()

    def _child(self, role: str, command: Sequence[str], extra: Mapping[str, str]) -> Child:
        log = self._logs / f"{role.replace(' ', '-')}.log"
        log.unlink(missing_ok=True)
        return Child(role, command, {**self._environment, **extra}, log, self._folder)


def start_guardian(mark: str, folder: Path) -> subprocess.Popen[bytes]:
    """Start the process that cleans up if this one is killed; it ends when its input does."""
    return subprocess.Popen(
        [sys.executable, "-m", "synthtrial.launching.guardian", mark],
        env={**os.environ, ROLE_VARIABLE: "guardian", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        cwd=folder,
        stdin=subprocess.PIPE,
        start_new_session=True,
    )


def last_lines(log: Path, count: int = LOG_LINES) -> str:
    """Return the end of a log."""
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-count:])
    except OSError:
        return "(nothing)"
