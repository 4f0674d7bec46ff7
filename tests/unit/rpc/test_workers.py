import asyncio
import os
import signal
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from services.domain.errors import BackendUnavailableError, InvalidInputError, QueueFullError, WorkerDiedError
from services.rpc import workers
from services.rpc.workers import WorkerPool

JOBS = "tests.unit.rpc.jobs:"


@pytest.fixture(autouse=True)
def _test_jobs_are_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "JOB_PACKAGES", ("tests.unit.rpc.",))


def with_pool(
    test: Callable[[WorkerPool], Coroutine[None, None, None]], count: int = 1, waiting: int = 8
) -> None:
    async def run() -> None:
        pool = WorkerPool(count, threads=1, waiting=waiting)
        try:
            await test(pool)
        finally:
            await pool.close()

    asyncio.run(run())


def test_a_process_stays_warm_and_has_its_thread_budget() -> None:
    async def check(pool: WorkerPool) -> None:
        first = await pool.run(JOBS + "echo", {"text": "ж"})
        second = await pool.run(JOBS + "echo", {})
        assert first["got"] == {"text": "ж"}
        assert first["pid"] == second["pid"] != os.getpid()
        assert first["threads"] == "1"

    with_pool(check)


def test_workers_that_run_at_once_have_places_of_their_own_and_leave_them_behind() -> None:
    async def check(pool: WorkerPool) -> None:
        first: list[dict[str, Any]] = []
        second: list[dict[str, Any]] = []
        running = [
            asyncio.create_task(pool.run(JOBS + "sleep", {"seconds": 60}, seen.append))
            for seen in (first, second)
        ]
        while not (first and second):
            await asyncio.sleep(0.01)
        assert {first[0]["place"], second[0]["place"]} == {"0", "1"}
        running[0].cancel()
        await _gone(first[0]["pid"])
        # The other keeps its place; the next worker takes the one that was left.
        assert (await pool.run(JOBS + "echo", {}))["place"] == first[0]["place"]
        running[1].cancel()

    with_pool(check, count=2)


def test_progress_arrives_in_order() -> None:
    async def check(pool: WorkerPool) -> None:
        seen: list[dict[str, Any]] = []
        await pool.run(JOBS + "count", {"steps": 3}, seen.append)
        assert seen == [{"done": 1}, {"done": 2}, {"done": 3}]

    with_pool(check)


def test_prints_and_large_results_do_not_disturb_the_pipe() -> None:
    async def check(pool: WorkerPool) -> None:
        assert len((await pool.run(JOBS + "talk", {}))["big"]) == 8 << 20

    with_pool(check)


def test_errors_cross_and_leave_the_process_alive() -> None:
    async def check(pool: WorkerPool) -> None:
        before = await pool.run(JOBS + "echo", {})
        with pytest.raises(InvalidInputError, match="not like this") as caught:
            await pool.run(JOBS + "refuse", {})
        with pytest.raises(RuntimeError, match="a bug"):
            await pool.run(JOBS + "fail", {})
        assert caught.value.field == "payload"
        assert (await pool.run(JOBS + "echo", {}))["pid"] == before["pid"]

    with_pool(check)


def test_cancelling_kills_the_process() -> None:
    async def check(pool: WorkerPool) -> None:
        started = asyncio.Event()
        seen: list[dict[str, Any]] = []

        def progress(message: dict[str, Any]) -> None:
            seen.append(message)
            started.set()

        job = asyncio.create_task(pool.run(JOBS + "sleep", {"seconds": 60}, progress))
        await started.wait()
        job.cancel()
        with pytest.raises(asyncio.CancelledError):
            await job
        await _gone(seen[0]["pid"])
        assert (await pool.run(JOBS + "echo", {}))["pid"] != seen[0]["pid"]

    with_pool(check)


def test_a_killed_worker_is_told_and_replaced() -> None:
    async def check(pool: WorkerPool) -> None:
        with pytest.raises(WorkerDiedError, match=r"SIGKILL.*memory"):
            await pool.run(JOBS + "die", {})
        assert (await pool.run(JOBS + "echo", {}))["got"] == {}

    with_pool(check)


def test_a_worker_killed_while_idle_costs_no_job() -> None:
    async def check(pool: WorkerPool) -> None:
        first = (await pool.run(JOBS + "echo", {}))["pid"]
        os.kill(first, signal.SIGKILL)
        await _gone(first)
        assert (await pool.run(JOBS + "echo", {}))["pid"] != first

    with_pool(check)


def test_more_jobs_than_may_wait_are_refused() -> None:
    async def check(pool: WorkerPool) -> None:
        jobs = [asyncio.create_task(pool.run(JOBS + "sleep", {"seconds": 60})) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(QueueFullError):
            await pool.run(JOBS + "echo", {})
        for job in jobs:
            job.cancel()
        await asyncio.gather(*jobs, return_exceptions=True)

    with_pool(check, waiting=1)


def test_closing_ends_running_jobs() -> None:
    async def check(pool: WorkerPool) -> None:
        started = asyncio.Event()
        job = asyncio.create_task(pool.run(JOBS + "sleep", {"seconds": 60}, lambda message: started.set()))
        await started.wait()
        await pool.close()
        with pytest.raises(BackendUnavailableError, match="stopping"):
            await job

    with_pool(check)


def test_only_our_modules_run() -> None:
    async def check(pool: WorkerPool) -> None:
        with pytest.raises(ValueError, match="function in services"):
            await pool.run("os:system", {})

    with_pool(check)


async def _gone(pid: int, within_seconds: float = 10) -> None:
    end = time.monotonic() + within_seconds
    while _state(pid) not in ("", "Z"):
        assert time.monotonic() < end
        await asyncio.sleep(0.01)


def _state(pid: int) -> str:
    """Return a process' state as the kernel names it, "" where it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ""
