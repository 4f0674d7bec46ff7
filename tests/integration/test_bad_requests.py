"""Requests that are refused by real services: the right status, the field, and what would do."""

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import grpc
import pytest

from services.domain.corpus import Corpus
from services.domain.errors import InvalidInputError, StudyError
from services.domain.task import Task
from services.generator.simulation.taxonomy import load_taxonomy
from services.rpc.status import code_of
from tests.integration.asked import TASK, Services, asked, corpus, fidelity
from tests.unit.classifier.separable import (
    LABELS,
    MULTI,
    SINGLE,
    part,
    plan,
    separable_corpus,
    separable_spec,
)

STATUS = grpc.StatusCode


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    with asked(tmp_path_factory.mktemp("asked")) as services:
        yield services


class Bad(NamedTuple):
    """What is asked, its status and field, and what the message says."""

    ask: Callable[[Services], object]
    status: STATUS
    field: str
    says: str


def pickled(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def cut_short(folder: Path) -> None:
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[: len(whole) // 2])


def other_labels(*labels: str) -> Callable[[Services], object]:
    """Ask a model of LABELS about a corpus of others."""

    def ask(services: Services) -> object:
        services.linear(keep_models=True)
        kept = next(m for m in services.classifier.list_models() if m.task == MULTI)
        documents = [
            dataclasses.replace(d, labels=labels[:1]) for d in separable_corpus(MULTI, 12, "o").documents
        ]
        other = Corpus(Task(MULTI.type, labels), tuple(documents))
        return services.classifier.predict_corpus(kept.id, services.store.put_corpus(other))

    return ask


def weighted(weight: float) -> Callable[[Services], object]:
    def ask(services: Services) -> object:
        spec = separable_spec(services.store, MULTI, "tfidf_linear")
        heavy = plan(part(spec.segments[0], range(60), weight=weight))
        return services.classifier.train(dataclasses.replace(spec, plans=(heavy, *spec.plans)))

    return ask


INVALID, FAILED = STATUS.INVALID_ARGUMENT, STATUS.FAILED_PRECONDITION
CHECKPOINT = "parameters.checkpoint"
CASES: dict[str, Bad] = {
    "checkpoint that is not there": Bad(
        lambda s: s.fine_tune("/no/such/folder"),
        INVALID,
        CHECKPOINT,
        "there is no folder '/no/such/folder'; give one",
    ),
    "checkpoint on a hub without network": Bad(
        lambda s: s.fine_tune("nobody/nothing"), FAILED, CHECKPOINT, "`hf download nobody/nothing`"
    ),
    "corrupt checkpoint": Bad(
        lambda s: s.fine_tune(s.damaged("corrupt", cut_short)), FAILED, CHECKPOINT, "cannot be read"
    ),
    "pickled checkpoint": Bad(
        lambda s: s.fine_tune(s.damaged("pickled", pickled)),
        FAILED,
        CHECKPOINT,
        "has only pytorch_model.bin, a pickle, which could run code; safetensors are needed: convert it",
    ),
    "more labels than the model": Bad(
        other_labels(*LABELS, "lift"),
        INVALID,
        "artifact",
        "predicts 4 labels (multi_label), and the corpus has 5 (multi_label): 'lift' is not among the 4; give a corpus "
        "of the model's task",
    ),
    "fewer labels than the model": Bad(
        other_labels(*LABELS[:3]),
        INVALID,
        "artifact",
        "the corpus has 3 (multi_label): 'wheelchair' is missing",
    ),
    "as many labels, but others": Bad(
        other_labels(*LABELS[:3], "lift"),
        INVALID,
        "artifact",
        "'lift' is not among the 4 and 'wheelchair' is missing",
    ),
    "the model's labels in another order": Bad(
        other_labels(*LABELS[::-1]), INVALID, "artifact", "the labels are the same in another order"
    ),
    "a strength without end": Bad(
        lambda s: s.linear(parameters={"C": float("inf")}),
        INVALID,
        "parameters.C",
        "'C' is a finite number, not inf",
    ),
    "a strength beyond 32 bits": Bad(
        lambda s: s.linear(parameters={"C": 1e-40}),
        INVALID,
        "parameters.C",
        "C has to be above 0, from 1e-09 to 1e+09",
    ),
    "a step without end": Bad(
        lambda s: s.fine_tune(s.checkpoint, learning_rate=float("inf")),
        INVALID,
        "parameters.learning_rate",
        "finite number",
    ),
    "a loss that is no number": Bad(
        lambda s: s.fine_tune(s.checkpoint, learning_rate=1e30, precision="fp32"),
        FAILED,
        "parameters.learning_rate",
        "the loss is nan at step 2 of stage 1 in fp32; lower learning_rate",
    ),
    "embeddings without end": Bad(
        lambda s: s.frozen(float("inf")), INVALID, "embeddings[", "is not finite in 60 rows, first in row 0"
    ),
    "embeddings whose squares have no end": Bad(
        lambda s: s.frozen(1e25), INVALID, "embeddings[", "scale the vectors, to unit length"
    ),
    "weights whose sum has no end": Bad(
        weighted(3e38),
        FAILED,
        "",
        "plan 0: the sum of the weights of a linear model is 1.8e+40: features, weights or C",
    ),
    "an encoder that has to be fitted": Bad(
        lambda s: s.classifier.train(
            separable_spec(s.store, MULTI, "frozen_encoder", embeddings={}, encoder="lsa")
        ),
        INVALID,
        "encoder",
        "'lsa' learns from training texts, which a training run does not name; embed the corpora with the evaluator",
    ),
    "a genre without sentences": Bad(
        lambda s: s.write("template", genre="haiku"),
        INVALID,
        "genre",
        "no sentences for genre 'haiku'; there are: abstract",
    ),
    "a genre that no simulated writer knows": Bad(
        lambda s: s.write(
            "simulator", genre="haiku", task=load_taxonomy().task(), real=None, label_source="backend"
        ),
        INVALID,
        "genre",
        "'haiku'",
    ),
    "a message beyond its limit": Bad(
        lambda s: s.evaluator.embed(
            [
                Corpus(
                    TASK, tuple(dataclasses.replace(d, text="word " * 100_000) for d in corpus("x").documents)
                )
            ],
            "lsa",
        ),
        INVALID,
        "request",
        "store or upload large corpora (`upload_artifact`) and name the artifacts",
    ),
    "a metric below its minimum": Bad(
        lambda s: s.evaluator.measure_fidelity(fidelity(s, 1, ("mmd2",))),
        INVALID,
        "corpora[0]",
        "mmd2 needs at least 2 documents, and corpora[0] has 1: leave it out or add documents",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_it_is_refused_with_status_field_and_what_would_do(case: str, services: Services) -> None:
    bad = CASES[case]
    with pytest.raises(StudyError) as caught:
        bad.ask(services)
    assert code_of(caught.value) is bad.status, caught.value.message
    assert bad.says in caught.value.message
    found = caught.value.metadata.get("field", "")
    assert found.startswith(bad.field) if bad.field else not found


def test_single_and_multi_label_tasks_are_told_apart(services: Services) -> None:
    services.linear(keep_models=True)
    kept = next(m for m in services.classifier.list_models() if m.task == MULTI)
    with pytest.raises(InvalidInputError, match="it is a single_label task, not a multi_label one"):
        services.classifier.predict_corpus(
            kept.id, services.store.put_corpus(separable_corpus(SINGLE, 12, "s"))
        )
