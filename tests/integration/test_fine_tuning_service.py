"""Fine-tuning over the wire: trained, kept, asked; refused in words; out of memory."""

import dataclasses
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from services.classifier.client import ClassifierClient
from services.classifier.runs import RunState
from services.classifier.service import register
from services.domain.errors import PreconditionError, WorkerDiedError
from services.rpc.server import in_process
from services.storage.store import Store
from tests.unit.classifier.checkpoint import tiny_checkpoint
from tests.unit.classifier.separable import LABELS, MULTI, separable_spec


@pytest.fixture
def client(store: Store) -> Iterator[ClassifierClient]:
    with in_process(register, store.root, threads=1) as address:
        yield ClassifierClient(address)


def test_a_fine_tuned_model_is_trained_kept_and_asked(
    client: ClassifierClient, store: Store, tmp_path: Path
) -> None:
    checkpoint = str(tiny_checkpoint(tmp_path / "tiny"))
    parameters = {
        "checkpoint": checkpoint,
        "freeze": 1,
        "steps": 60,
        "learning_rate": 2e-3,
        "head_factor": 100.0,
    }
    spec = separable_spec(store, MULTI, "fine_tuned_encoder", parameters=parameters, keep_models=True)
    results = client.train(dataclasses.replace(spec, plans=spec.plans[:1]))
    kept = next(model for model in client.list_models() if model.family == "fine_tuned_encoder")
    scores = store.get_arrays(client.predict_corpus(kept.id, spec.test))[0]["scores"]
    assert scores == pytest.approx(store.get_arrays(results[0])[0]["test_scores"], abs=1e-5)
    (said,) = client.predict(kept.id, ["a wheelchair wheelchair"])
    assert said.scores.index(max(said.scores)) == LABELS.index("wheelchair")


def test_a_checkpoint_that_cannot_be_had_fails_the_run_in_words(
    client: ClassifierClient, store: Store
) -> None:
    parameters = {"checkpoint": "nobody/nothing-at-all"}
    spec = separable_spec(store, MULTI, "fine_tuned_encoder", parameters=parameters)
    with pytest.raises(PreconditionError, match="name a local folder") as caught:
        client.train(spec)
    assert caught.value.metadata["field"] == "parameters.checkpoint"


def test_a_worker_out_of_memory_fails_its_run_alone(
    client: ClassifierClient, store: Store, tmp_path: Path
) -> None:
    """The kernel kills the process that is out of memory; here we do."""
    parameters = {"checkpoint": str(tiny_checkpoint(tmp_path / "tiny")), "freeze": 1, "steps": 20_000}
    run = client.create(separable_spec(store, MULTI, "fine_tuned_encoder", parameters=parameters))
    while client.get(run.id).state is not RunState.RUNNING:
        time.sleep(0.05)
    for worker in psutil.Process().children(recursive=True):
        if "services.rpc.worker" in worker.cmdline():
            worker.kill()
    ended = list(client.watch(run.id))[-1]
    assert (ended.state, ended.error_reason) == (RunState.FAILED, WorkerDiedError.reason)
    assert "memory ran out" in ended.error_message
    assert client.train(separable_spec(store, MULTI, "tfidf_linear", seed=11))
