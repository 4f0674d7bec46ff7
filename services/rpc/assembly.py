"""One server put together: handlers, guard, health, reflection, and its orderly end."""

import os
from dataclasses import dataclass
from typing import Protocol

import grpc
from grpc_health.v1 import health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from services.domain.errors import PreconditionError
from services.rpc import artifacts, limits
from services.rpc.artifacts import ArtifactServicer
from services.rpc.guard import Guard
from services.rpc.health import DrainableHealth
from services.rpc.workers import WorkerPool
from services.storage.store import Store
from synthtrial.study.v1 import artifact_pb2_grpc

REFLECTION_VARIABLE = "SYNTHTRIAL_REFLECTION"
HEALTH_NAME = "grpc.health.v1.Health"


class Register(Protocol):
    """What each `service.py` exports under the name `register`.

    It builds the servicer with its dependencies, adds it to the server and
    returns the full name of the gRPC service. It runs in the event loop.
    """

    def __call__(self, server: grpc.aio.Server, store: Store, workers: WorkerPool) -> str: ...


@dataclass(frozen=True, slots=True)
class Running:
    """A server that takes calls."""

    address: str
    server: grpc.aio.Server
    guard: Guard
    health: DrainableHealth
    workers: WorkerPool

    async def stop(self, grace_seconds: float) -> None:
        """Refuse new calls, let those in flight end for a while, then end everything."""
        self.health.drain()
        self.guard.drain()
        await self.server.stop(grace_seconds)
        await self.workers.close()


async def start(register: Register, address: str, store: Store, workers: WorkerPool) -> Running:
    """Start a server.

    Args:
        register: The service's own part.
        address: Host and port, where port 0 takes a free one, or "unix:/path".
        store: Where artifacts lie.
        workers: Where the service computes.

    Raises:
        PreconditionError: The address cannot be had.
    """
    guard = Guard()
    server = grpc.aio.server(interceptors=[guard], options=limits.SERVER_OPTIONS)
    name = register(server, store, workers)
    artifact_pb2_grpc.add_ArtifactServiceServicer_to_server(ArtifactServicer(store), server)
    health = DrainableHealth([name, artifacts.NAME])
    health_pb2_grpc.add_HealthServicer_to_server(health, server)
    if _reflects(address):
        reflection.enable_server_reflection(
            [name, artifacts.NAME, HEALTH_NAME, reflection.SERVICE_NAME], server
        )
    bound = _bind(server, address)
    await server.start()
    return Running(bound, server, guard, health, workers)


def _bind(server: grpc.aio.Server, address: str) -> str:
    try:
        port = server.add_insecure_port(address)
    except RuntimeError as error:
        raise PreconditionError(
            f"{address} cannot be listened on: another program has it, or it is not of this machine; stop that "
            "program or set LISTEN to another host:port",
            address=address,
        ) from error
    return f"{address.rpartition(':')[0]}:{port}" if address.endswith(":0") else address


def _reflects(address: str) -> bool:
    # It describes every call to whoever asks, so it stays on this machine unless asked for.
    loopback = address.startswith(("unix:", "127.", "localhost:", "[::1]:"))
    return loopback or os.environ.get(REFLECTION_VARIABLE) == "1"
