"""A whole study in a process of its own: `python -m tests.faults.flow_process FOLDER STORE GO`.

It connects, waits for the file GO, and runs all stages.
"""

import sys
from pathlib import Path

from flows.run import run_everything
from tests.faults.small_study import opened
from tests.integration.stubs import eventually


def main(folder: Path, store: Path, go: Path) -> None:
    """Run the study."""
    with opened(folder, store) as run:
        (folder / "ready").touch()
        assert eventually(go.exists, 120)
        run_everything(run)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
