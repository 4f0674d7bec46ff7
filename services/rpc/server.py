"""The one way to start a service: on its own, or inside the caller's process."""

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import TypeVar

import uvloop

from services.domain.errors import PreconditionError
from services.rpc import limits
from services.rpc.assembly import Register, Running, start
from services.rpc.channel import forget
from services.rpc.worker import die_with_parent
from services.rpc.workers import WorkerPool
from services.storage.store import Store

log = logging.getLogger("synthtrial.rpc")

DEFAULT_PORTS = {"generator": 50051, "classifier": 50052, "evaluator": 50053, "retrieval": 50054}
ADDRESS_TAKEN = 98
ENVIRONMENT = (
    "Runs until SIGTERM or SIGINT. It is set by the environment: LISTEN (host:port, by default the service's port on "
    "127.0.0.1), SYNTHTRIAL_STORE (a folder), SYNTHTRIAL_THREADS (CPU threads of a worker), SYNTHTRIAL_WORKERS "
    "(processes, 1), SYNTHTRIAL_GRACE_SECONDS (for calls in flight), SYNTHTRIAL_DIE_WITH_PARENT=1."
)

T = TypeVar("T")


def serve(register: Register, name: str) -> None:
    """Run a service until SIGTERM or SIGINT, then drain and exit with 0; `ENVIRONMENT` says what it reads.

    Args:
        register: The service's own part.
        name: Its folder's name, which decides the default port.
    """
    # It takes no arguments, and says so instead of starting all the same.
    parser = argparse.ArgumentParser(prog=f"python -m services.{name}", description=ENVIRONMENT)
    parser.parse_args()
    logging.basicConfig(level=logging.INFO, format=f"%(asctime)s {name} %(levelname)s %(message)s")
    if os.environ.get("SYNTHTRIAL_DIE_WITH_PARENT") == "1":
        die_with_parent(os.getppid(), signal.SIGTERM)
    uvloop.install()
    sys.exit(asyncio.run(_serve(register, name)))


@contextlib.contextmanager
def in_process(
    register: Register, store_root: str | Path, threads: int = 1, workers: int = 1
) -> Iterator[str]:
    """Run the real server of a service in this process and yield its private address.

    It shares one background thread with others started this way, so that it
    works in a script, a notebook and a Prefect task alike.

    Args:
        register: The service's own part.
        store_root: The store's folder.
        threads: CPU threads of a worker process.
        workers: Worker processes.
    """
    with tempfile.TemporaryDirectory(prefix="synthtrial-") as folder:
        address = f"unix:{folder}/socket"
        running = _in_background(_start(register, address, Store(store_root), workers, threads))
        try:
            yield address
        finally:
            forget(address)
            _in_background(running.stop(0.0))


async def _serve(register: Register, name: str) -> int:
    address = os.environ.get("LISTEN", f"127.0.0.1:{DEFAULT_PORTS.get(name, 0)}")
    threads = int(os.environ.get("SYNTHTRIAL_THREADS", os.cpu_count() or 1))
    workers = int(os.environ.get("SYNTHTRIAL_WORKERS", "1"))
    try:
        running = await _start(register, address, Store.from_environment(), workers, threads)
    except PreconditionError as error:
        log.error("%s", error.message)
        return ADDRESS_TAKEN
    log.info("listening on %s", running.address)
    await _asked_to_stop()
    log.info("draining")
    await running.stop(float(os.environ.get("SYNTHTRIAL_GRACE_SECONDS", limits.GRACE_SECONDS)))
    return 0


async def _start(register: Register, address: str, store: Store, workers: int, threads: int) -> Running:
    # Inside the loop that will run the jobs.
    return await start(register, address, store, WorkerPool(workers, threads))


async def _asked_to_stop() -> None:
    asked = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, asked.set)
    await asked.wait()


class _Background:
    """One event loop in a daemon thread, for the life of the process.

    One loop for all servers: grpc.aio has one completion queue per process,
    over which several loops would compete.
    """

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, name="synthtrial-services", daemon=True).start()


_background: _Background | None = None
_background_lock = threading.Lock()


def _in_background(work: Coroutine[None, None, T]) -> T:
    global _background
    with _background_lock:
        if _background is None or _background.pid != os.getpid():
            _background = _Background()
    return asyncio.run_coroutine_threadsafe(work, _background.loop).result()
