"""Published synthetic corpora, audited and studied, beside what their authors published.

Run with `python -m tests.study.published`, with a folder to keep finished audits in, and
another place of the data, if need be. Writes docs/published.md; takes a quarter of an hour.
"""

import json
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd

import synthtrial
from flows.auditing.result import AuditResult
from flows.design import Design, load_profile
from flows.report.inputs import THIS_FILE, AuditedFile, Reading
from flows.run import RESULTS_VARIABLE, STATE_VARIABLE, open_run, run_everything
from services.storage.store import Store
from tests.study import published_scores as scores
from tests.study.published_page import page
from tests.study.published_sets import (
    AUGCMP,
    DIMENSIONS,
    HYPERBOLE,
    KINIT,
    SEED,
    ZERO_SHOT,
    Trial,
    augcmp,
    kinit,
    parrot,
    read,
)

PAGE = Path("docs/published.md")
DATA = Path(__file__).parents[3] / "shared" / "data"
LINEAR, ENCODER = "tfidf_linear", "frozen_encoder"
REPLICATES = 5
REGIME, WRITTEN = 80, 160


def main(kept: str = "", data: str = str(DATA)) -> None:
    with tempfile.TemporaryDirectory() as folder:
        work = Path(kept or folder)
        audits = pd.concat(list(audited(Path(data), work)), ignore_index=True)
        contrasts = studied(Path(data), work)
    PAGE.write_text(page(audits, contrasts, comparisons(Path(data), audits)))


def audited(data: Path, work: Path) -> Iterator[pd.DataFrame]:
    """Run every audit; yield a row per file."""
    for trial, family in planned(data):
        result = run_audit(trial, family, work / "audits")
        print(f"{trial.corpus}, {trial.draw}, {family}: {result.wall_seconds:.0f} s", flush=True)
        yield rows_of(trial, family, result)


def planned(data: Path) -> Iterator[tuple[Trial, str]]:
    """Return the trials and with which classifier family; fewer where texts must be embedded."""
    for trial in kinit(data):
        yield trial, LINEAR
    for trial in kinit(data, (ZERO_SHOT,)):
        yield trial, ENCODER
    for trial in augcmp(data):
        yield trial, LINEAR
    for splits in (("seed",), ("seed", "train")):
        yield parrot(data, HYPERBOLE, splits), LINEAR
    yield parrot(data, DIMENSIONS, ("seed",)), LINEAR
    yield parrot(data, HYPERBOLE, ("seed",)), ENCODER


def run_audit(trial: Trial, family: str, store: Path | None = None, **settings: Any) -> AuditResult:
    """Audit the files of one trial together."""
    given: dict[str, Any] = {"replicates": REPLICATES, "family": family, "seed": SEED} | settings
    return synthtrial.audit(trial.real, trial.synthetic, trial.test, store=store, quiet=True, **given)


def rows_of(trial: Trial, family: str, result: AuditResult) -> pd.DataFrame:
    """Return one row per file with both readings and its account."""
    common = {
        "corpus": trial.corpus,
        "draw": trial.draw,
        "family": family,
        "official": trial.official,
    }
    return pd.DataFrame([common | _row(entry) for entry in result.files])


def _row(entry: AuditedFile) -> dict[str, object]:
    readings = {"" if one.title == THIS_FILE else "generator_": one for one in entry.readings}
    counts = {name: getattr(entry, name) for name in ("requested", "accepted", "rejected", "failed")}
    worth = entry.worth
    return {
        "file": entry.name,
        **counts,
        **{f"{mark}{name}": value for mark, one in readings.items() for name, value in _shown(one).items()},
        "worth": worth.worth if worth else None,
        "worth_low": worth.low if worth else None,
        "worth_high": worth.high if worth else None,
        "worth_cap": worth.cap if worth else None,
        "worth_beyond": bool(worth and worth.more_than_cap),
        "worth_below": bool(worth and worth.less_than_none),
    }


def _shown(one: Reading) -> dict[str, object]:
    return {
        "verdict": one.verdict,
        "effect": one.effect,
        "low": one.low95,
        "high": one.high95,
        "real": one.real_documents,
        "synthetic": one.synthetic_documents,
        "replicates": one.replicate_count,
        "tested": one.test_family_count,
    }


def comparisons(data: Path, audits: pd.DataFrame) -> dict[tuple[str, str], list[scores.Comparison]]:
    """Return the comparisons by corpus and classifier family."""
    found: dict[tuple[str, str], list[scores.Comparison]] = {}
    for family in (LINEAR, ENCODER):
        ours = effects(audits, KINIT, family)
        theirs = scores.kinit_scores(data)
        found[KINIT, family] = scores.compared(scores.kinit_pairs(), theirs, ours)
    ours, theirs = effects(audits, AUGCMP, LINEAR), scores.augcmp_scores(data)
    pairs = scores.compared(scores.augcmp_pairs(), theirs, ours)
    found[AUGCMP, LINEAR] = scores.against_none(theirs, ours) + pairs
    return found


def effects(audits: pd.DataFrame, corpus: str, family: str) -> dict[tuple[str, int], float]:
    """Return the effects of "this file" against its row twins, by file and draw."""
    chosen = audits[(audits["corpus"] == corpus) & (audits["family"] == family)].dropna(subset=["effect"])
    places = zip(chosen["file"], chosen["draw"].str.removeprefix("draw ").astype(int), strict=True)
    return dict(zip(places, chosen["effect"].astype(float), strict=True))


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
        "replicates": REPLICATES,
        "regimes": [REGIME],
        "synthetic_documents": WRITTEN,
        "families": [LINEAR],
        "encoder": "",
        "fidelity_metrics": [],
        "experiments": ["a_e1_grid", "a_e2_controls"],
        "dataset": {"kind": "files", "train": 4000, "test": 1500, "reference": 0, "parameters": parameters},
        "claims": {"regime": REGIME, "family": LINEAR},
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


if __name__ == "__main__":
    main(*sys.argv[1:])
