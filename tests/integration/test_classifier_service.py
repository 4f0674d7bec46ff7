"""The classifier over the wire, in this process and as a program of its own."""

import contextlib
import dataclasses
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from services.classifier.client import ClassifierClient
from services.classifier.runs import RunState, TrainingRun
from services.classifier.service import register
from services.classifier.specification import TrainingSpec
from services.domain.corpus import Corpus
from services.domain.errors import (
    InvalidInputError,
    NotFoundError,
    RunCancelledError,
)
from services.domain.plan import Stage, TrainingPlan
from services.domain.task import Task
from services.rpc.channel import channel, invoke, invoke_stream, wait_until_ready
from services.rpc.convert import corpus_to_proto, task_to_proto
from services.rpc.server import in_process
from services.storage.store import Store
from synthtrial.classifier.v1 import classifier_pb2, classifier_pb2_grpc
from synthtrial.study.v1 import corpus_pb2
from tests.unit.classifier.separable import (
    LABELS,
    MULTI,
    SINGLE,
    embed,
    part,
    plan,
    separable_corpus,
    separable_spec,
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store(tmp_path_factory.mktemp("classifier") / "store")


@pytest.fixture(scope="module")
def address(store: Store) -> Iterator[str]:
    with in_process(register, store.root, threads=2) as address:
        yield address


@pytest.fixture
def client(address: str) -> ClassifierClient:
    return ClassifierClient(address)


def slow_spec(store: Store, seed: int, count: int = 1500) -> TrainingSpec:
    """Return a run of several seconds: many plans, each different."""
    spec = separable_spec(store, MULTI, "tfidf_linear", seed=seed)
    plans = tuple(plan(part(spec.segments[0], range(60), weight=1 + i / 1000)) for i in range(count))
    return dataclasses.replace(spec, plans=plans)


def test_a_run_is_trained_and_its_progress_seen(client: ClassifierClient, store: Store) -> None:
    spec, seen = separable_spec(store, MULTI, "tfidf_linear"), list[TrainingRun]()
    results = client.train(spec, seen.append)
    assert [store.get_arrays(r)[1]["plan"] for r in results] == [p.digest for p in spec.plans]
    assert seen[-1].state is RunState.SUCCEEDED
    assert (seen[-1].done, seen[-1].total) == (2, 2)
    assert client.get(spec.run_id).results == results


def test_errors_of_create_cross_the_wire(client: ClassifierClient, store: Store) -> None:
    spec = separable_spec(store, MULTI, "tfidf_linear", parameters={"depth": 3})
    with pytest.raises(InvalidInputError, match="it has: C, min_df, ngrams") as caught:
        client.train(spec)
    assert caught.value.field == "parameters.depth"
    with pytest.raises(NotFoundError):
        client.get("0" * 64)


def test_errors_of_the_worker_cross_the_wire(client: ClassifierClient, store: Store) -> None:
    spec = separable_spec(store, MULTI, "frozen_encoder")
    broken = embed(separable_corpus(MULTI, 60, "train"))
    broken[5, 3] = np.nan
    embeddings = {**spec.embeddings, spec.segments[0].sha256: store.put_arrays({"embeddings": broken}, {})}
    with pytest.raises(InvalidInputError, match="row 5"):
        client.train(dataclasses.replace(spec, embeddings=embeddings))


def test_a_cancelled_run_stops_within_a_second_and_goes_on_later(
    client: ClassifierClient, store: Store
) -> None:
    spec = slow_spec(store, seed=1)
    client.create(spec)
    for run in client.watch(spec.run_id):
        if run.done > 0:
            break
    started = time.monotonic()
    run = client.cancel(spec.run_id)
    assert time.monotonic() - started < 1
    assert run.state is RunState.CANCELLED
    assert 0 < run.done < run.total
    again = next(r for r in _watch_new(client, spec) if r.total)
    assert again.done >= run.done
    client.cancel(spec.run_id)


def _watch_new(client: ClassifierClient, spec: TrainingSpec) -> Iterator[TrainingRun]:
    yield from client.watch(client.create(spec).id)


def test_who_waits_for_a_cancelled_run_is_told(client: ClassifierClient, store: Store) -> None:
    spec = slow_spec(store, seed=2)

    def cancel_at_work(run: TrainingRun) -> None:
        if run.done > 0 and not run.state.ended:
            client.cancel(run.id)

    with pytest.raises(RunCancelledError, match="was cancelled after"):
        client.train(spec, cancel_at_work)


@pytest.mark.parametrize("task", [MULTI, SINGLE], ids=["multi-label", "single-label"])
def test_kept_models_predict(client: ClassifierClient, store: Store, task: Task) -> None:
    spec = separable_spec(store, task, "tfidf_linear", keep_models=True)
    results = client.train(spec)
    models = [model for model in client.list_models() if model.task == task]
    assert len(models) >= 2
    scores = [store.get_arrays(client.predict_corpus(m.id, spec.test))[0]["scores"] for m in models]
    expected = [store.get_arrays(r)[0]["test_scores"] for r in results]
    assert all(any(np.allclose(s, e, atol=1e-5) for s in scores) for e in expected)
    said = client.predict(models[0].id, ["a wheelchair wheelchair", "hearing hearing"])
    assert [p.labels for p in said] == [("wheelchair",), ("hearing",)]
    assert said[0].scores[3] == max(said[0].scores)


def test_models_are_kept_only_when_asked_for(client: ClassifierClient, store: Store) -> None:
    spec = separable_spec(store, MULTI, "tfidf_linear", seed=4)
    before = len(client.list_models())
    client.train(spec)
    assert len(client.list_models()) == before
    client.train(dataclasses.replace(spec, keep_models=True))
    assert len(client.list_models()) == before + 2


def test_predict_refuses_unknown_models_and_blank_texts(client: ClassifierClient, store: Store) -> None:
    with pytest.raises(NotFoundError, match="keep_models"):
        client.predict("0" * 64, ["text"])
    client.train(separable_spec(store, MULTI, "tfidf_linear", keep_models=True))
    with pytest.raises(InvalidInputError, match="no text"):
        client.predict(client.list_models()[0].id, ["text", " "])


def test_families_describe_their_parameters(client: ClassifierClient) -> None:
    families = {f.name: f for f in client.list_families()}
    assert {"tfidf_linear", "frozen_encoder"} <= set(families)
    assert "C" in str(families["tfidf_linear"].parameters_schema)
    assert {"asymmetric", "focal", "log_loss"} <= set(families["tfidf_linear"].objectives)
    assert families["tfidf_linear"].stages == 1
    assert families["fine_tuned_encoder"].stages > 1


def test_a_mistyped_objective_is_refused_with_a_proposal(client: ClassifierClient, store: Store) -> None:
    spec = separable_spec(store, MULTI, "tfidf_linear")
    fokal = TrainingPlan((Stage(spec.plans[0].stages[0].parts, "fokal"),))
    with pytest.raises(InvalidInputError, match="did you mean 'focal'") as caught:
        client.train(dataclasses.replace(spec, plans=(fokal,)))
    assert caught.value.field == "plans[0].stages[0].objective"


def test_objectives_are_trained_over_the_wire(client: ClassifierClient, store: Store) -> None:
    spec = separable_spec(store, MULTI, "tfidf_linear")
    parts = spec.plans[0].stages[0].parts
    plans = tuple(TrainingPlan((Stage(parts, name),)) for name in ("log_loss", "asymmetric(clip=0)"))
    plain, shaped = client.train(dataclasses.replace(spec, plans=plans))
    scores = [store.get_arrays(result)[0]["test_scores"] for result in (plain, shaped)]
    assert np.abs(scores[0] - scores[1]).max() > 0.05


def test_a_corpus_with_other_labels_than_the_models_is_refused(
    client: ClassifierClient, store: Store
) -> None:
    client.train(separable_spec(store, MULTI, "tfidf_linear", keep_models=True))
    kept = next(model for model in client.list_models() if model.task == MULTI)
    other = Task(MULTI.type, (*LABELS, "lift"))
    corpus = Corpus(other, separable_corpus(MULTI, 12, "other").documents)
    with pytest.raises(InvalidInputError, match=r"predicts 4 labels .* has 5") as caught:
        client.predict_corpus(kept.id, store.put_corpus(corpus))
    assert caught.value.field == "artifact"


def inline_request() -> classifier_pb2.CreateTrainingRunRequest:
    train, test = (
        corpus_to_proto(separable_corpus(MULTI, n, name)) for n, name in ((60, "train"), (40, "test"))
    )
    rows = classifier_pb2.Part(rows=range(60), weights=[1.0] * 60, scored=True)
    spec = classifier_pb2.TrainingSpec(
        task=task_to_proto(MULTI),
        family="tfidf_linear",
        segments=[corpus_pb2.CorpusSource(inline=train)],
        plans=[classifier_pb2.TrainingPlan(stages=[classifier_pb2.Stage(parts=[rows])])],
        test=corpus_pb2.CorpusSource(inline=test),
        fold_count=3,
    )
    return classifier_pb2.CreateTrainingRunRequest(spec=spec)


def test_corpora_may_come_with_the_request(address: str, store: Store) -> None:
    stub = classifier_pb2_grpc.ClassifierServiceStub(channel(address))
    run = invoke(stub.CreateTrainingRun, inline_request(), address).run
    watched = invoke_stream(stub.WatchTrainingRun, classifier_pb2.WatchTrainingRunRequest(id=run.id), address)
    last = list(watched)[-1].run
    assert last.state == classifier_pb2.TRAINING_STATE_SUCCEEDED
    assert store.get_arrays(last.results[0].sha256)[0]["test_scores"].shape == (40, len(LABELS))


@pytest.mark.parametrize("text", ["{", "[]", "3"])
def test_parameters_that_are_no_object_are_refused(address: str, text: str) -> None:
    request = inline_request()
    request.spec.parameters_json = text
    stub = classifier_pb2_grpc.ClassifierServiceStub(channel(address))
    with pytest.raises(InvalidInputError) as caught:
        invoke(stub.CreateTrainingRun, request, address)
    assert caught.value.field == "parameters_json"


@contextlib.contextmanager
def program(store: Store, port: int) -> Iterator[subprocess.Popen[bytes]]:
    environment = {
        **os.environ,
        "LISTEN": f"127.0.0.1:{port}",
        "SYNTHTRIAL_STORE": str(store.root),
        "SYNTHTRIAL_DIE_WITH_PARENT": "1",
    }
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-m", "services.classifier"], env=environment, cwd=root
    ) as process:
        try:
            wait_until_ready(f"127.0.0.1:{port}", 30)
            yield process
        finally:
            process.kill()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_killed_service_loses_no_finished_plan(store: Store) -> None:
    few, port = slow_spec(store, seed=3, count=200), free_port()
    answers: list[int] = []
    with program(store, port) as process:
        client = ClassifierClient(f"127.0.0.1:{port}")
        waiting = threading.Thread(target=lambda: answers.append(len(client.train(few))))
        waiting.start()
        while client.create(few).done < 1:
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
        process.wait()
    with program(store, port):
        waiting.join(40)
    assert answers == [200]
