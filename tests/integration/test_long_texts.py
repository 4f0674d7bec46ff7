"""A text of 100,000 words among others: every service takes it, in bounded time, and says what was cut."""

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from services.classifier.client import ClassifierClient
from services.classifier.service import register as classifier
from services.classifier.specification import InlineTraining
from services.domain.corpus import Corpus
from services.domain.document import Document
from services.domain.task import Task, TaskType
from services.evaluator.client import EvaluatorClient
from services.evaluator.leakage.planning import AuditedCorpus, LeakageSpec
from services.evaluator.planning import FidelitySpec
from services.evaluator.service import register as evaluator
from services.generator.client import GeneratorClient
from services.generator.planning import GenerationSpec
from services.generator.service import register as generator
from services.rpc.server import in_process
from services.storage.store import Store
from synthtrial import cli
from tests.unit.classifier.checkpoint import POSITIONS, tiny_checkpoint

WORDS = 100_000
# Measured on two busy cores: 1 to 20 seconds, most of it the start of a worker.
BOUND_SECONDS = 120.0
TASK = Task(TaskType.MULTI_LABEL, ("cane", "lamp"))
LONG = " ".join(f"word{(i * i) % 4999}" for i in range(WORDS))


def corpus(name: str, count: int, *longs: int) -> Corpus:
    return Corpus(
        TASK,
        tuple(
            Document(
                f"{name}{i}",
                f"{name} a {TASK.labels[i % 2]} of kind {i} {LONG if i in longs else ''}",
                (TASK.labels[i % 2],),
                f"{name}{i}",
            )
            for i in range(count)
        ),
    )


TRAIN, TEST = corpus("r", 24, 3, 4), corpus("t", 10, 5)


class Services(NamedTuple):
    store: Store
    classifier: ClassifierClient
    evaluator: EvaluatorClient
    generator: GeneratorClient


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    store = Store(tmp_path_factory.mktemp("long") / "store")
    with ExitStack() as running:
        first, second, third = (
            running.enter_context(in_process(register, store.root))
            for register in (classifier, evaluator, generator)
        )
        yield Services(store, ClassifierClient(first), EvaluatorClient(second), GeneratorClient(third))


@contextmanager
def bounded() -> Iterator[None]:
    started = time.monotonic()
    yield
    assert time.monotonic() - started < BOUND_SECONDS


# What a family says of texts that it does not read to the end; TF-IDF reads all.
SAID = {
    "tfidf_linear": {},
    "frozen_encoder": {"truncated_in_corpora": 3.0},
    "fine_tuned_encoder": {"truncated_documents": 2.0, "longest_tokens": float(POSITIONS)},
}


@pytest.mark.parametrize("family", SAID)
def test_it_is_trained_on_predicted_and_scored(family: str, services: Services, tmp_path: Path) -> None:
    parameters: dict[str, object] = {}
    if family == "fine_tuned_encoder":
        parameters = {"checkpoint": str(tiny_checkpoint(tmp_path / "tiny")), "freeze": 1, "steps": 12}
    encoder = "minilm" if family == "frozen_encoder" else ""
    with bounded():
        spec = InlineTraining(TRAIN, TEST, family, parameters, encoder=encoder, folds=2)
        (result,) = services.classifier.train(spec)
        kept = next(m for m in services.classifier.list_models() if m.family == family)
        (said,) = services.classifier.predict(kept.id, [LONG])
        ((score, *_),) = services.evaluator.score_predictions(TEST, (result,), ("micro_f1",))
    estimates = json.loads(services.store.get_arrays(result)[1]["estimates"])
    cut = {name: value for name, value in estimates.items() if name.startswith(("truncated", "longest"))}
    assert cut == SAID[family]
    assert len(said.scores) == 2 and score.sample_count == len(TEST)


def test_it_is_embedded_measured_and_audited(services: Services) -> None:
    real, written = services.store.put_corpus(TRAIN), services.store.put_corpus(corpus("s", 12, 1))
    with bounded():
        cut = services.evaluator.embed((real, written), "minilm")
        whole = services.evaluator.embed((real, written), "lsa", fit_on=real)
        ((close, repeated),) = services.evaluator.measure_fidelity(
            FidelitySpec(real, whole[0], (written,), whole[1:], ("mmd2", "distinct_2"))
        )
        parts = (AuditedCorpus("real", real), AuditedCorpus("gpt", written))
        report = services.evaluator.audit_leakage(LeakageSpec(parts))
    assert [services.store.get_arrays(one)[1]["truncated_texts"] for one in cut] == ["2", "1"]
    assert close.value is not None and repeated.value is not None
    # Nearly all of a long text is the other's: neighbours by their words.
    assert any(finding.pairs for finding in report.findings)


@pytest.mark.parametrize("backend", ["eda", "markov", "recombine", "template"])
def test_writers_learn_from_it(backend: str, services: Services) -> None:
    strategy = "paraphrase" if backend == "eda" else "label_conditioned"
    spec = GenerationSpec("g", backend, {}, strategy, 1, TASK, TRAIN, "empirical")
    with bounded():
        outcomes = list(services.generator.generate(spec, 0, 30))
    counted = [bool(o.document) + bool(o.rejection_reason) + bool(o.failure_reason) for o in outcomes]
    assert counted == [1] * 30


def test_the_command_line_audits_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = {"real": corpus("r", 110, 3), "synthetic": corpus("s", 10, 2)}
    for name, documents in files.items():
        lines = [json.dumps({"id": d.id, "text": d.text, "labels": d.labels}) for d in documents.documents]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(lines))
    options = [part for name in files for part in (f"--{name}", str(tmp_path / f"{name}.jsonl"))]
    with bounded():
        code = cli.main(
            ["audit", *options, "--replicates", "2", "--folds", "2", "--output", str(tmp_path / "out")]
        )
    assert code == 0
    assert "screening: 10 rows = " in capsys.readouterr().out
