"""A process that has imported and compiled everything and forks children that die: `python -m tests.faults.nursery`.

It takes one JSON object a line: the lab's folder, how many children, their fault,
after how many seconds to kill them all, and a task; and answers with their exit codes.
A fork costs some ten milliseconds where a new process would cost two seconds.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from services.storage.store import Store
from tests.faults import tasks
from tests.faults.hooks import Fault, Hooks, Lab
from tests.faults.workload import work

REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Ended:
    """How the children of one request ended: exit codes, minus the signal where one killed them."""

    codes: tuple[int, ...]

    @property
    def killed(self) -> bool:
        return -signal.SIGKILL in self.codes

    @property
    def done(self) -> bool:
        return set(self.codes) == {0}


class Nursery:
    """The test's end of the pipe."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.nursery"],
            cwd=REPOSITORY,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(
        self,
        lab: Lab,
        fault: Fault | None = None,
        children: int = 1,
        kill_after_seconds: float | None = None,
        task: str = "study",
    ) -> Ended:
        """Fork children over a lab's store and wait for their end."""
        request = {
            "folder": str(lab.folder),
            "fault": asdict(fault or Fault()),
            "children": children,
            "kill_after_seconds": kill_after_seconds,
            "task": task,
        }
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        ended = Ended(tuple(json.loads(self._process.stdout.readline())))
        assert set(ended.codes) <= {0, -signal.SIGKILL}, ended
        return ended

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


def main() -> None:
    """Answer requests until the input ends."""
    with tempfile.TemporaryDirectory() as folder:
        work(Store(folder))
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        answers.write(json.dumps(_codes(json.loads(line))) + "\n")
        answers.flush()


def _codes(request: dict[str, Any]) -> list[int]:
    group = 0
    children = []
    for _ in range(request["children"]):
        pid = os.fork()
        if not pid:
            _live(request, group)
        group = group or pid
        # In both, or one could be killed, or kill, before it is in the group.
        os.setpgid(pid, group)
        children.append(pid)
    if request["kill_after_seconds"] is not None:
        time.sleep(request["kill_after_seconds"])
        # Not waited for yet, so the numbers are still theirs.
        os.killpg(group, signal.SIGKILL)
    return [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children]


def _live(request: dict[str, Any], group: int) -> None:
    code = 1
    try:
        os.setpgid(0, group)
        lab = Lab(Path(request["folder"]))
        hooks = Hooks(lab, Fault(**request["fault"]))
        getattr(tasks, request["task"])(lab, hooks)
        code = 0
    except BaseException:  # noqa: BLE001 - the exit code tells, and nothing may run on in a fork
        traceback.print_exc()
    finally:
        os._exit(code)


if __name__ == "__main__":
    main()
