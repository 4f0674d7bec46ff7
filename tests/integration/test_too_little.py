"""What is too little for a number, or fails in part: an answer with its reason, and nothing else lost."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from services.classifier.runs import RunState
from services.classifier.specification import TrainingSpec
from services.domain.corpus import Corpus
from services.domain.plan import Stage, TrainingPlan
from services.evaluator.correlation.planning import (
    CorpusPoint,
    CorrelatedMetric,
    CorrelationSpec,
    Fidelity,
    RegimeGain,
)
from services.evaluator.decomposition import CellScores
from services.generator.client import GeneratorClient
from services.generator.planning import GenerationSpec
from services.generator.service import register as generator
from services.rpc.server import in_process
from tests.integration.asked import TASK, Services, asked, corpus, fidelity
from tests.unit.classifier.checkpoint import POSITIONS
from tests.unit.classifier.separable import MULTI, part, plan, separable_spec


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    with asked(tmp_path_factory.mktemp("asked")) as services:
        yield services


def test_a_plan_that_cannot_be_fitted_leaves_the_others_their_results(services: Services) -> None:
    spec = separable_spec(services.store, MULTI, "tfidf_linear", seed=5)
    heavy = plan(part(spec.segments[0], range(60), weight=3e38))
    ended = _ended(services, dataclasses.replace(spec, plans=(heavy, *spec.plans)))
    assert (ended.state, ended.done, ended.total) == (RunState.FAILED, 2, 3)
    assert ended.error_metadata["plan"] == "0"
    assert len(services.classifier.train(spec)) == 2


def _ended(services: Services, spec: TrainingSpec) -> Any:
    return list(services.classifier.watch(services.classifier.create(spec).id))[-1]


@pytest.mark.parametrize("objective", ["focal", "asymmetric", "class_balanced"])
def test_no_objective_takes_what_is_no_number_for_its_end(objective: str, services: Services) -> None:
    spec = separable_spec(services.store, MULTI, "tfidf_linear")
    parts = plan(part(spec.segments[0], range(60), weight=3e38)).stages[0].parts
    ended = _ended(services, dataclasses.replace(spec, plans=(TrainingPlan((Stage(parts, objective),)),)))
    assert ended.state is RunState.FAILED
    assert "of a linear model is" in ended.error_message


def test_a_sequence_longer_than_the_model_is_cut_there_and_said(services: Services) -> None:
    (result,) = services.fine_tune(services.checkpoint, longest=4000)
    assert f'"longest_tokens": {POSITIONS}.0' in services.store.get_arrays(result)[1]["estimates"]


def test_three_generators_are_no_correlation(services: Services) -> None:
    points = tuple(
        CorpusPoint(f"g{i}", "s", (Fidelity(i / 3),), (RegimeGain((i / 9, i / 9 + 0.01)),)) for i in range(3)
    )
    (found,) = services.evaluator.correlate_gains(
        CorrelationSpec((CorrelatedMetric("mmd2"),), ("n=40",), points)
    ).correlations
    assert (found.pearson, found.interval95, found.spearman, found.corpus_count) == (None, None, None, 3)
    assert found.refused == "3 corpora within strategies, a correlation takes 8"


def test_a_gain_near_zero_has_no_shares(services: Services) -> None:
    noise = np.random.default_rng(3).normal(0, 0.01, (4, 6))
    cells = [
        CellScores(arm, budget, rule, tuple((0.5 + noise[i]).tolist()))
        for i, (arm, budget) in enumerate(
            (a, b) for a in ("real_only", "synthesis") for b in ("small", "large")
        )
        for rule in ("0.5", "tuned")
    ]
    found = services.evaluator.decompose_gain(cells)
    assert (
        "lower 95 % bound is" in found.shares_refused and "shares take more than 0.02" in found.shares_refused
    )
    assert all(term.share is None and term.share_interval95 is None for term in found.terms)
    assert found.term("gain").effect is not None


def test_too_few_documents_leave_a_metric_undefined_and_the_others_measured(services: Services) -> None:
    ((close, coverage, tested),) = services.evaluator.measure_fidelity(
        fidelity(services, 5, ("mmd2", "coverage", "c2st_p"))
    )
    assert close.value is not None
    assert (coverage.value, tested.value) == (None, None)
    assert coverage.undefined_reason.startswith("5 documents a side, fewer than 6")
    assert tested.undefined_reason == "5 documents a side, fewer than 200"


COPIER = """
from services.generator.backends import BACKENDS
from services.generator.backends.eda import Eda
from dataclasses import replace

class Copier(Eda):
    def prepare(self, *given): return Writer(super().prepare(*given))

class Writer:
    label_law, labels_fixed = None, False
    def __init__(self, writer): self.writer = writer
    def write(self, requests):
        for request, candidate in zip(requests, self.writer.write(requests)):
            yield replace(candidate, text=request.source.text.upper()) if request.index % 2 else candidate

BACKENDS.register("copier_of_half", Copier())
"""


def test_a_paraphrase_equal_to_its_source_is_rejected_and_counted(
    services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "backends").mkdir()
    (tmp_path / "backends" / "copier.py").write_text(COPIER)
    monkeypatch.setenv("SYNTHTRIAL_PLUGINS", str(tmp_path))
    real = Corpus(
        TASK,
        tuple(
            dataclasses.replace(d, text=f"{d.text} " + "that folds and carries well " * 3)
            for d in corpus("r").documents
        ),
    )
    spec = GenerationSpec("g", "copier_of_half", {}, "paraphrase", 1, TASK, real, "empirical")
    with in_process(generator, services.store.root) as address:
        outcomes = list(GeneratorClient(address).generate(spec, 0, 20))
    accepted = [o.index for o in outcomes if o.document]
    copies = [o.index for o in outcomes if o.rejection_reason == "copy_of_source"]
    assert (accepted, copies) == (list(range(0, 20, 2)), list(range(1, 20, 2)))
    assert all(o.text for o in outcomes if o.rejection_reason)
