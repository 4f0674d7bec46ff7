"""A service small enough to see the wire through: texts in, texts or errors out."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
from google.protobuf.wrappers_pb2 import StringValue

from services.domain import errors
from services.rpc.streaming import progress_stream
from services.rpc.workers import WorkerPool
from services.storage.store import Store

NAME = "synthtrial.test.Echo"

ERRORS = {
    "invalid": errors.InvalidInputError("no label 'boat'", field="spec.labels[2]", label="boat"),
    "missing": errors.NotFoundError("no backend 'x'; there are: markov", name="x"),
    "precondition": errors.PreconditionError("one class only"),
    "changed": errors.ArtifactChangedError("other bytes", uri="store://a", expected="a", found="b"),
    "loss": errors.DataLossError("object a is damaged", sha256="a"),
    "unavailable": errors.BackendUnavailableError("the model server is down", backend="tgi"),
    "full": errors.QueueFullError("too much waits", waiting="9"),
    "cancelled": errors.RunCancelledError("somebody cancelled the run", run="r"),
    "died": errors.WorkerDiedError("the worker ended", job="j"),
    "plain": errors.StudyError("something else"),
}


class Echo:
    """Answers with what it got, or fails as it is told."""

    def __init__(self, workers: WorkerPool) -> None:
        self.workers = workers

    async def unary(self, request: StringValue, context: Any) -> StringValue:
        if request.value == "slow":
            await asyncio.sleep(30)
        if request.value == "work":
            await self.workers.run("tests.unit.rpc.jobs:sleep", {"seconds": 30})
        _raise(request.value)
        return request

    async def stream(self, request: StringValue, context: Any) -> AsyncIterator[StringValue]:
        yield request
        if request.value == "work":
            job = progress_stream(self.workers, "tests.unit.rpc.jobs:sleep", {"seconds": 60})
            async for _, content in job:
                yield StringValue(value=str(content["pid"]))
        _raise(request.value)

    async def watch(self, request: StringValue, context: Any) -> AsyncIterator[StringValue]:
        yield request
        await asyncio.sleep(60)

    async def collect(self, requests: AsyncIterator[StringValue], context: Any) -> StringValue:
        return StringValue(value="".join([request.value async for request in requests]))


def _raise(value: str) -> None:
    if value in ERRORS:
        raise ERRORS[value]
    if value == "bug":
        raise RuntimeError("the password is hunter2")


def register(server: grpc.aio.Server, store: Store, workers: WorkerPool) -> str:
    echo = Echo(workers)
    codec: dict[str, Any] = {
        "request_deserializer": StringValue.FromString,
        "response_serializer": StringValue.SerializeToString,
    }
    handlers: dict[str, Any] = {
        "Unary": grpc.unary_unary_rpc_method_handler(echo.unary, **codec),
        "Stream": grpc.unary_stream_rpc_method_handler(echo.stream, **codec),
        "Watch": grpc.unary_stream_rpc_method_handler(echo.watch, **codec),
        "Collect": grpc.stream_unary_rpc_method_handler(echo.collect, **codec),
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(NAME, handlers),))
    return NAME


class EchoStub:
    """The methods of the service on a channel."""

    def __init__(self, channel: grpc.Channel) -> None:
        codec: dict[str, Any] = {
            "request_serializer": StringValue.SerializeToString,
            "response_deserializer": StringValue.FromString,
        }
        self.unary: Any = channel.unary_unary(f"/{NAME}/Unary", **codec)
        self.stream: Any = channel.unary_stream(f"/{NAME}/Stream", **codec)
        self.watch: Any = channel.unary_stream(f"/{NAME}/Watch", **codec)
        self.collect: Any = channel.stream_unary(f"/{NAME}/Collect", **codec)
        self.garbage: Any = channel.unary_unary(f"/{NAME}/Unary")


if __name__ == "__main__":
    from services.rpc.server import serve

    serve(register, "echo")
