"""The standard health service, with watches that end when the server drains."""

import asyncio
from collections.abc import AsyncIterator, Iterable

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

PREFIX = "/grpc.health.v1.Health/"


class DrainableHealth(health_pb2_grpc.HealthServicer):
    """Answers for the process ("") and for the services in it.

    grpcio's own servicer keeps a watch open during the drain, and one open
    watch holds the server for its whole grace period.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._names = {"", *names}
        self._draining = asyncio.Event()

    def drain(self) -> None:
        """Report NOT_SERVING from now on and end every watch."""
        self._draining.set()

    async def Check(
        self,
        request: health_pb2.HealthCheckRequest,
        context: grpc.aio.ServicerContext[health_pb2.HealthCheckRequest, health_pb2.HealthCheckResponse],
    ) -> health_pb2.HealthCheckResponse:
        """Return the state of one service."""
        if request.service not in self._names:
            await context.abort(grpc.StatusCode.NOT_FOUND, "no such service")
        return self._state(request.service)

    async def Watch(
        self,
        request: health_pb2.HealthCheckRequest,
        context: grpc.aio.ServicerContext[health_pb2.HealthCheckRequest, health_pb2.HealthCheckResponse],
    ) -> AsyncIterator[health_pb2.HealthCheckResponse]:
        """Stream the state now, then the drain."""
        yield self._state(request.service)
        await self._draining.wait()
        yield self._state(request.service)

    def _state(self, name: str) -> health_pb2.HealthCheckResponse:
        states = health_pb2.HealthCheckResponse
        if name not in self._names:
            return states(status=states.SERVICE_UNKNOWN)
        return states(status=states.NOT_SERVING if self._draining.is_set() else states.SERVING)
