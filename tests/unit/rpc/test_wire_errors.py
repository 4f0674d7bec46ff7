from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from google.protobuf.wrappers_pb2 import StringValue

from services.domain.errors import BackendUnavailableError, InvalidInputError, StudyError
from services.rpc import status
from services.rpc.channel import channel, invoke, invoke_stream
from services.rpc.server import in_process
from synthtrial.evaluator.v1.correlation_pb2 import CorrelateGainsRequest
from synthtrial.evaluator.v1.evaluator_pb2_grpc import EvaluatorServiceStub
from synthtrial.generator.v1.generator_pb2 import GenerateRequest
from synthtrial.generator.v1.generator_pb2_grpc import GeneratorServiceStub
from tests.unit.rpc.echo import ERRORS, EchoStub, register


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with in_process(register, tmp_path_factory.mktemp("store")) as address:
        yield address


@pytest.fixture
def stub(address: str) -> EchoStub:
    return EchoStub(channel(address))


def test_calls_of_all_kinds_answer(stub: EchoStub, address: str) -> None:
    assert invoke(stub.unary, StringValue(value="a"), address).value == "a"
    assert [m.value for m in invoke_stream(stub.stream, StringValue(value="b"), address)] == ["b"]
    parts = iter([StringValue(value="c"), StringValue(value="d")])
    assert invoke(stub.collect, parts, address).value == "cd"


@pytest.mark.parametrize("name", [name for name in ERRORS if name != "unavailable"])
def test_every_error_survives_a_unary_call(stub: EchoStub, address: str, name: str) -> None:
    with pytest.raises(StudyError) as caught:
        invoke(stub.unary, StringValue(value=name), address)
    _assert_same(caught.value, ERRORS[name])


@pytest.mark.parametrize("name", list(ERRORS))
def test_every_error_survives_a_stream(stub: EchoStub, address: str, name: str) -> None:
    answers = invoke_stream(stub.stream, StringValue(value=name), address)
    assert next(answers).value == name
    with pytest.raises(StudyError) as caught:
        next(answers)
    _assert_same(caught.value, ERRORS[name])


def test_unavailable_backend_is_retried_and_then_told(stub: EchoStub, address: str) -> None:
    with pytest.raises(BackendUnavailableError, match="the model server is down"):
        invoke(stub.unary, StringValue(value="unavailable"), address)


def test_every_error_class_has_a_code_and_a_reason_of_its_own() -> None:
    kinds = [StudyError]
    for kind in kinds:
        kinds.extend(kind.__subclasses__())
    ours = {kind for kind in kinds if kind.__module__ == StudyError.__module__}
    assert ours == set(status.CODES)
    assert len({kind.reason for kind in ours}) == len(ours)


def test_a_bug_leaves_as_an_identifier_only(stub: EchoStub, address: str) -> None:
    with pytest.raises(StudyError, match=r"internal error [0-9a-f]{12}") as caught:
        invoke(stub.unary, StringValue(value="bug"), address)
    assert "hunter2" not in str(caught.value)
    with pytest.raises(grpc.RpcError) as raw:
        stub.unary(StringValue(value="bug"), timeout=5)
    assert "hunter2" not in repr(raw.value)


def test_garbage_is_an_invalid_request(stub: EchoStub, address: str) -> None:
    with pytest.raises(InvalidInputError, match="not a valid message"):
        invoke(stub.garbage, b"\xff\xff\xff", address)


def test_an_unknown_method_says_so(address: str) -> None:
    method: Any = channel(address).unary_unary("/synthtrial.test.Echo/Nothing")
    with pytest.raises(StudyError, match="does not know this call"):
        invoke(method, b"", address)


def test_a_long_error_still_fits_the_metadata() -> None:
    metadata = {f"key{i}": "ж" * 500 for i in range(40)}
    proto = status.to_proto(InvalidInputError("ж" * 5000, field="f", **metadata))
    assert proto.ByteSize() < 4000
    assert isinstance(status.from_proto(proto), InvalidInputError)


def test_a_stopped_service_is_reported_quickly(tmp_path_factory: pytest.TempPathFactory) -> None:
    with in_process(register, tmp_path_factory.mktemp("store")) as gone:
        pass
    with pytest.raises(BackendUnavailableError, match="make up"):
        invoke(EchoStub(channel(gone)).unary, StringValue(value="a"), gone, timeout=10)


def test_an_absent_service_is_called_by_its_name() -> None:
    nowhere = "127.0.0.1:1"
    evaluator, generator = EvaluatorServiceStub(channel(nowhere)), GeneratorServiceStub(channel(nowhere))
    with pytest.raises(BackendUnavailableError, match=r"or `python -m services\.evaluator`, or give another"):
        invoke(evaluator.CorrelateGains, CorrelateGainsRequest(), nowhere, timeout=10)
    with pytest.raises(BackendUnavailableError, match=r"or `python -m services\.generator`, or give another"):
        next(invoke_stream(generator.Generate, GenerateRequest(), nowhere, timeout=10))


def test_an_absent_service_of_nobody_has_no_name() -> None:
    echo = EchoStub(channel("127.0.0.1:1"))
    for method, request in ((echo.unary, StringValue()), (echo.collect, iter([StringValue()]))):
        with pytest.raises(BackendUnavailableError, match="with `make up`, or give another"):
            invoke(method, request, "127.0.0.1:1", timeout=10)


def _assert_same(found: StudyError, expected: StudyError) -> None:
    assert type(found) is type(expected)
    assert found.message == expected.message
    assert found.metadata == expected.metadata
