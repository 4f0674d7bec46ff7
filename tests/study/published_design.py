"""Zero-shot files of kinit through a design, beside the audits of the same files."""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from flows.design import Design, load_profile
from flows.run import RESULTS_VARIABLE, STATE_VARIABLE, open_run, run_everything
from services.storage.store import Store
from tests.study.published_audits import LINEAR
from tests.study.published_sets import KINIT, SEED, ZERO_SHOT, read

REGIME, WRITTEN = 80, 160


def studied(data: Path, work: Path) -> pd.DataFrame:
    """Run the zero-shot files of the largest corpus through a design; return its contrasts."""
    os.environ[STATE_VARIABLE], os.environ[RESULTS_VARIABLE] = str(work / "state"), str(work / "results")
    design = Design.model_validate(design_of(data, work))
    with open_run(design, load_profile("embedded"), Store(work / "store")) as run:
        report = run_everything(run)
    return pd.read_parquet(report.parent / "claims.parquet")


def design_of(data: Path, work: Path) -> dict[str, Any]:
    """Write the design's files and return the design; regimes are drawn from both halves of the official test."""
    halves = [read(data, KINIT, f"real_{name}.jsonl.gz") for name in ("train_pool", "test")]
    real = _written(work / "real.jsonl", pd.concat(halves)[["id", "text", "labels", "group"]])
    parameters = {"paths": [real], "columns": {"family": "group"}}
    return {
        "name": "published",
        "seed": SEED,
        "replicates": 5,
        "regimes": [REGIME],
        "synthetic_documents": WRITTEN,
        "families": [LINEAR.family],
        "encoder": "",
        "fidelity_metrics": [],
        "experiments": ["a_e1_grid", "a_e2_controls"],
        "dataset": {"kind": "files", "train": 4000, "test": 1500, "reference": 0, "parameters": parameters},
        "claims": {"regime": REGIME, "family": LINEAR.family},
        "generators": list(_generators(read(data, KINIT, "synthetic.jsonl.gz"), work)),
    }


def _generators(written: pd.DataFrame, work: Path) -> Iterable[dict[str, object]]:
    """One generator per model and mode: the rows of all three draws."""
    zero_shot = written[written["shots"] == ZERO_SHOT]
    for (model, mode), rows in zero_shot.groupby(["model", "mode"]):
        name = f"{str(model).split('-')[0]}_{str(mode).replace('-', '_')}"
        path = _written(work / f"{name}.jsonl", rows[["id", "text", "labels"]])
        yield {
            "name": name,
            "backend": "corpus_file",
            "label_source": "backend",
            "parameters": {"path": path},
        }


def _written(path: Path, rows: pd.DataFrame) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows.to_dict("records")))
    return str(path)
