import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.wrappers_pb2 import StringValue
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from services.domain.errors import BackendUnavailableError, QueueFullError
from services.rpc.channel import channel, forget, invoke, invoke_stream, is_serving, wait_until_ready
from services.rpc.guard import Guard
from services.rpc.limits import CALLS_IN_FLIGHT
from tests.unit.rpc.echo import NAME, EchoStub

Start = Callable[..., subprocess.Popen[bytes]]
ROOT = Path(__file__).parents[3]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started: list[subprocess.Popen[bytes]] = []

    def start(listen: str, **variables: str) -> subprocess.Popen[bytes]:
        environment = {
            **os.environ,
            "LISTEN": listen,
            "SYNTHTRIAL_STORE": str(tmp_path / "store"),
            **variables,
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.unit.rpc.echo"], cwd=ROOT, env=environment, stderr=subprocess.PIPE
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    address = f"unix:{tmp_path}/socket"
    yield address
    forget(address)


def test_a_service_answers_alone_with_health_and_reflection(start: Start, address: str) -> None:
    start(address)
    wait_until_ready(address, 20)
    health: Any = health_pb2_grpc.HealthStub(channel(address))
    for name in ("", NAME):
        answer = health.Check(health_pb2.HealthCheckRequest(service=name), timeout=5)
        assert answer.status == health_pb2.HealthCheckResponse.SERVING
    asked = iter([reflection_pb2.ServerReflectionRequest(list_services="")])
    reflection: Any = reflection_pb2_grpc.ServerReflectionStub(channel(address))
    services = next(iter(reflection.ServerReflectionInfo(asked, timeout=5))).list_services_response.service
    assert NAME in {service.name for service in services}


def test_drain_ends_open_watches_and_exits_with_zero(start: Start, address: str) -> None:
    process = start(address)
    wait_until_ready(address, 20)
    health: Any = health_pb2_grpc.HealthStub(channel(address))
    states = health.Watch(health_pb2.HealthCheckRequest(), timeout=30)
    assert next(states).status == health_pb2.HealthCheckResponse.SERVING
    watch = invoke_stream(EchoStub(channel(address)).watch, StringValue(value="run"), address)
    assert next(watch).value == "run"
    begin = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert next(states).status == health_pb2.HealthCheckResponse.NOT_SERVING
    with pytest.raises(BackendUnavailableError):
        next(watch)
    # The watch itself would last a minute.
    assert process.wait(15) == 0
    assert time.monotonic() - begin < 15


def test_calls_in_flight_end_within_the_grace(start: Start, address: str) -> None:
    process = start(address, SYNTHTRIAL_GRACE_SECONDS="0.2")
    wait_until_ready(address, 20)
    call = EchoStub(channel(address)).unary.future(StringValue(value="slow"), timeout=20)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    assert call.exception(timeout=5) is not None
    assert process.wait(5) == 0
    assert not is_serving(address)


def test_a_taken_port_is_said_and_has_its_exit_code(start: Start) -> None:
    first = start("127.0.0.1:0")
    assert first.stderr is not None
    found = re.search(rb"listening on (127.0.0.1:\d+)", first.stderr.readline())
    assert found is not None
    second = start(found[1].decode())
    _, said = second.communicate(timeout=20)
    assert second.returncode == 98
    assert b"another program has it" in said
    assert b"LISTEN" in said


def test_a_service_can_end_with_its_parent(tmp_path: Path) -> None:
    environment = {**os.environ, "LISTEN": "127.0.0.1:0", "SYNTHTRIAL_STORE": str(tmp_path)}
    environment["SYNTHTRIAL_DIE_WITH_PARENT"] = "1"
    script = (
        "import subprocess, sys; p = subprocess.Popen([sys.executable, '-m', 'tests.unit.rpc.echo'],"
        " stderr=subprocess.PIPE); p.stderr.readline(); print(p.pid, flush=True); import os; os._exit(0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment, stdout=subprocess.PIPE, check=True
    )
    _wait_for(lambda: not _runs(int(done.stdout)))


def test_calls_beyond_the_limit_are_refused_with_a_delay() -> None:
    guard = Guard(calls_in_flight=1)
    with guard._admitted(), pytest.raises(QueueFullError), guard._admitted():
        pass
    with guard._admitted():
        pass


def test_cancelling_a_call_cancels_its_handler(start: Start, address: str) -> None:
    start(address)
    wait_until_ready(address, 20)
    stub = EchoStub(channel(address))
    # All the room there is for calls at once, taken and given back.
    calls = [stub.unary.future(StringValue(value="slow"), timeout=20) for _ in range(CALLS_IN_FLIGHT)]
    for call in calls:
        call.cancel()
        assert call.cancelled()
    _wait_for(lambda: _has_room(stub, address))


def _has_room(stub: EchoStub, address: str) -> bool:
    try:
        return bool(invoke(stub.unary, StringValue(value="next"), address).value == "next")
    except QueueFullError:
        return False


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def _wait_for(condition: Callable[[], bool], seconds: float = 15.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)
