"""One file in a folder of one's own adds a module, and the registry suites run over it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 120

BACKEND = '''"""A backend that strings the words of the task's real documents together at random."""

from services.domain.errors import InvalidInputError
from services.domain.seeds import stream
from services.generator.backends import BACKENDS, Candidate


class Shuffler:
    version = "1"
    description = "Says the words of real documents that have a wanted label, in random order."
    needs_real, is_llm, keeps_rejected, is_finite = True, False, False, False
    label_law, labels_fixed = None, False

    def parameter_schema(self):
        return {"type": "object", "properties": {"words": {"type": "integer"}}}

    def prepare(self, task, real, parameters, seed):
        for name in parameters:
            if name != "words":
                raise InvalidInputError(f"no parameter {name!r}; there is: words", field=f"parameters.{name}")
        if real is None:
            raise InvalidInputError("give a real corpus", field="real")
        return Written(real, parameters.get("words", 20))


class Written:
    label_law, labels_fixed = None, False

    def __init__(self, real, count):
        self.words, self.count = sorted({word for text in real.texts for word in text.split()}), count

    def write(self, requests):
        for request in requests:
            rng = stream(request.seed, "shuffler", request.index)
            text = " ".join(rng.choice(self.words, self.count))
            yield Candidate(request.index, f"{text}.", request.labels, request.index)


BACKENDS.register("shuffler", Shuffler())
'''

METRIC = '''"""How far the mean of a corpus lies from that of real text."""

import numpy as np

from services.evaluator.fidelity import METRICS, Estimate


class MeanShift:
    description = "Distance between the mean embeddings of a corpus and of real text."
    version, minimum_count = 1, 1
    lower_is_better, depends_on_count, has_scale = True, False, False

    def settings(self, reference):
        return {}

    def __call__(self, reference, corpora, settings, rngs):
        centre = reference.embeddings.mean(axis=0)
        shifts = [np.linalg.norm(corpus.embeddings.mean(axis=0) - centre) for corpus in corpora]
        return tuple(Estimate(float(s), len(c)) for s, c in zip(shifts, corpora, strict=True))


METRICS.register("mean_shift", MeanShift())
'''

CONDITION = '''"""Synthetic documents of half weight, and copies of real ones for the other half."""

import numpy as np

from flows.conditions import CONDITIONS, Composition, single_stage
from services.domain.plan import Part


class HalfWeight:
    version, role, needs_synthetic = "1", "treatment", True

    def compose(self, scene, rng, settings):
        rows = np.arange(scene.count)
        added = Part(scene.written().sha256, rows, np.full(scene.count, 0.5, np.float32), scored=False)
        extra = np.full(len(scene.real_rows), 1 + scene.count / 2 / len(scene.real_rows), np.float32)
        return Composition(single_stage(Part(scene.real.sha256, scene.real_rows, extra, scored=True), added))


CONDITIONS.register("half_weight", HalfWeight())
'''

EXPERIMENT = '''"""Half weight against the row twin, wherever a generator has an arm."""

from flows.cells import Arm, Wanted
from flows.experiments import EXPERIMENTS, PlannedContrast, Question, generator_places, row_twin


class Halves(Question):
    title = "Half weight"

    def contrasts(self, design):
        return [
            PlannedContrast(
                "gain_vs_control",
                Wanted(regime, Arm("half_weight", generator), family),
                row_twin(regime, generator, family),
            )
            for regime, generator, family in generator_places(design)
        ]


EXPERIMENTS.register("halves", Halves())
'''

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


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("plugins")
    for kind, name, source in (
        ("backends", "shuffler", BACKEND),
        ("metrics", "mean_shift", METRIC),
        ("conditions", "half_weight", CONDITION),
        ("experiments", "halves", EXPERIMENT),
    ):
        (folder / kind).mkdir()
        (folder / kind / f"{name}.py").write_text(source)
    # The suites run here touch no real data, whatever the whole run must do.
    inherited = {name: value for name, value in os.environ.items() if name != "REALDATA_REQUIRED"}
    return {**inherited, "SYNTHTRIAL_PLUGINS": str(folder), "PYTHONPATH": str(ROOT)}


def run(environment: dict[str, str], *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments],
        check=False,
        cwd=ROOT,
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
        ("test_fidelity_metrics.py", "mean_shift", 7),
        ("test_conditions.py", "half_weight", 5),
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
    broken = CONDITION.replace("half_weight", "one_too_many").replace("1 + scene", "2 + scene")
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
