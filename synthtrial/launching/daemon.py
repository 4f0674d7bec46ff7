"""Servers that stay: `up` and `down`."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from services.domain.errors import PreconditionError
from synthtrial.launching.children import last_lines
from synthtrial.launching.environment import Addresses
from synthtrial.launching.exclusive import BusyError, exclusive, holder
from synthtrial.launching.progress import Lines
from synthtrial.launching.settings import LaunchError, Settings
from synthtrial.launching.stack import STARTUP_SECONDS, Stack, supervised

DOWN_SECONDS = 45.0
SERVERS = "another launch"


@dataclass(frozen=True, slots=True)
class Running:
    """Servers that `up` started, and the process that looks after them."""

    pid: int
    addresses: Addresses


def running(settings: Settings) -> Running | None:
    """Return the servers that are up; None while they are started or a study has its own."""
    owner = holder(settings.servers_lock)
    try:
        record = json.loads(settings.servers_file.read_text())
        found = Running(record["pid"], Addresses(**record["addresses"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if found.pid == owner else None


def up(settings: Settings) -> Running:
    """Start servers that stay, unless they are up already, and return when they answer.

    Raises:
        BusyError: A study runs, with servers of its own.
        LaunchError: Something did not start.
    """
    if found := running(settings):
        return found
    with exclusive(settings.servers_lock, SERVERS):
        # To say so here rather than in a log; what a killed launch recorded is void.
        settings.servers_file.unlink(missing_ok=True)
    log = settings.logs / "up.log"
    process = _detached(settings, log)
    try:
        return _wait(settings, process, log)
    except BaseException:
        process.terminate()
        raise


def down(settings: Settings) -> bool:
    """Stop what `up` started and say whether there was anything.

    Raises:
        BusyError: A study runs, with servers of its own.
        LaunchError: It did not stop.
    """
    owner = holder(settings.servers_lock)
    if owner is None:
        return False
    found = running(settings)
    if found is None:
        raise BusyError(f"process {owner} runs servers of its own; end it with Ctrl-C", pid=str(owner))
    os.kill(found.pid, signal.SIGTERM)
    deadline = time.monotonic() + DOWN_SECONDS
    while holder(settings.servers_lock) is not None:
        if time.monotonic() > deadline:
            raise LaunchError(
                f"process {found.pid} still runs after {DOWN_SECONDS:.0f} s; see {settings.logs}"
            )
        time.sleep(0.1)
    return True


def serve(settings: Settings) -> None:
    """Run the servers until a signal arrives; this is what `up` puts in the background."""
    with exclusive(settings.servers_lock, SERVERS), supervised(settings, Lines(sys.stdout)) as stack:
        try:
            _record(settings, stack)
            stack.children.wait(lambda: False, float("inf"), "nothing")
        finally:
            settings.servers_file.unlink(missing_ok=True)


def attachable(settings: Settings) -> Running | None:
    """Return servers that a study may use.

    Raises:
        PreconditionError: They are up, and another Prefect server was asked for.
    """
    found = running(settings)
    if found and settings.prefect_url not in ("", found.addresses.api_url):
        raise PreconditionError(
            f"servers are up with Prefect at {found.addresses.api_url}; "
            "run `synthtrial down` first to use another"
        )
    return found


def _record(settings: Settings, stack: Stack) -> None:
    record = {"pid": os.getpid(), "addresses": asdict(stack.addresses)}
    temporary = settings.servers_file.with_suffix(".tmp")
    temporary.write_text(json.dumps(record))
    os.replace(temporary, settings.servers_file)


def _detached(settings: Settings, log: Path) -> subprocess.Popen[bytes]:
    log.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "synthtrial.launch", "serve"]
    if settings.prefect_url:
        command += ["--prefect-url", settings.prefect_url]
    with open(log, "wb") as output:
        return subprocess.Popen(
            command,
            cwd=settings.root,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _wait(settings: Settings, process: subprocess.Popen[bytes], log: Path) -> Running:
    deadline = time.monotonic() + 2 * STARTUP_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise LaunchError(f"the servers did not start:\n{last_lines(log)}")
        if found := running(settings):
            return found
        time.sleep(0.2)
    raise LaunchError(f"the servers did not start in time; see {log}")
