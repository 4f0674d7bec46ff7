"""Worker processes: where everything that takes time is computed.

A job can be killed, which is how cancellation takes effect at once and how a
worker that runs out of memory takes nothing with it. Processes are started
with a module of ours, never by multiprocessing, which would run the user's
notebook or script again.
"""

import asyncio
import contextlib
import itertools
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import services
from services.domain.environment import PLACE_VARIABLE
from services.domain.errors import BackendUnavailableError, QueueFullError, StudyError, WorkerDiedError
from services.rpc import limits
from services.rpc.worker import HEADER_BYTES, decode, encode

JOB_PACKAGES = ("services.",)
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "RAYON_NUM_THREADS",
    "SYNTHTRIAL_THREADS",
)

LESS = "ask again for less at a time (a smaller regime, shorter documents) or with fewer SYNTHTRIAL_WORKERS"

Progress = Callable[[dict[str, Any]], None]


class WorkerPool:
    """Runs jobs in processes that stay warm between jobs.

    Args:
        count: Processes at most; further jobs wait.
        threads: CPU threads of each process.
        waiting: Jobs that may wait before the next one is refused.
    """

    def __init__(self, count: int, threads: int, waiting: int = limits.JOBS_WAITING) -> None:
        self.count = count
        self.threads = threads
        self._slots = asyncio.Semaphore(count)
        self._room = count + waiting
        self._idle: list[_Worker] = []
        self._busy: set[_Worker] = set()
        self._starting: set[int] = set()
        self._closed = False

    async def run(
        self, job: str, payload: dict[str, Any], on_progress: Progress | None = None
    ) -> dict[str, Any]:
        """Run a job and return its result; cancelling the await kills its process.

        Args:
            job: "module:function" of a function `(payload, report) -> result` in `services`.
            payload: What the function gets; plain values and our own dataclasses.
            on_progress: Called in the event loop with every dict the job reports.

        Raises:
            StudyError: Whatever the job raised.
            WorkerDiedError: The process ended in the middle of the job.
            QueueFullError: Too many jobs are waiting.
            BackendUnavailableError: The pool is closed, or was while the job ran.
        """
        if not job.startswith(JOB_PACKAGES):
            raise ValueError(f"a job has to be a function in services, not {job!r}")
        if self._room <= 0:
            raise QueueFullError("as many jobs are waiting as this service takes; try again later")
        self._room -= 1
        try:
            async with self._slots:
                return await self._run(job, payload, on_progress)
        finally:
            self._room += 1

    async def close(self) -> None:
        """Kill every process; jobs in the middle fail as BackendUnavailableError."""
        self._closed = True
        workers = [*self._idle, *self._busy]
        self._idle.clear()
        for worker in workers:
            worker.kill()
        await asyncio.gather(*(worker.ended() for worker in workers))

    async def _run(self, job: str, payload: dict[str, Any], on_progress: Progress | None) -> dict[str, Any]:
        worker = await self._take()
        if self._closed:
            worker.kill()
            raise _stopping()
        self._busy.add(worker)
        try:
            kind, content = await worker.ask(job, payload, on_progress)
        except (asyncio.IncompleteReadError, ConnectionError):
            raise await self._death(worker, job) from None
        except BaseException:
            worker.kill()
            raise
        finally:
            self._busy.discard(worker)
        if self._closed:
            raise _stopping()
        if kind == "out_of_memory":
            # What it still holds goes with it.
            worker.kill()
            raise _lost(f"memory ran out ({content[:200]})", job, content, LESS)
        self._idle.append(worker)
        return _result(job, kind, content)

    async def _take(self) -> "_Worker":
        while self._idle:
            worker = self._idle.pop()
            if worker.alive:
                return worker
            worker.kill()
        place = self._free_place()
        self._starting.add(place)
        try:
            return await _Worker.start(self.threads, place)
        finally:
            self._starting.discard(place)

    def _free_place(self) -> int:
        """Return the smallest number that no worker has, so that as many as there are devices have one each."""
        taken = {worker.place for worker in (*self._idle, *self._busy)} | self._starting
        return next(number for number in itertools.count() if number not in taken)

    async def _death(self, worker: "_Worker", job: str) -> StudyError:
        await worker.last_moments()
        code = await worker.ended()
        if self._closed:
            return _stopping()
        how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        if code == -signal.SIGKILL:
            cause = f"the worker process was killed ({how}), usually by the kernel because memory ran out,"
            return _lost(cause, job, how, LESS)
        return _lost(f"the worker process ended ({how})", job, how, "its last words are in the service's log")


class _Worker:
    """One process and our end of its socket pair."""

    def __init__(
        self,
        place: int,
        process: subprocess.Popen[bytes],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self.place = place
        self._process = process
        self._reader = reader
        self._writer = writer
        self._reaped: asyncio.Future[int] | None = None

    @classmethod
    async def start(cls, threads: int, place: int) -> "_Worker":
        """Start a process and connect to it."""
        ours, theirs = socket.socketpair()
        with theirs:
            # First the connection, then the process: a cancelled await leaves no process behind.
            reader, writer = await asyncio.open_unix_connection(sock=ours, limit=limits.MEBIBYTE)
            process = _spawn(theirs.fileno(), threads, place)
        return cls(place, process, reader, writer)

    @property
    def alive(self) -> bool:
        """Whether the process runs; says nothing about what it does."""
        return self._reaped is None and self._process.poll() is None

    async def ask(self, job: str, payload: dict[str, Any], on_progress: Progress | None) -> tuple[str, Any]:
        """Send a job and return its last message, handing on the progress before it."""
        self._writer.write(encode((job, payload)))
        await self._writer.drain()
        while True:
            header = await self._reader.readexactly(HEADER_BYTES)
            kind, content = decode(await self._reader.readexactly(int.from_bytes(header, "big")))
            if kind != "progress":
                return kind, content
            if on_progress is not None:
                on_progress(content)

    def kill(self) -> None:
        """End the process and all it started, at once."""
        self._writer.close()
        if self._process.returncode is None:
            # It leads a group of its own; the group may be gone already.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        if self._reaped is None:
            self._reaped = asyncio.get_running_loop().run_in_executor(None, self._process.wait)

    async def last_moments(self) -> None:
        """Let a process that closed its end of the pipe end by itself; killed, it would not say how it ended."""
        for _ in range(100):
            if _is_gone(self._process.pid):
                return
            await asyncio.sleep(0.01)

    async def ended(self) -> int:
        """Wait for the end of a process that was killed or has died, and return its exit code."""
        self.kill()
        assert self._reaped is not None
        return await self._reaped


def _spawn(descriptor: int, threads: int, place: int) -> subprocess.Popen[bytes]:
    root = str(Path(services.__file__).parents[1])
    environment = {**dict.fromkeys(THREAD_VARIABLES, str(threads)), PLACE_VARIABLE: str(place)}
    search = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH", "")]))
    return subprocess.Popen(
        # -P: a file in the user's folder must not stand in for a module of the standard library.
        [sys.executable, "-P", "-m", "services.rpc.worker", str(descriptor), str(os.getpid())],
        env={**os.environ, **environment, "PYTHONPATH": search, "TOKENIZERS_PARALLELISM": "false"},
        pass_fds=[descriptor],
        stdin=subprocess.DEVNULL,
        # What a library prints belongs into the service's log, which is its standard error.
        stdout=2,
        start_new_session=True,
    )


def _is_gone(pid: int) -> bool:
    """Say whether a child has ended, leaving it unreaped so that its group can still be killed."""
    try:
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return True


def _lost(cause: str, job: str, how: str, advice: str) -> WorkerDiedError:
    return WorkerDiedError(
        f"{cause} in the middle of {job}; other jobs go on, and what this one had finished is kept: {advice}",
        job=job,
        ended=how,
    )


def _result(job: str, kind: str, content: Any) -> dict[str, Any]:
    if kind == "study_error":
        raise content
    if kind == "failure":
        raise RuntimeError(f"{job} failed in its worker:\n{content}")
    return dict(content)


def _stopping() -> StudyError:
    return BackendUnavailableError("the service is stopping; ask again in a moment")
