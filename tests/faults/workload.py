"""A study in miniature: derived objects, a training run under its supervisor, scores, a table.

The real store, training engine, supervisor and scoring run, all in one process;
only the worker process and the wire are left out.
"""

import asyncio
import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa

from services.classifier import supervision
from services.classifier.runs import RunState, TrainingRun
from services.classifier.specification import TrainingSpec
from services.classifier.supervision import Supervisor
from services.classifier.training import train
from services.domain.artifact import ArtifactRef
from services.domain.errors import BackendUnavailableError
from services.evaluator.scoring import score
from services.storage.store import Store
from tests.unit.classifier.separable import MULTI, part, plan, separable_spec

UNITS = 6
PLANS = 5
SILENT: Callable[[bool, Any], None] = lambda stored, specification: None


def work(store: Store, computing: Callable[[bool, Any], None] = SILENT) -> bytes:
    """Do everything the store lacks and return the measurements.

    Args:
        store: Where it may have been done in part.
        computing: Called before a unit is computed, with whether the store had it.
    """
    for i in range(UNITS):
        _unit(store, i, computing)
    run = asyncio.run(_trained(store, specification(store)))
    return _measurements(store, run.results)


def specification(store: Store) -> TrainingSpec:
    """Return a run of a few plans, models kept, each of some milliseconds."""
    spec = separable_spec(store, MULTI, "tfidf_linear", keep_models=True)
    plans = tuple(plan(part(spec.segments[0], range(60), weight=1 + i / 10)) for i in range(PLANS))
    return dataclasses.replace(spec, plans=plans)


def _unit(store: Store, i: int, computing: Callable[[bool, Any], None]) -> None:
    question = {"kind": "unit", "number": i}

    def compute() -> ArtifactRef:
        computing(store.lookup(question) is not None, question)
        leaf = store.put_arrays({"values": np.full(50, i, np.float32)}, {"unit": str(i)})
        return store.put_json({"leaf": leaf.sha256})

    store.get_arrays(store.get_json(store.computed(question, compute))["leaf"])


async def _trained(store: Store, spec: TrainingSpec) -> TrainingRun:
    supervision.POLL_SECONDS = 0.005
    supervisor = Supervisor(store, _Here())
    while True:
        created = await supervisor.create(spec)
        try:
            *_, run = [seen async for seen in supervisor.watch(created.id)]
        except BackendUnavailableError:
            continue
        assert run.state is RunState.SUCCEEDED, run
        return run


class _Here:
    """Runs jobs in a thread, where the service has worker processes."""

    async def run(
        self, job: str, payload: dict[str, Any], on_progress: Callable[[dict[str, Any]], None] | None = None
    ) -> dict[str, Any]:
        assert on_progress is not None
        return await asyncio.to_thread(train, payload, on_progress)


def _measurements(store: Store, results: tuple[ArtifactRef, ...]) -> bytes:
    payload = {
        "store": str(store.root),
        "truth": specification(store).test.sha256,
        "predictions": [result.sha256 for result in results],
        "metrics": [],
    }
    scores = score(payload, lambda _: None)["results"]
    rows = [
        {"predictions": result.sha256, "measurements": repr(measured)}
        for result, measured in zip(results, scores, strict=True)
    ]
    question = {"kind": "measurements", "predictions": payload["predictions"]}
    table = store.computed(question, lambda: store.put_table(pa.Table.from_pylist(rows)))
    return store.objects.get(table.sha256)
