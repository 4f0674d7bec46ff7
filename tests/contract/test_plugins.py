"""One file in a folder of one's own adds a module, and the registry suites run over it.

The files are those that the documentation shows.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contract.documented import ROOT, readme_condition, shown_plugins

PATIENCE_SECONDS = 120

PLAN = """
from flows.cells import Grid
from flows.design import load_design, load_profile
from flows.stages.context import plan_study

design = load_design("smoke").model_copy(update={"experiments": ("halves",)})
profile = load_profile("embedded")
plan = plan_study(design, profile, Grid(design, profile, {}))
print("conditions:", sorted({cell.arm.condition for cell in plan.cells}))
print("contrasts:", len(plan.contrasts), "cells:", len(plan.cells))
"""


STUDY = """
from pathlib import Path

import pandas as pd

from flows.design import DatasetDesign, Design, load_design, load_profile
from flows.run import open_run, run_everything
from services.storage.store import Store

smoke = load_design("smoke")
small = {
    "experiments": ("halves",), "encoder": "", "fidelity_metrics": (), "generators": smoke.generators[:1],
    "dataset": DatasetDesign(train=1200, test=400, reference=0), "regimes": (60,),
}
with open_run(smoke.model_copy(update=small), load_profile("embedded"), Store(Path("store"))) as run:
    page = run_everything(run)
print(page.with_suffix(".md").read_text())
print("table:", pd.read_parquet(page.parent / "halves.parquet").columns.tolist())
print("sentences:", pd.read_parquet(page.parent / "sentences.parquet")["name"].tolist())
"""


OWN = """
from pathlib import Path

import numpy as np
import pandas as pd

from flows.design import Design, load_profile
from flows.run import open_run, run_everything
from services.storage.store import Store

words = np.array([f"{a}{b}{c}" for a in "bdfgkl" for b in "aeiou" for c in "mnrst"])
for place, label in enumerate(("barn", "field", "shed")):
    (Path("pages") / label).mkdir(parents=True)
    rng = np.random.default_rng(place)
    for i in range(200):
        text = " ".join([*rng.choice(words[40 * place : 40 * place + 60], 6), *rng.choice(words, 6)])
        (Path("pages") / label / f"{i}.txt").write_text(text)
design = Design(
    name="own", replicates=2, regimes=(40,), synthetic_documents=40, families=("hashed_linear",),
    encoder="hashed_words", fidelity_metrics=("mean_shift",), experiments=("a_e1_grid", "halves"),
    dataset={"kind": "folders", "train": 300, "test": 150, "reference": 100, "parameters": {"folder": "pages"}},
    claims={"regime": 40, "family": "hashed_linear"},
    generators=({"name": "mixer", "backend": "shuffler", "scope": "regime", "regimes": [40]},),
)
with open_run(design, load_profile("embedded"), Store(Path("store"))) as run:
    page = run_everything(run)
    print("labels:", run.loaded.task.labels)
print(page.with_suffix(".md").read_text())
fidelity = pd.read_parquet(page.parent / "fidelity.parquet")
print("metrics:", fidelity["metric"].unique().tolist(), "positive:", bool((fidelity["value"] > 0).all()))
cells = pd.read_parquet(page.parent / "cells.parquet")
print("families:", cells["classifier_family"].unique().tolist(), "arms:", sorted(cells["condition"].unique()))
"""


CHANGED = """
from pathlib import Path

from flows.datasets import DATASETS

for name, text in (("barn/one", "a door"), ("barn/two", "a roof"), ("shed/one", "A door.")):
    Path(name).parent.mkdir(exist_ok=True)
    Path(f"{name}.txt").write_text(text)
folders, parameters = DATASETS.get("folders"), {"folder": "."}
before = folders.identity(parameters)
print(before == folders.identity(parameters))
corpus = folders.load(parameters, 0, 0, None)
Path("shed/one.txt").write_text("another door")
print(before == folders.identity(parameters))
print(corpus.ids)
print(len(set(corpus.families)), "families")
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("plugins")
    for path, source in {**shown_plugins(), "conditions/half_the_regime.py": readme_condition()}.items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(source)
    # The suites run here touch no real data, whatever the whole run must do.
    inherited = {name: value for name, value in os.environ.items() if name != "REALDATA_REQUIRED"}
    return {**inherited, "SYNTHTRIAL_PLUGINS": str(folder), "PYTHONPATH": str(ROOT)}


def run(environment: dict[str, str], *arguments: str, folder: Path = ROOT) -> str:
    done = subprocess.run(
        [sys.executable, *arguments],
        check=False,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("suite", "name", "least"),
    [
        ("test_backends.py", "shuffler", 12),
        ("test_families.py", "hashed_linear", 16),
        ("test_objectives.py", "smoothed", 9),
        ("test_encoders.py", "hashed_words", 4),
        ("test_fidelity_metrics.py", "mean_shift", 7),
        ("test_retrievers.py", "shared_words", 6),
        ("test_conditions.py", "half_weight", 5),
        ("test_conditions.py", "half_the_regime", 5),
        ("test_experiments.py", "halves", 2),
    ],
)
def test_the_suite_runs_over_a_file_in_the_plugin_folder(
    suite: str, name: str, least: int, environment: dict[str, str]
) -> None:
    said = run(environment, "-m", "pytest", "-q", "-k", name, f"tests/contract/{suite}")
    passed = re.search(r"^(\d+) passed", said, re.MULTILINE)
    assert passed is not None, said
    assert int(passed[1]) >= least
    assert "failed" not in said and "skipped" not in said


def test_the_suite_fails_over_a_file_that_breaks_its_promise(
    environment: dict[str, str], tmp_path: Path
) -> None:
    whole = shown_plugins()["conditions/half_weight.py"]
    broken = whole.replace("half_weight", "one_too_many").replace("1 + scene", "2 + scene")
    (tmp_path / "conditions").mkdir()
    (tmp_path / "conditions" / "one_too_many.py").write_text(broken)
    changed = {**environment, "SYNTHTRIAL_PLUGINS": str(tmp_path)}
    with pytest.raises(AssertionError, match=r"test_the_budget_is_met_exactly\[one_too_many\]"):
        run(changed, "-m", "pytest", "-q", "-k", "one_too_many", "tests/contract/test_conditions.py")


def test_an_experiment_in_the_plugin_folder_is_planned(environment: dict[str, str]) -> None:
    said = run(environment, "-c", PLAN)
    assert "conditions: ['half_weight', 'row_twin']" in said
    counts = re.search(r"contrasts: (\d+) cells: (\d+)", said)
    assert counts is not None
    assert 0 < int(counts[1]) < int(counts[2])


def test_an_experiment_in_the_plugin_folder_runs_and_stands_in_the_report(
    environment: dict[str, str], tmp_path: Path
) -> None:
    said = run(environment, "-c", STUDY, folder=tmp_path)
    assert "## Half weight" in said
    assert re.search(r"Half weight changes micro-F1 by [+-]0\.\d{4} at 60\.", said)
    assert "table: ['regime', 'effect']" in said
    assert re.search(r"sentences: \[.*'halves'\]", said)


def test_a_study_may_be_made_of_plugins_alone(environment: dict[str, str], tmp_path: Path) -> None:
    said = run(environment, "-c", OWN, folder=tmp_path)
    assert "labels: ('barn', 'field', 'shed')" in said
    assert "written by shuffler, not by LLMs" in said
    assert "Encoder: hashed\\_words, revision hashed\\_words/1/256" in said
    assert "metrics: ['mean_shift'] positive: True" in said
    assert "families: ['hashed_linear'] arms: ['half_weight', 'real_only', 'row_twin', 'synthesis']" in said


def test_a_folder_of_texts_is_another_dataset_when_a_text_changes(
    environment: dict[str, str], tmp_path: Path
) -> None:
    said = run(environment, "-c", CHANGED, folder=tmp_path)
    assert said.splitlines() == ["True", "False", "('barn/one', 'barn/two', 'shed/one')", "2 families"]
