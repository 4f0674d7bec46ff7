"""What stands between the wire and a servicer, the same for every call.

Malformed requests, StudyErrors and a full house leave as rich statuses; any
other exception leaves as INTERNAL with an identifier, and the log has the
exception under that identifier.
"""

import asyncio
import contextlib
import logging
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any, NoReturn, TypeAlias

import grpc
from google.rpc import status_pb2
from grpc_status import rpc_status

from services.domain.errors import BackendUnavailableError, InvalidInputError, QueueFullError, StudyError
from services.rpc import limits, status
from services.rpc.health import PREFIX as HEALTH

log = logging.getLogger("synthtrial.rpc")

OPEN_METHODS = (HEALTH, "/grpc.reflection.")

# Generic for the type checker only.
Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class Guard(grpc.aio.ServerInterceptor):
    """Wraps every handler but health and reflection.

    Args:
        calls_in_flight: Calls beyond this many are refused at once.
    """

    def __init__(self, calls_in_flight: int = limits.CALLS_IN_FLIGHT) -> None:
        self._room = calls_in_flight
        self._draining = False
        self._watches: set[asyncio.Task[Any]] = set()

    def drain(self) -> None:
        """End the open watches as UNAVAILABLE: their clients reconnect elsewhere, or later."""
        self._draining = True
        for task in self._watches:
            task.cancel()

    async def intercept_service(
        self,
        continuation: "Callable[[grpc.HandlerCallDetails], Awaitable[Handler | None]]",
        handler_call_details: grpc.HandlerCallDetails,
    ) -> "Handler | None":
        """Return the handler with the guard around it."""
        handler = await continuation(handler_call_details)
        method = handler_call_details.method
        if handler is None or method.startswith(OPEN_METHODS):
            return handler
        if handler.response_streaming:
            return self._guard_stream(handler, method)
        return self._guard_unary(handler, method)

    def _guard_unary(self, handler: Handler, method: str) -> Handler:
        inner: Any = handler.stream_unary if handler.request_streaming else handler.unary_unary

        async def answer(request: Any, context: Context) -> Any:
            try:
                with self._admitted():
                    return await inner(_checked(request), context)
            except Exception as error:  # noqa: BLE001 - nothing may leave unmasked
                await _abort(context, error, method)

        kind: Any = (
            grpc.stream_unary_rpc_method_handler
            if handler.request_streaming
            else grpc.unary_unary_rpc_method_handler
        )
        return _rewrap(kind, answer, handler)

    def _guard_stream(self, handler: Handler, method: str) -> Handler:
        inner: Any = handler.stream_stream if handler.request_streaming else handler.unary_stream
        watch = method.rpartition("/")[2].startswith("Watch")

        async def answer(request: Any, context: Context) -> AsyncIterator[Any]:
            try:
                with self._admitted(), self._interruptible(watch):
                    # Closed here and now: a call that ends early has a job to kill.
                    async with contextlib.aclosing(inner(_checked(request), context)) as messages:
                        async for message in messages:
                            yield message
            except Exception as error:  # noqa: BLE001 - nothing may leave unmasked
                await _abort(context, error, method)

        kind: Any = (
            grpc.stream_stream_rpc_method_handler
            if handler.request_streaming
            else grpc.unary_stream_rpc_method_handler
        )
        return _rewrap(kind, answer, handler)

    @contextlib.contextmanager
    def _admitted(self) -> Iterator[None]:
        if self._room <= 0:
            raise QueueFullError("this service has as many calls in flight as it takes; try again later")
        self._room -= 1
        try:
            yield
        finally:
            self._room += 1

    @contextlib.contextmanager
    def _interruptible(self, watch: bool) -> Iterator[None]:
        task = asyncio.current_task()
        if not watch or task is None:
            yield
            return
        self._watches.add(task)
        try:
            yield
        except asyncio.CancelledError:
            if not self._draining:
                raise
            raise BackendUnavailableError("the service is stopping; watch again in a moment") from None
        finally:
            self._watches.discard(task)


class _Malformed:
    """Stands for a request that could not be decoded."""


def _tolerant(decode: Callable[[bytes], Any] | None) -> Callable[[bytes], Any] | None:
    # Raised inside grpc, a decoding error would reach the client as UNKNOWN, with its text.
    if decode is None:
        return None

    def attempt(data: bytes) -> Any:
        try:
            return decode(data)
        except Exception:  # noqa: BLE001 - whatever a decoder raises, the message is bad
            return _Malformed()

    return attempt


def _checked(request: Any) -> Any:
    if hasattr(request, "__aiter__"):
        return _checked_stream(request)
    if isinstance(request, _Malformed):
        raise InvalidInputError("the request is not a valid message of the expected type", field="request")
    return request


async def _checked_stream(requests: AsyncIterator[Any]) -> AsyncIterator[Any]:
    async for request in requests:
        yield _checked(request)


def _rewrap(kind: Any, answer: Any, handler: Handler) -> Handler:
    wrapped: Handler = kind(
        answer,
        request_deserializer=_tolerant(handler.request_deserializer),
        response_serializer=handler.response_serializer,
    )
    return wrapped


async def _abort(context: Context, error: Exception, method: str) -> NoReturn:
    if isinstance(error, grpc.aio.AbortError):
        raise error
    await _send(context, status.to_proto(error) if isinstance(error, StudyError) else _masked(error, method))


def _masked(error: Exception, method: str) -> status_pb2.Status:
    identifier = uuid.uuid4().hex[:12]
    log.error("internal error %s in %s", identifier, method, exc_info=error)
    message = f"internal error {identifier}; the log of the service tells more under this identifier"
    return status_pb2.Status(code=grpc.StatusCode.INTERNAL.value[0], message=message)


async def _send(context: Context, answer: status_pb2.Status) -> NoReturn:
    rich = rpc_status.to_status(answer)
    await context.abort(rich.code, rich.details, rich.trailing_metadata)
