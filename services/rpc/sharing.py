"""One piece of work shared by all workers of a pool."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

from services.rpc.streaming import progress_stream
from services.rpc.workers import WorkerPool


async def shared_stream(
    workers: WorkerPool, job: str, payload: dict[str, Any]
) -> AsyncGenerator[tuple[str, dict[str, Any]], None]:
    """Yield as `progress_stream`, with the job's shards spread over the workers first.

    A shard is the same payload with `shard` and `of`; it reports `done_count`
    and `total_count` of its own share and files what it finds. The job without
    a shard then finds all of it filed.

    Raises:
        StudyError: What a shard or the last job raised.
    """
    shares: dict[int, dict[str, Any]] = {}
    changed = asyncio.Event()

    async def shard(number: int) -> None:
        def keep(progress: dict[str, Any]) -> None:
            shares[number] = progress
            changed.set()

        await workers.run(job, {**payload, "shard": number, "of": workers.count}, keep)

    task = asyncio.gather(*(shard(number) for number in range(workers.count)))
    task.add_done_callback(lambda _: changed.set())
    try:
        while not task.done():
            await changed.wait()
            changed.clear()
            if shares:
                yield "progress", _sum(shares)
        await task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    async for item in progress_stream(workers, job, payload):
        yield item


def _sum(shares: dict[int, dict[str, Any]]) -> dict[str, Any]:
    newest = next(reversed(shares.values()))
    counts = {name: sum(share[name] for share in shares.values()) for name in ("done_count", "total_count")}
    return {**newest, **counts}
