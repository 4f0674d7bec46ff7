"""Finished audits, kept as rows under the digest of what they were computed from."""

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from flows.auditing.arms import CONTROL, TREATMENT
from flows.auditing.options import default_encoder
from flows.conditions import CONDITIONS
from flows.versions import STEPS
from services.classifier.families import FAMILIES
from services.domain.digest import spec_digest
from services.evaluator.comparison import VERSION as COMPARING
from services.features.encoders import ENCODERS
from tests.study.published_sets import Trial

# What an audit draws and screens has no version of its own: raised when the rows of an audit would
# be others, and no version below tells.
AUDITING = 1

Rows = list[dict[str, Any]]


def kept(folder: Path, key: Mapping[str, Any], run: Callable[[], Rows]) -> Rows:
    """Return the rows kept under a key; where there are none, run the audit and keep its rows.

    An audit that is run again finds what was trained before in the store, so far as it holds.
    """
    path = folder / f"{spec_digest(dict(key))}.json"
    if not path.is_file():
        rows = run()
        folder.mkdir(parents=True, exist_ok=True)
        # A run that is killed leaves no half of an audit.
        whole = path.with_suffix(".part")
        whole.write_text(json.dumps(rows, indent=1))
        whole.replace(path)
    found: Rows = json.loads(path.read_text())
    return found


def audit_key(trial: Trial, family: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the rows of an audit depend on: documents, names, settings and versions of the code."""
    files = {name: _digest(rows) for name, rows in trial.synthetic.items()}
    documents = {"real": _digest(trial.real), "test": _digest(trial.test), "synthetic": files}
    named = {"corpus": trial.corpus, "draw": trial.draw, "official": trial.official}
    return {**named, **documents, "family": family, "settings": dict(settings), "versions": versions(family)}


def versions(family: str) -> dict[str, Any]:
    """Return the versions of all code that an audit with one classifier family runs through."""
    return {
        "steps": STEPS,
        "auditing": AUDITING,
        "comparing": COMPARING,
        "conditions": [CONDITIONS.get(name).version for name in (TREATMENT, CONTROL)],
        "family": FAMILIES.get(family).version,
        "encoder": ENCODERS.get(default_encoder(family)).revision,
    }


def _digest(rows: pd.DataFrame) -> str:
    return hashlib.sha256(rows.to_json(orient="split", index=False).encode()).hexdigest()
