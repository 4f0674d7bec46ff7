"""Each service as a program of its own: health, reflection, a call without stubs, its example, its end."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.message_factory import GetMessageClass
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from services.rpc.channel import channel, forget, wait_until_ready
from tests.integration.stubs import free_port

ROOT = Path(__file__).parents[2]
TASK = {"type": "TASK_TYPE_MULTI_LABEL", "labels": ["cane", "lamp"]}
TEXTS = ["a cane that folds at the grip", "a lamp that hangs at the door", "a cane that carries a lamp"]
LABELS = [["cane"], ["lamp"], ["cane", "lamp"]]


def inline(name: str, times: int = 1) -> dict[str, Any]:
    documents = [
        {"id": f"{name}{i}", "text": f"{TEXTS[i % 3]} {'again ' * (i // 3)}", "labels": LABELS[i % 3]}
        for i in range(3 * times)
    ]
    return {"inline": {"task": TASK, "documents": documents}}


@dataclass(frozen=True)
class Trial:
    """A call as somebody with grpcurl makes it, what it answers, and what the example prints."""

    name: str
    method: str
    request: dict[str, Any]
    answers: str
    prints: str

    @property
    def full_name(self) -> str:
        return f"synthtrial.{self.name}.v1.{self.name.capitalize()}Service"


MARKOV = {"backend": "markov", "task": TASK, "real": inline("r", 4), "labelSource": "LABEL_SOURCE_EMPIRICAL"}
ROWS = {"rows": list(range(30)), "weights": [1] * 30, "scored": True}
TRAINING = {
    "task": TASK,
    "family": "tfidf_linear",
    "segments": [inline("r", 10)],
    "plans": [{"stages": [{"parts": [ROWS]}]}],
    "test": inline("t", 2),
    "foldCount": 3,
}
EMBEDDING = {"corpora": [inline("s", 2)], "fitOn": inline("r", 10), "encoder": "lsa"}
INDEX = {"retriever": "jaccard", "task": TASK, "segments": [{"corpus": inline("r")}]}
TRIALS = [
    Trial("generator", "Generate", {"spec": MARKOV, "count": 3}, "modelRevision", "cane + hearing aid:"),
    Trial("classifier", "CreateTrainingRun", {"spec": TRAINING}, "TRAINING_STATE", "worn in the ear'"),
    Trial("evaluator", "Embed", EMBEDDING, "encoderRevision", "far: mmd2"),
    Trial("retrieval", "BuildIndex", {"spec": INDEX}, "indexId", "query0: real2 1.00"),
]


@dataclass(frozen=True)
class Service:
    trial: Trial
    address: str
    environment: dict[str, str]
    process: subprocess.Popen[bytes]


def command(name: str) -> list[str]:
    return [sys.executable, "-m", f"services.{name}"]


@contextlib.contextmanager
def running(trial: Trial, store: Path) -> Iterator[Service]:
    address = f"127.0.0.1:{free_port()}"
    environment = {
        **os.environ,
        "LISTEN": address,
        "PYTHONPATH": str(ROOT),
        "SYNTHTRIAL_DIE_WITH_PARENT": "1",
        "SYNTHTRIAL_STORE": str(store),
    }
    with subprocess.Popen(command(trial.name), cwd=ROOT, env=environment) as process:
        try:
            wait_until_ready(address, 30)
            yield Service(trial, address, environment, process)
        finally:
            process.kill()
            forget(address)


@pytest.fixture(scope="module", params=TRIALS, ids=lambda trial: trial.name)
def service(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running(request.param, tmp_path_factory.mktemp("store")) as service:
        yield service


def test_it_is_healthy_as_a_whole_and_by_name(service: Service) -> None:
    health: Any = health_pb2_grpc.HealthStub(channel(service.address))
    for name in ("", service.trial.full_name):
        answer = health.Check(health_pb2.HealthCheckRequest(service=name), timeout=5)
        assert answer.status == health_pb2.HealthCheckResponse.SERVING


def test_reflection_alone_is_enough_to_call_it(service: Service) -> None:
    known: Any = ProtoReflectionDescriptorDatabase(channel(service.address))
    assert service.trial.full_name in known.get_services()
    assert service.trial.answers in reflected_call(service, known)


def reflected_call(service: Service, known: Any) -> str:
    """Call as grpcurl does: no stub of ours, only what the service says about itself."""
    described = DescriptorPool(known).FindServiceByName(service.trial.full_name)
    method = described.methods_by_name[service.trial.method]
    open_channel: Any = channel(service.address)
    connect = open_channel.unary_stream if method.server_streaming else open_channel.unary_unary
    call = connect(
        f"/{described.full_name}/{method.name}",
        request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=GetMessageClass(method.output_type).FromString,
    )
    request = ParseDict(service.trial.request, GetMessageClass(method.input_type)())
    answer = call(request, timeout=30)
    messages = list(answer) if method.server_streaming else [answer]
    return json.dumps([MessageToDict(message) for message in messages])


def test_its_example_runs_with_inline_data(service: Service) -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / f"{service.trial.name}.py"), service.address],
        check=False,
        env=service.environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert service.trial.prints in done.stdout


def test_a_second_one_on_its_port_says_what_would_do(service: Service) -> None:
    second = subprocess.run(
        command(service.trial.name),
        check=False,
        cwd=ROOT,
        env=service.environment,
        capture_output=True,
        timeout=60,
    )
    assert second.returncode == 98
    assert f"{service.address} cannot be listened on" in second.stderr.decode()
    assert "set LISTEN to another host:port" in second.stderr.decode()


@pytest.mark.parametrize("trial", TRIALS, ids=lambda trial: trial.name)
def test_asked_to_stop_it_ends_with_zero(trial: Trial, tmp_path: Path) -> None:
    with running(trial, tmp_path) as service:
        service.process.terminate()
        assert service.process.wait(30) == 0
