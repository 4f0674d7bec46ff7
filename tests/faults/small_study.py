"""The study that faults are put into: one experiment, one family, no encoder; about ten seconds in one process."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from flows.design import load_design, load_profile
from flows.run import StudyRun, open_run
from services.storage.store import Store

# Two batches train at once, so the first cell is published before the third of six batches begins.
DESIGN = """
name = "faults"
seed = 5
replicates = 6
regimes = [60]
synthetic_documents = 40
families = ["tfidf_linear"]
encoder = ""
folds = 3
experiments = ["a_e1_grid"]
fidelity_metrics = []
dataset = {train = 700, test = 220, reference = 0}
claims = {regime = 60}
generators = [{name = "oracle", label_source = "backend"}]
"""
CELL_COUNT = 18


@contextmanager
def opened(folder: Path, store: Path | None = None) -> Iterator[StudyRun]:
    """Open the study with all services in this process, results and state below a folder.

    Args:
        folder: Of this run; made where it is missing.
        store: Its store, by default one in the folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "design.toml").write_text(DESIGN)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SYNTHTRIAL_STATE", str(folder / "state"))
        patch.setenv("SYNTHTRIAL_RESULTS", str(folder / "results"))
        design = load_design(str(folder / "design.toml"))
        with open_run(design, load_profile("embedded"), Store(store or folder / "store")) as run:
            yield run


def measurements(folder: Path) -> bytes:
    """Return the newest measurements below a folder."""
    return (folder / "results" / "latest" / "measurements.parquet").read_bytes()


def cells(store: Path) -> list[Path]:
    """Return the keys of finished cells."""
    return [path for path in keys(store) if b'"kind":"cell"' in path.read_bytes()]


def keys(store: Path) -> dict[Path, int]:
    """Return what is published, and when it was written."""
    return {path: os.stat(path).st_mtime_ns for path in store.glob("keys/??/*.json")}
