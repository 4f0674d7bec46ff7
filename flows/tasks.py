"""The stages as Prefect tasks: batches of work, nothing of which Prefect keeps.

The store decides what is done, so Prefect's cache and results are off; a task
that is run again finds what it had finished.
"""

from pathlib import Path
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.tasks import Task

from flows.cells import Batch
from flows.run import StudyRun
from services.domain.errors import BackendUnavailableError, QueueFullError, WorkerDiedError


def _may_help(task: Task[Any, Any], task_run: TaskRun, state: State[Any]) -> bool:
    """Say whether trying again may help: bad input stays bad."""
    error = state.result(raise_on_failure=False)
    return isinstance(error, BackendUnavailableError | QueueFullError | WorkerDiedError)


_SETTINGS: dict[str, Any] = {
    "cache_policy": NO_CACHE,
    "persist_result": False,
    "retries": 2,
    "retry_delay_seconds": [3, 10],
    "retry_condition_fn": _may_help,
}


@task(name="load", **_SETTINGS)
def load(run: StudyRun) -> int:
    """Load and split the real documents."""
    return run.load().train_count


@task(name="write", task_run_name="write r={number}", **_SETTINGS)
def write(run: StudyRun, number: int) -> int:
    """Write and screen the corpora of one replicate."""
    return run.write(number)


@task(name="encode", **_SETTINGS)
def encode(run: StudyRun) -> int:
    """Embed all corpora."""
    return run.encode()


@task(name="train", task_run_name="{batch.name}", **_SETTINGS)
def train(run: StudyRun, batch: Batch) -> int:
    """Train and score a batch of cells."""
    return run.train(batch)


@task(name="search", task_run_name="search r={number}", **_SETTINGS)
def search(run: StudyRun, number: int) -> int:
    """Evaluate the indexes of one replicate."""
    return run.search(number)


@task(name="report", **_SETTINGS)
def report(run: StudyRun) -> Path:
    """Compare, measure, write the tables and render the report."""
    return run.report()
