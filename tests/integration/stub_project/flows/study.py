"""A study of nothing, for tests of the supervisor."""

import json
import os
import time
from pathlib import Path

from prefect import flow

CELLS = 10


@flow(name="study", persist_result=False)
def study(design: str = "full", profile: str = "embedded") -> str:
    """Pretend to finish cells, and leave a report."""
    root = Path(os.environ["SYNTHTRIAL_ROOT"])
    started = time.time()
    for done in range(CELLS + 1):
        _say(root / ".synthtrial" / "progress", done, started)
        time.sleep(0.1)
    report = root / "results" / "latest" / "report.html"
    report.parent.mkdir(parents=True, exist_ok=True)
    report.write_text(f"{design} {profile} {os.environ['SYNTHTRIAL_GENERATOR']}")
    return "done"


def _say(folder: Path, done: int, started: float) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    record = {
        "done": done,
        "total": CELLS,
        "activity": "training",
        "started_done": 0,
        "started_time": started,
    }
    temporary = folder / "study.tmp"
    temporary.write_text(json.dumps(record))
    os.replace(temporary, folder / "study.json")
