"""Synchronous channels to the services, and calls that raise StudyErrors."""

import os
import re
import threading
from collections.abc import Iterator
from typing import Any, Protocol, TypeVar

import grpc
from google.protobuf.message import Message
from grpc_health.v1 import health_pb2

from services.rpc import limits
from services.rpc.status import from_call

_channels: dict[tuple[int, str], grpc.Channel] = {}
_lock = threading.Lock()
_OURS = re.compile(r"synthtrial\.(generator|classifier|evaluator|retrieval)\.v\d+")

Request_contra = TypeVar("Request_contra", contravariant=True)
Response_co = TypeVar("Response_co", covariant=True)


class Unary(Protocol[Request_contra, Response_co]):
    """A method of a stub with one answer."""

    def __call__(self, request: Request_contra, /, timeout: float | None = None) -> Response_co: ...


class ServerStream(Protocol[Request_contra, Response_co]):
    """A method of a stub with a stream of answers."""

    def __call__(self, request: Request_contra, /, timeout: float | None = None) -> "Call[Response_co]": ...


class Call(Protocol[Response_co]):
    """A stream of answers that can be cancelled."""

    def __iter__(self) -> Iterator[Response_co]: ...

    def __next__(self) -> Response_co: ...

    def cancel(self) -> bool: ...


def channel(address: str) -> grpc.Channel:
    """Return this process's one channel to an address.

    Args:
        address: What grpc understands: "127.0.0.1:50051", "dns:///generator:50051", "unix:/path".
    """
    key = (os.getpid(), address)
    with _lock:
        if key not in _channels:
            _channels[key] = grpc.insecure_channel(address, options=limits.CHANNEL_OPTIONS)
        return _channels[key]


def forget(address: str) -> None:
    """Close this process's channel to an address that will not be used again."""
    with _lock:
        stale = _channels.pop((os.getpid(), address), None)
    if stale is not None:
        stale.close()


def invoke(
    method: "Unary[Request_contra, Response_co]",
    request: Request_contra,
    address: str,
    timeout: float = limits.CALL_SECONDS,
) -> Response_co:
    """Make a call with one answer.

    Args:
        method: A method of a stub.
        request: Its message, or the messages of a client stream.
        address: Where the stub's channel goes, for the error message.
        timeout: Seconds; give `limits.WORK_SECONDS` where the answer has to be computed.

    Raises:
        StudyError: What the service raised, or `BackendUnavailableError` where it cannot be reached.
    """
    try:
        return method(request, timeout=timeout)
    except grpc.RpcError as error:
        raise from_call(error, address, _service_of(request)) from None


def invoke_stream(
    method: "ServerStream[Request_contra, Response_co]",
    request: Request_contra,
    address: str,
    timeout: float = limits.WORK_SECONDS,
) -> Iterator[Response_co]:
    """Make a call with a stream of answers; closing the iterator cancels the call.

    Raises:
        StudyError: As `invoke`, while iterating.
    """
    call = method(request, timeout=timeout)
    try:
        yield from call
    except grpc.RpcError as error:
        raise from_call(error, address, _service_of(request)) from None
    finally:
        call.cancel()


def wait_until_ready(address: str, timeout: float) -> None:
    """Wait for a service to accept calls.

    Raises:
        BackendUnavailableError: It did not within `timeout` seconds.
    """
    try:
        _check(address, timeout, wait_for_ready=True)
    except grpc.RpcError as error:
        raise from_call(error, address) from None


def is_serving(address: str, timeout: float = 2.0) -> bool:
    """Return whether a service answers and takes calls."""
    try:
        answer = _check(address, timeout, wait_for_ready=False)
    except grpc.RpcError:
        return False
    return answer.status == health_pb2.HealthCheckResponse.SERVING


def _service_of(request: object) -> str:
    """Return the package under `services` that takes a request; "" for streams and for messages of no service."""
    if not isinstance(request, Message):
        return ""
    found = _OURS.fullmatch(request.DESCRIPTOR.file.package)
    return found[1] if found else ""


def _check(address: str, timeout: float, wait_for_ready: bool) -> health_pb2.HealthCheckResponse:
    ask: Any = channel(address).unary_unary(
        "/grpc.health.v1.Health/Check",
        request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
        response_deserializer=health_pb2.HealthCheckResponse.FromString,
    )
    answer: health_pb2.HealthCheckResponse = ask(
        health_pb2.HealthCheckRequest(), timeout=timeout, wait_for_ready=wait_for_ready
    )
    return answer
