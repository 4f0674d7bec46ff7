"""The wall clock jumps an hour either way under leases and under the collection of garbage.

Measured on two cores that others used as well: 20 s.
"""

import asyncio
import os
import time
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from services.classifier import supervision
from services.classifier.runs import LEASE_SECONDS, RunRecord, RunState, TrainingRun
from services.classifier.supervision import HEARTBEAT_SECONDS, Supervisor
from services.domain.errors import BackendUnavailableError
from services.storage.store import Store
from synthtrial.collecting import SPARED_SECONDS, delete, find_garbage
from tests.faults.workload import _Here, specification

pytestmark = pytest.mark.faults

HOUR = 3600.0
ID = "0" * 64
STRANGER = "elsewhere/1/x"


class Clock:
    """The wall clock, some seconds off; the monotonic one stays right."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.off, original = 0.0, time.time
        monkeypatch.setattr(time, "time", lambda: original() + self.off)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


class Slow(_Here):
    """Trains when it is told to, and counts how many do at once."""

    def __init__(self) -> None:
        self.at_work = 0
        self.started = 0
        self.go = asyncio.Event()

    async def run(
        self, job: str, payload: dict[str, Any], on_progress: Callable[[dict[str, Any]], None] | None = None
    ) -> dict[str, Any]:
        self.started += 1
        self.at_work += 1
        try:
            await self.go.wait()
            return await super().run(job, payload, on_progress)
        finally:
            self.at_work -= 1


def in_time(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 60))


async def finished(supervisor: Supervisor, spec: Any) -> TrainingRun:
    """Create and watch until the run has ended, as a client does."""
    while True:
        created = await supervisor.create(spec)
        try:
            *_, run = [seen async for seen in supervisor.watch(created.id)]
            return run
        except BackendUnavailableError:
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("jump", [HOUR, -HOUR])
def test_a_jump_under_two_replicas_leaves_one_of_them_training(
    store: Store, clock: Clock, jump: float
) -> None:
    async def watch_both() -> None:
        workers, spec = Slow(), specification(store)
        replicas = [Supervisor(store, workers), Supervisor(store, workers)]
        clients = [asyncio.create_task(finished(replica, spec)) for replica in replicas]
        await asyncio.sleep(1)
        clock.off = jump
        # Well within the lease: whoever was taken over has noticed.
        await asyncio.sleep(3 * HEARTBEAT_SECONDS)
        assert workers.at_work == 1
        workers.go.set()
        runs = await asyncio.gather(*clients)
        assert {run.state for run in runs} == {RunState.SUCCEEDED}
        assert runs[0].results == runs[1].results
        assert workers.started <= 2

    in_time(watch_both())


def test_after_a_jump_ahead_a_dead_strangers_run_is_free_at_once(store: Store, clock: Clock) -> None:
    record = RunRecord(store)
    record.write(TrainingRun(ID, RunState.RUNNING, owner=STRANGER))
    assert not record.get(ID).stale(time.time())
    clock.off = HOUR
    assert record.get(ID).stale(time.time())


def test_after_a_jump_back_a_dead_strangers_run_is_free_after_its_lease(store: Store, clock: Clock) -> None:
    record = RunRecord(store)
    record.write(TrainingRun(ID, RunState.RUNNING, owner=STRANGER))
    clock.off = -HOUR + LEASE_SECONDS + 1
    assert record.get(ID).stale(time.time())


def test_after_a_jump_back_a_killed_neighbours_run_is_free_at_once(store: Store, clock: Clock) -> None:
    record = RunRecord(store)
    pid = os.fork()
    if not pid:
        os._exit(0)
    os.waitpid(pid, 0)
    owner = f"{os.uname().nodename}/{pid}/x"
    record.write(TrainingRun(ID, RunState.RUNNING, owner=owner))
    clock.off = -HOUR
    assert record.get(ID).stale(time.time())


def test_after_a_jump_back_the_owner_goes_on_renewing(
    store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervision, "HEARTBEAT_SECONDS", 0.2)

    async def renewed() -> None:
        workers, record = Slow(), RunRecord(store)
        run = await Supervisor(store, workers).create(specification(store))
        clock.off = -HOUR
        await asyncio.sleep(1)
        try:
            assert record.get(run.id).renewed < time.time() + 1
        finally:
            workers.go.set()
            await asyncio.sleep(1)

    in_time(renewed())


@pytest.mark.parametrize("jump", [HOUR, -HOUR])
def test_garbage_is_told_by_what_leads_to_it_whatever_the_clock_says(
    store: Store, clock: Clock, tmp_path: Path, jump: float
) -> None:
    kept = store.publish({"q": 1}, store.put_json({"kept": 1}))
    loose = store.put_json({"nobody": "asks"})
    for path in (store.root / "objects").glob("??/*"):
        os.utime(path, (time.time() + jump, time.time() + jump))

    assert find_garbage(store, tmp_path).files == ()
    clock.off = jump
    assert find_garbage(store, tmp_path).files == ()
    clock.off = SPARED_SECONDS + 2 * HOUR
    garbage = find_garbage(store, tmp_path)

    assert [path.name for path in garbage.files] == [loose.sha256]
    delete(garbage)
    assert store.get_json(kept) == {"kept": 1}


def test_an_old_object_that_a_study_stores_again_is_spared(
    store: Store, clock: Clock, tmp_path: Path
) -> None:
    store.put_json({"left": "by a study that was killed"})
    clock.off = 2 * SPARED_SECONDS
    assert find_garbage(store, tmp_path).files
    clock.off = 0.0
    (path,) = (store.root / "objects").glob("??/*")
    os.utime(path, (1000, 1000))
    store.put_json({"left": "by a study that was killed"})
    assert not find_garbage(store, tmp_path).files


def test_a_run_keeps_its_results_whatever_the_clock_says(store: Store, clock: Clock) -> None:
    async def twice() -> None:
        workers, spec = Slow(), specification(store)
        workers.go.set()
        first = await finished(Supervisor(store, workers), spec)
        clock.off = -HOUR
        again = await finished(Supervisor(store, workers), spec)
        assert replace(again, renewed=0, owner="") == replace(first, renewed=0, owner="")
        assert workers.started == 1

    in_time(twice())
