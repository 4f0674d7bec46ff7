import fcntl
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from synthtrial.launching.exclusive import BusyError, exclusive, holder

HOLD = "import sys, time, pathlib; from synthtrial.launching.exclusive import exclusive\n"
HOLD += "with exclusive(pathlib.Path(sys.argv[1]), 'a study'): print('held', flush=True); time.sleep(60)"


def test_the_second_is_told_who_the_first_is(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    with exclusive(lock, "a study"), pytest.raises(BusyError) as raised, exclusive(lock, "a study"):
        pass
    assert raised.value.pid == os.getpid()
    assert f"a study runs in this folder already, as process {os.getpid()}" in raised.value.message


def test_the_lock_can_be_taken_again(tmp_path: Path) -> None:
    for _ in range(2):
        with exclusive(tmp_path / "lock", "a study"):
            pass


def test_looking_who_holds_it_hinders_nobody(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    assert holder(lock) is None
    looking = True

    def look() -> None:
        while looking:
            with open(lock, "a+") as file:
                fcntl.flock(file, fcntl.LOCK_SH)
                time.sleep(0.2)
            time.sleep(0.05)

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        for _ in range(3):
            with exclusive(lock, "a study"):
                assert holder(lock) == os.getpid()
    finally:
        looking = False
        watcher.join()
    assert holder(lock) is None


def test_a_killed_holder_holds_nothing(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    with subprocess.Popen([sys.executable, "-c", HOLD, str(lock)], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(BusyError), exclusive(lock, "a study"):
            pass
        holder.kill()
    with exclusive(lock, "a study"):
        pass
