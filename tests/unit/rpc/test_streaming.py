import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.wrappers_pb2 import StringValue

from services.domain.errors import InvalidInputError
from services.rpc import workers
from services.rpc.channel import channel
from services.rpc.streaming import progress_stream
from services.rpc.workers import WorkerPool
from tests.unit.rpc.echo import EchoStub, register

JOBS = "tests.unit.rpc.jobs:"


@pytest.fixture(autouse=True)
def _test_jobs_are_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "JOB_PACKAGES", ("tests.unit.rpc.",))


def test_the_result_comes_last_and_the_newest_progress_before_it() -> None:
    async def collect() -> list[tuple[str, dict[str, Any]]]:
        pool = WorkerPool(1, 1)
        try:
            return [item async for item in progress_stream(pool, JOBS + "count", {"steps": 50})]
        finally:
            await pool.close()

    seen = asyncio.run(collect())
    done = [content["done"] for kind, content in seen if kind == "progress"]
    assert seen[-1] == ("result", {})
    assert done == sorted(done)
    assert done[-1] == 50


def test_what_the_job_raises_ends_the_stream() -> None:
    async def collect() -> None:
        pool = WorkerPool(1, 1)
        try:
            async for _ in progress_stream(pool, JOBS + "refuse", {}):
                pass
        finally:
            await pool.close()

    with pytest.raises(InvalidInputError, match="not like this"):
        asyncio.run(collect())


def test_closing_the_stream_kills_the_job() -> None:
    async def close_early() -> int:
        pool = WorkerPool(1, 1)
        stream = progress_stream(pool, JOBS + "sleep", {"seconds": 60})
        _, content = await anext(stream)
        await stream.aclose()
        await pool.close()
        return int(content["pid"])

    pid = asyncio.run(asyncio.wait_for(close_early(), 20))
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_cancelling_a_call_kills_its_job(service_address: Callable[..., str]) -> None:
    stub = EchoStub(channel(service_address(register)))
    call = stub.stream(StringValue(value="work"), timeout=30)
    assert next(call).value == "work"
    pid = int(next(call).value)
    end = time.monotonic() + 10
    call.cancel()
    while _runs(pid):
        assert time.monotonic() < end
        time.sleep(0.01)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
