"""Runs over a fake worker: states, leases, takeover, cancellation."""

import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import replace
from typing import Any

import pytest

from services.classifier import supervision
from services.classifier.families import FAMILIES
from services.classifier.families.tfidf_linear import TfidfLinear
from services.classifier.runs import LEASE_SECONDS, RunRecord, RunState, TrainingRun
from services.classifier.specification import TrainingSpec
from services.classifier.supervision import Supervisor
from services.domain.errors import (
    BackendUnavailableError,
    DataLossError,
    InvalidInputError,
    NotFoundError,
    QueueFullError,
    WorkerDiedError,
)
from services.storage.store import Store
from tests.unit.classifier.separable import MULTI, separable_spec

# A run that is not stopped lasts an hour; a loaded machine may take some seconds to stop one.
PATIENCE_SECONDS = 10


class FakeWorkers:
    """Reports one of two plans, then ends as it was told: with results, an error, or never.

    With `held` it waits for `release` before each of the two.
    """

    def __init__(
        self, store: Store, error: BaseException | None = None, hang: bool = False, held: bool = False
    ) -> None:
        self._result, self._error, self._hang = store.put_json("result"), error, hang
        self._held, self.release = held, asyncio.Semaphore(0)
        self.started = asyncio.Event()
        self.jobs = 0
        self.killed = 0

    async def run(
        self, job: str, payload: dict[str, Any], on_progress: Callable[[dict[str, Any]], None] | None = None
    ) -> dict[str, Any]:
        self.jobs += 1
        self.started.set()
        assert on_progress is not None
        try:
            await self._step()
            on_progress({"done": 1, "total": 2})
            await (asyncio.sleep(3600) if self._hang else self._step())
        except asyncio.CancelledError:
            self.killed += 1
            raise
        if self._error is not None:
            raise self._error
        return {"results": [self._result, self._result]}

    async def _step(self) -> None:
        if self._held:
            await self.release.acquire()


@pytest.fixture
def spec(store: Store) -> TrainingSpec:
    return separable_spec(store, MULTI, "tfidf_linear")


def states(runs: list[TrainingRun]) -> list[tuple[RunState, int, int]]:
    return [(run.state, run.done, run.total) for run in runs]


async def collect(runs: AsyncIterator[TrainingRun]) -> list[TrainingRun]:
    return [run async for run in runs]


async def create_and_watch(supervisor: Supervisor, spec: TrainingSpec) -> list[TrainingRun]:
    run = await supervisor.create(spec)
    return await collect(supervisor.watch(run.id))


def finish(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(asyncio.wait_for(work, 20))


def test_a_run_is_queued_runs_and_succeeds(store: Store, spec: TrainingSpec) -> None:
    workers = FakeWorkers(store, held=True)

    async def work() -> list[TrainingRun]:
        supervisor, runs = Supervisor(store, workers), list[TrainingRun]()
        created = await supervisor.create(spec)
        async for run in supervisor.watch(created.id):
            # What comes next waits until this was seen.
            runs.append(run)
            workers.release.release()
        return runs

    runs = finish(work())
    assert states(runs) == [(RunState.QUEUED, 0, 0), (RunState.RUNNING, 1, 2), (RunState.SUCCEEDED, 2, 2)]
    assert len(runs[-1].results) == 2


class Reader(TfidfLinear):
    """A family that says it reads a file."""

    def revision(self, parameters: object) -> str:
        return "as of today"


def test_files_outside_of_the_store_are_looked_at_again(
    store: Store, spec: TrainingSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    FAMILIES.names()
    monkeypatch.setitem(FAMILIES._entries, "reader", Reader())
    workers = FakeWorkers(store)

    async def work() -> list[TrainingRun]:
        supervisor = Supervisor(store, workers)
        await create_and_watch(supervisor, replace(spec, family="reader"))
        return await create_and_watch(supervisor, replace(spec, family="reader"))

    assert finish(work())[-1].state is RunState.SUCCEEDED
    assert workers.jobs == 2


def test_a_repeated_create_trains_once(store: Store, spec: TrainingSpec) -> None:
    workers = FakeWorkers(store)

    async def work() -> None:
        supervisor = Supervisor(store, workers)
        first, second = await asyncio.gather(supervisor.create(spec), supervisor.create(spec))
        assert first.id == second.id == spec.run_id
        await collect(supervisor.watch(spec.run_id))
        assert (await Supervisor(store, workers).create(spec)).state is RunState.SUCCEEDED

    finish(work())
    assert workers.jobs == 1


def test_a_removed_result_is_trained_again(store: Store, spec: TrainingSpec) -> None:
    workers = FakeWorkers(store)
    last = finish(create_and_watch(Supervisor(store, workers), spec))[-1]
    store.objects.quarantine(last.results[0].sha256)
    assert finish(Supervisor(store, workers).create(spec)).state is RunState.QUEUED


def test_results_of_an_older_algorithm_are_trained_again(
    store: Store, spec: TrainingSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish(create_and_watch(Supervisor(store, FakeWorkers(store)), spec))
    monkeypatch.setattr(supervision, "RESULT_VERSION", 99)
    assert finish(Supervisor(store, FakeWorkers(store)).create(spec)).state is RunState.QUEUED


@pytest.mark.parametrize("error", [WorkerDiedError("SIGKILL"), DataLossError("damaged", sha256="ab")])
def test_a_failed_run_says_why_and_starts_again(store: Store, spec: TrainingSpec, error: Exception) -> None:
    last = finish(create_and_watch(Supervisor(store, FakeWorkers(store, error)), spec))[-1]
    assert (last.state, last.error_message) == (RunState.FAILED, str(error))
    assert last.error_reason in ("WORKER_DIED", "DATA_LOSS")
    again = finish(create_and_watch(Supervisor(store, FakeWorkers(store)), spec))[-1]
    assert (again.state, again.error_message) == (RunState.SUCCEEDED, "")


def test_an_internal_error_does_not_tell_its_text(store: Store, spec: TrainingSpec) -> None:
    workers = FakeWorkers(store, RuntimeError("/secret/path"))
    last = finish(create_and_watch(Supervisor(store, workers), spec))[-1]
    assert last.state is RunState.FAILED
    assert "secret" not in last.error_message


async def start_and_cancel(
    store: Store, spec: TrainingSpec, workers: FakeWorkers, other: bool
) -> TrainingRun:
    supervisor = Supervisor(store, workers)
    await supervisor.create(spec)
    await workers.started.wait()
    started = time.monotonic()
    run = await (Supervisor(store, workers) if other else supervisor).cancel(spec.run_id)
    assert time.monotonic() - started < PATIENCE_SECONDS
    assert (await supervisor.cancel(spec.run_id)).state is RunState.CANCELLED
    return run


@pytest.mark.parametrize("other", [False, True], ids=["owner", "another replica"])
def test_cancel_kills_the_worker_at_once(store: Store, spec: TrainingSpec, other: bool) -> None:
    workers = FakeWorkers(store, hang=True)
    run = finish(start_and_cancel(store, spec, workers, other))
    assert (run.state, workers.killed) == (RunState.CANCELLED, 1)


def test_a_cancelled_run_starts_again(store: Store, spec: TrainingSpec) -> None:
    finish(start_and_cancel(store, spec, FakeWorkers(store, hang=True), other=False))
    last = finish(create_and_watch(Supervisor(store, FakeWorkers(store)), spec))[-1]
    assert last.state is RunState.SUCCEEDED


def test_a_stale_lease_is_taken_over_and_a_live_one_is_not(
    store: Store, spec: TrainingSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = RunRecord(store)
    left = record.write(TrainingRun(spec.run_id, RunState.RUNNING, 1, 2, owner="killed"))
    workers = FakeWorkers(store)
    assert finish(Supervisor(store, workers).create(spec)) == left
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + LEASE_SECONDS + 1)
    with pytest.raises(BackendUnavailableError, match="create it again"):
        finish(collect(Supervisor(store, workers).watch(spec.run_id)))
    assert finish(Supervisor(store, workers).create(spec)).state is RunState.QUEUED
    assert workers.jobs == 1


def test_a_dead_owner_on_this_machine_is_not_waited_for(store: Store, spec: TrainingSpec) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    owner = f"{socket.gethostname()}/{ended.pid}/x"
    RunRecord(store).write(TrainingRun(spec.run_id, RunState.RUNNING, 1, 2, owner=owner))
    assert finish(Supervisor(store, FakeWorkers(store)).create(spec)).state is RunState.QUEUED


def test_a_replica_that_lost_its_lease_stops(store: Store, spec: TrainingSpec) -> None:
    workers = FakeWorkers(store, hang=True)

    async def work() -> None:
        supervisor = Supervisor(store, workers)
        run = await supervisor.create(spec)
        record = RunRecord(store)
        record.write(replace(run, owner="another"))
        while not workers.killed:
            await asyncio.sleep(0.05)
        assert record.get(run.id).owner == "another"

    finish(work())


def test_a_stopping_service_gives_its_runs_back(store: Store, spec: TrainingSpec) -> None:
    workers = FakeWorkers(store, BackendUnavailableError("the service is stopping"))

    async def work() -> None:
        supervisor = Supervisor(store, workers)
        await supervisor.create(spec)
        with pytest.raises(BackendUnavailableError, match="create it again"):
            await collect(supervisor.watch(spec.run_id))

    finish(work())
    last = finish(create_and_watch(Supervisor(store, FakeWorkers(store)), spec))[-1]
    assert last.state is RunState.SUCCEEDED


def test_bad_requests_leave_no_run(store: Store, spec: TrainingSpec) -> None:
    supervisor = Supervisor(store, FakeWorkers(store))
    with pytest.raises(InvalidInputError):
        finish(supervisor.create(replace(spec, family="perceptron")))
    with pytest.raises(NotFoundError):
        supervisor.get(spec.run_id)


def test_too_many_runs_are_refused(store: Store, spec: TrainingSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervision, "RUNS_AT_ONCE", 1)

    async def work() -> None:
        supervisor = Supervisor(store, FakeWorkers(store, hang=True))
        await supervisor.create(spec)
        with pytest.raises(QueueFullError):
            await supervisor.create(replace(spec, seed=8))

    finish(work())


def test_unknown_runs_are_not_found(store: Store) -> None:
    with pytest.raises(NotFoundError, match="create it"):
        Supervisor(store, FakeWorkers(store)).get("0" * 64)


@pytest.mark.parametrize("name", ["missing", "../keys/ab", "", "a" * 5000, "A" * 64])
def test_what_cannot_be_a_run_is_refused(store: Store, name: str) -> None:
    with pytest.raises(InvalidInputError, match="64 lower-case") as caught:
        Supervisor(store, FakeWorkers(store)).get(name)
    assert caught.value.field == "id"
