"""Owns training runs: starts them in workers, renews their leases, stops them."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any, Protocol

from services.classifier.families import Family, Pretrained
from services.classifier.pool import lay_out
from services.classifier.results import RESULT_VERSION
from services.classifier.runs import RunRecord, RunState, TrainingRun, new_owner
from services.classifier.specification import TrainingSpec, check_documents, check_request
from services.domain.errors import (
    BackendUnavailableError,
    PreconditionError,
    QueueFullError,
    StudyError,
)
from services.storage.store import Store

log = logging.getLogger("synthtrial.classifier")

JOB = "services.classifier.training:train"
HEARTBEAT_SECONDS = 2.0
POLL_SECONDS = 0.1
RUNS_AT_ONCE = 128

Job = asyncio.Task[dict[str, Any]]


class Workers(Protocol):
    """Where jobs run; cancelling the await kills the job's process."""

    async def run(
        self, job: str, payload: dict[str, Any], on_progress: Callable[[dict[str, Any]], None] | None = None
    ) -> dict[str, Any]: ...


class Supervisor:
    """The training runs of one process; those of others it reads from the record."""

    def __init__(self, store: Store, workers: Workers) -> None:
        self._store, self._workers = store, workers
        self._record = RunRecord(store)
        self._owner = new_owner()
        self._tasks: set[asyncio.Task[None]] = set()

    async def create(self, spec: TrainingSpec) -> TrainingRun:
        """Return the run of a specification, started unless it runs or has succeeded.

        Raises:
            InvalidInputError: The specification cannot be trained.
            QueueFullError: Too many runs are waiting here.
        """
        family = await asyncio.to_thread(self._check, spec)
        version = f"{RESULT_VERSION}.{family.version}"
        known = self._record.find(spec.run_id)
        if known is not None and not self._startable(known, version, isinstance(family, Pretrained)):
            return known
        if len(self._tasks) >= RUNS_AT_ONCE:
            raise QueueFullError(f"{RUNS_AT_ONCE} training runs are waiting here; try again later")
        self._record.forget_request(spec.run_id)
        run = self._record.write(
            TrainingRun(spec.run_id, RunState.QUEUED, version=version, owner=self._owner)
        )
        task = asyncio.create_task(self._own(run, spec))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return run

    def get(self, run_id: str) -> TrainingRun:
        """Return a run.

        Raises:
            NotFoundError: There is none.
        """
        return self._record.get(run_id)

    async def watch(self, run_id: str) -> AsyncIterator[TrainingRun]:
        """Yield a run now and after each change, until it has ended.

        Raises:
            NotFoundError: There is none.
            BackendUnavailableError: Its owner is gone; Create takes it over.
        """
        last: TrainingRun | None = None
        while True:
            run = self._record.get(run_id)
            if run.seen() != last:
                last = run.seen()
                yield run
            if run.state.ended:
                return
            if run.stale(time.time()):
                raise BackendUnavailableError(f"nobody trains run {run_id[:12]}… any more; create it again")
            await asyncio.sleep(POLL_SECONDS)

    async def cancel(self, run_id: str) -> TrainingRun:
        """Stop a run and return it once it has stopped; an ended one stays as it is.

        Raises:
            NotFoundError: There is none.
        """
        run = self._record.get(run_id)
        if run.state.ended:
            return run
        self._record.ask_to_cancel(run_id)
        while not run.state.ended:
            if run.stale(time.time()):
                return self._record.write(replace(run, state=RunState.CANCELLED))
            await asyncio.sleep(POLL_SECONDS / 2)
            run = self._record.get(run_id)
        return run

    def _check(self, spec: TrainingSpec) -> Family:
        family, _ = check_request(spec)
        check_documents(spec, lay_out(self._store, spec.segments, spec.test, spec.task))
        return family

    def _startable(self, run: TrainingRun, version: str, pretrained: bool) -> bool:
        if run.state is RunState.SUCCEEDED:
            # A worker looks whether files outside of the store are still the same; if so it is done at once.
            return (
                pretrained
                or run.version != version
                or not all(self._store.objects.has(result.sha256) for result in run.results)
            )
        return run.state.ended or run.stale(time.time())

    async def _own(self, run: TrainingRun, spec: TrainingSpec) -> None:
        newest: dict[str, Any] = {}
        payload = {"store": str(self._store.root), "spec": spec}
        job = asyncio.create_task(self._workers.run(JOB, payload, newest.update))
        try:
            run = await self._attend(run, job, newest)
            self._conclude(run, job)
        except PreconditionError as error:
            log.warning("%s", error.message)
        except asyncio.CancelledError:
            self._record.release(run)
            raise
        finally:
            job.cancel()
            await asyncio.gather(job, return_exceptions=True)

    async def _attend(self, run: TrainingRun, job: Job, newest: dict[str, Any]) -> TrainingRun:
        while not job.done():
            await asyncio.wait([job], timeout=POLL_SECONDS)
            if self._record.asked_to_cancel(run.id) and not job.done():
                job.cancel()
                await asyncio.wait([job])
                break
            now = _progressed(run, newest)
            if now != run or abs(time.time() - run.renewed) > HEARTBEAT_SECONDS:
                self._require_ownership(run)
                run = self._record.write(now)
        return _progressed(run, newest)

    def _conclude(self, run: TrainingRun, job: Job) -> None:
        self._require_ownership(run)
        if job.cancelled():
            self._record.write(replace(run, state=RunState.CANCELLED))
            return
        error = job.exception()
        if isinstance(error, BackendUnavailableError):
            self._record.release(run)
        elif isinstance(error, StudyError):
            self._record.write(run.failed(error))
        elif error is not None:
            # What went wrong goes into the log, not to whoever asks.
            log.error("run %s failed", run.id, exc_info=error)
            self._record.write(
                run.failed(StudyError("internal error while training; the service's log tells more"))
            )
        else:
            results = tuple(job.result()["results"])
            self._record.write(replace(run, state=RunState.SUCCEEDED, done=run.total, results=results))

    def _require_ownership(self, run: TrainingRun) -> None:
        known = self._record.find(run.id)
        if known is None or known.owner != self._owner:
            raise PreconditionError(f"run {run.id[:12]}… was taken over by another replica")


def _progressed(run: TrainingRun, newest: dict[str, Any]) -> TrainingRun:
    if not newest:
        return run
    return replace(run, state=RunState.RUNNING, done=newest["done"], total=newest["total"])
