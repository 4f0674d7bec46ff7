"""Jobs as streams: progress while a worker computes, then its result."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

from services.rpc.workers import WorkerPool


async def progress_stream(
    workers: WorkerPool, job: str, payload: dict[str, Any]
) -> AsyncGenerator[tuple[str, dict[str, Any]], None]:
    """Yield ("progress", dict) as the job reports, then one ("result", dict).

    A reader slower than the job sees the newest progress only. Closing the
    stream kills the job.

    Raises:
        StudyError: What the job raised.
    """
    newest: list[dict[str, Any]] = []
    changed = asyncio.Event()

    def keep(progress: dict[str, Any]) -> None:
        newest[:] = [progress]
        changed.set()

    task = asyncio.create_task(workers.run(job, payload, keep))
    task.add_done_callback(lambda _: changed.set())
    try:
        while not task.done():
            await changed.wait()
            changed.clear()
            if newest:
                yield "progress", newest.pop()
        yield "result", await task
    finally:
        task.cancel()
        # The process is dead once the task is; without this it might outlive the call.
        await asyncio.gather(task, return_exceptions=True)
