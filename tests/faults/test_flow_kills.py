"""20 times kill -9 of a part of one study at any time, and each time the same command again.

Measured on two cores that others used as well: KILLS = 20 take 330 s to 580 s.
"""

import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import psutil
import pytest

from services.domain.seeds import stream
from tests.faults.command import PATIENCE_SECONDS, Study
from tests.faults.laws import holds_only_whole_files
from tests.integration.stubs import eventually

pytestmark = pytest.mark.faults

KILLS = 20
SEED = 22
# What ends the command, and what it starts again or asks again, three times each.
FATAL = ("prefect.engine", "worker", "synthtrial.launch")
SERVICES = ("services.generator", "services.classifier", "services.evaluator", "services.retrieval")
RESTARTS = 3
# Some kills come at any time, most after some more keys: most of a command's time goes into its
# servers, and most of the writing into a few seconds.
AT_ANY_TIME = 0.3
LATEST_SECONDS = 25.0
MORE_KEYS = 20
# A study with so many keys only has to report.
KEY_COUNT = 70


def test_twenty_kills_lose_repeat_and_change_nothing(folder: Path, undisturbed: bytes) -> None:
    rng, killed, finished = stream(SEED, "flow kills"), 0, 0
    while killed < KILLS:
        targets, done = _start_and_kill(Study(folder, f"kills{finished}"), rng, KILLS - killed, undisturbed)
        killed, finished = killed + len(targets), finished + done
    assert Study(folder, f"kills{finished}").complete() == undisturbed


def _start_and_kill(
    study: Study, rng: np.random.Generator, most: int, undisturbed: bytes
) -> tuple[list[str], bool]:
    """Give the command, kill parts of it, check what is left; return what was killed and whether it completed."""
    before = study.keys()
    command = study.start()
    targets = _kill_parts(study, command, rng, most) if len(before) < KEY_COUNT else []
    code = command.wait(PATIENCE_SECONDS)
    print(f"{study.name}: {len(before)} keys before, killed {targets}, exit code {code}")
    assert eventually(lambda: study.processes() == [])
    assert before.items() <= study.keys().items()
    assert holds_only_whole_files(study.store)
    if code == 0:
        assert study.measurements == undisturbed
    else:
        assert targets[-1] in FATAL, study.output
    return targets, code == 0


def _kill_parts(
    study: Study, command: subprocess.Popen[bytes], rng: np.random.Generator, most: int
) -> list[str]:
    """Kill services, and at last what ends the command; return what was killed."""
    killed: list[str] = []
    while len(killed) < most and not (killed and killed[-1] in FATAL):
        _wait(study, command, rng)
        if command.poll() is not None:
            break
        killed += _kill_one(study, rng, [s for s in SERVICES if killed.count(s) < RESTARTS])
    return killed


def _wait(study: Study, command: subprocess.Popen[bytes], rng: np.random.Generator) -> None:
    """Wait for a random time, or for a random number of new keys."""
    if rng.random() < AT_ANY_TIME:
        seconds, enough = float(rng.uniform(0, LATEST_SECONDS)), 2 * KEY_COUNT
    else:
        seconds, enough = PATIENCE_SECONDS, len(study.keys()) + int(rng.integers(1, MORE_KEYS))
    deadline = time.monotonic() + seconds
    while command.poll() is None and time.monotonic() < deadline and len(study.keys()) < enough:
        time.sleep(0.02)


def _kill_one(study: Study, rng: np.random.Generator, services: list[str]) -> list[str]:
    targets = FATAL if rng.random() < 0.5 else tuple(services)
    alive = {word: found for word in targets if (found := study.processes(word))}
    if not alive:
        return []
    word = str(rng.choice(sorted(alive)))
    for process in alive[word]:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGKILL)
    return [word]
