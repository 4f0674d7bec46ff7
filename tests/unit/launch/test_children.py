import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from synthtrial.launching.children import Child, Children
from synthtrial.launching.environment import MARK_VARIABLE
from synthtrial.launching.memory import MemorySampler
from synthtrial.launching.processes import marked, tear_down
from synthtrial.launching.settings import LaunchError

PATIENCE_SECONDS = 30.0
SLEEP = (sys.executable, "-c", "import time; time.sleep(60)")


def children(folder: Path) -> Children:
    return Children(folder, {MARK_VARIABLE: str(folder)}, folder / "logs")


def pid(child: Child) -> int:
    assert child.process is not None
    return child.process.pid


def reap(child: Child) -> None:
    assert child.process is not None
    child.process.kill()
    child.process.wait()


def wait_for(word: str, child: Child) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while word not in child.log.read_text():
        assert time.monotonic() < deadline, child.log.read_text()
        time.sleep(0.02)


def test_a_death_that_may_not_be_ends_the_wait_with_the_last_words(tmp_path: Path) -> None:
    started = children(tmp_path)
    started.start("worker", (sys.executable, "-c", "print('no such pool'); exit(3)"))
    with pytest.raises(LaunchError, match=r"worker ended with exit code 3(.|\n)*no such pool"):
        started.wait(lambda: False, PATIENCE_SECONDS, "anything")


def test_what_dies_is_started_again_as_often_as_it_may(tmp_path: Path) -> None:
    started = children(tmp_path)
    restarts: list[str] = []
    started.on_restart = restarts.append
    started.start("service", (sys.executable, "-c", "exit(1)"), restarts=2)
    with pytest.raises(LaunchError):
        started.wait(lambda: False, PATIENCE_SECONDS, "anything")
    assert len(restarts) == 2


def test_waiting_in_vain_says_for_what(tmp_path: Path) -> None:
    with pytest.raises(LaunchError, match="the moon was not ready after 0 s"):
        children(tmp_path).wait(lambda: False, 0.0, "the moon")


def test_a_grandchild_of_a_dead_child_is_found_by_its_mark(tmp_path: Path) -> None:
    orphaning = f"import subprocess, sys; subprocess.Popen({list(SLEEP)!r})"
    child = children(tmp_path).start_once("service", (sys.executable, "-c", orphaning))
    assert child.process is not None
    child.process.wait(PATIENCE_SECONDS)

    assert [found.role for found in marked(str(tmp_path))] == ["service"]
    tear_down(str(tmp_path), 5.0)
    assert marked(str(tmp_path)) == []


def test_what_does_not_listen_is_killed(tmp_path: Path) -> None:
    deaf = "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
    child = children(tmp_path).start_once("service", (sys.executable, "-c", deaf))
    wait_for("deaf", child)

    tear_down(str(tmp_path), 0.3)

    assert child.process is not None
    assert child.process.wait(PATIENCE_SECONDS) == -9


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")
def test_a_child_dies_with_its_parent(tmp_path: Path) -> None:
    parent = (
        "import sys, time; from pathlib import Path; from synthtrial.launching.children import Children\n"
        f"child = Children(Path('.'), {{}}, Path({str(tmp_path)!r})).start_once('service', {SLEEP!r})\n"
        "print(child.process.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        child = psutil.Process(int(process.stdout.readline()))
        process.kill()
    child.wait(PATIENCE_SECONDS)


def test_memory_is_the_sum_over_the_tree_by_role(tmp_path: Path) -> None:
    hungry = (sys.executable, "-c", "x = bytearray(b'1') * 50_000_000; print('full', flush=True); input()")
    child = children(tmp_path).start_once("service", (*hungry[:2], hungry[2].replace("input()", SLEEP[2])))
    wait_for("full", child)
    sampler = MemorySampler(tmp_path / "memory.json")

    sampler.sample()
    reap(child)
    sampler.sample()

    assert sampler.peak["service"] > 50_000_000
    assert sampler.peak_bytes == sum(sampler.peak.values())
    assert sampler.largest["supervisor"] > 0
