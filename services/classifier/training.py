"""The worker's job: train every plan of a run that has no result yet."""

import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from threadpoolctl import threadpool_limits

from services.classifier.embeddings import complete_embeddings
from services.classifier.families import (
    FAMILIES,
    INNER_FIFTH,
    Family,
    Fitted,
    Prepared,
    Source,
    TextBlock,
    is_convex,
)
from services.classifier.fold_fits import fit_folds
from services.classifier.inner_fifth import fit_inner_fifth
from services.classifier.models import is_kept, keep_model
from services.classifier.parameters import Parameters
from services.classifier.pool import Documents, lay_out
from services.classifier.results import PlanResult, put_result, result_key
from services.classifier.specification import TrainingSpec, check_documents, check_request
from services.classifier.tuning import fit_tuned
from services.domain.artifact import ArtifactRef
from services.domain.errors import DataLossError, StudyError
from services.domain.plan import LOG_LOSS, TrainingPlan
from services.storage.store import Store

THREADS_VARIABLE = "SYNTHTRIAL_THREADS"


def train(payload: dict[str, Any], report: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """Train a run's missing plans, each result stored as soon as it is there.

    Args:
        payload: "store", the store's folder; "spec", a TrainingSpec.
        report: Called with "done" and "total", in plans.

    Returns:
        "results": one reference per plan, in order.
    """
    spec: TrainingSpec = payload["spec"]
    run = open_run(Store(payload["store"]), spec)
    pending = [i for i in run.distinct_plans if not run.finished(i)]
    total = len(run.distinct_plans)
    report({"done": total - len(pending), "total": total})
    threads = int(os.environ.get(THREADS_VARIABLE) or os.cpu_count() or 1)
    if pending:
        found = total - len(pending)
        _train_pending(run, pending, threads, lambda done: report({"done": found + done, "total": total}))
    return {"results": [_stored(run.store, key) for key in run.keys]}


@dataclass(frozen=True)
class Run:
    """A checked specification with its documents and the keys of its results."""

    store: Store
    spec: TrainingSpec
    family: Family
    parameters: Parameters
    documents: Documents
    source: Source
    keys: tuple[dict[str, Any], ...]

    @cached_property
    def distinct_plans(self) -> tuple[int, ...]:
        """Positions of the plans, equal ones once."""
        first: dict[str, int] = {}
        for i, plan in enumerate(self.spec.plans):
            first.setdefault(plan.digest, i)
        return tuple(first.values())

    def finished(self, i: int) -> bool:
        """Say whether a plan has all that was asked for."""
        if self.spec.keep_models and not is_kept(self.store, self.keys[i]):
            return False
        return self.store.lookup(self.keys[i]) is not None


def open_run(store: Store, spec: TrainingSpec) -> Run:
    """Check a specification and compute the embeddings it lacks.

    Raises:
        InvalidInputError: See `check_request` and `check_documents`.
    """
    family, parameters = check_request(spec)
    documents = lay_out(store, spec.segments, spec.test, spec.task)
    check_documents(spec, documents)
    embeddings: Mapping[str, ArtifactRef] = {}
    if family.encodes:
        embeddings = complete_embeddings(store, documents.references, spec.embeddings, spec.encoder)
    blocks = tuple(
        TextBlock(c.texts, ref) for c, ref in zip(documents.columns, documents.references, strict=True)
    )
    source = Source(store, blocks, embeddings, spec.encoder)
    keys = tuple(result_key(spec, plan, family, parameters, embeddings) for plan in spec.plans)
    return Run(store, spec, family, parameters, documents, source, keys)


def _stored(store: Store, key: Mapping[str, Any]) -> ArtifactRef:
    found = store.lookup(key)
    if found is None:
        raise DataLossError("a result was removed from the store while its run went on; create the run again")
    return found


def _train_pending(run: Run, pending: list[int], threads: int, done: Callable[[int], None]) -> None:
    prepared = run.family.prepare(run.source, run.parameters)
    with threadpool_limits(1, "blas"), _losses_apart(run), ThreadPoolExecutor(threads) as executor:
        futures = [executor.submit(_train_plan, run, prepared, i) for i in pending]
        finished = 0
        try:
            for future in as_completed(futures):
                # What is wrong with one plan need not stop the others.
                if not isinstance(future.exception(), StudyError):
                    future.result()
                    finished += 1
                    done(finished)
        finally:
            executor.shutdown(cancel_futures=True)
    for future in futures:
        future.result()


@contextmanager
def _losses_apart(run: Run) -> Iterator[None]:
    """Let each thread that fits linear heads under an objective compute its losses by itself.

    As many threads as there are processors, each asking torch for as many again, wait for
    one another: two runs side by side on two processors took ten times as long.
    """
    objectives = {stage.objective for plan in run.spec.plans for stage in plan.stages}
    if not is_convex(run.family) or objectives == {LOG_LOSS}:
        yield
        return
    from services.features.torch_running import threads_apart

    with threads_apart():
        yield


def _train_plan(run: Run, prepared: Prepared, i: int) -> None:
    plan, key = run.spec.plans[i], run.keys[i]
    try:
        result, fitted = fit_plan(prepared, run.documents, plan, run.spec)
    except StudyError as error:
        raise type(error)(f"plan {i}: {error.message}", **{**error.metadata, "plan": str(i)}) from error
    if run.spec.keep_models:
        keep_model(run.store, key, run.spec.task, result.threshold, fitted.model())
    put_result(run.store, key, result)


def fit_plan(
    prepared: Prepared, documents: Documents, plan: TrainingPlan, spec: TrainingSpec
) -> tuple[PlanResult, Fitted]:
    """Fit one plan on all of its documents and on all but each fold, or once without an inner fifth."""
    if FAMILIES.get(spec.family).validation == INNER_FIFTH:
        return fit_inner_fifth(prepared, documents, plan, spec)
    return (fit_tuned if plan.strengths else fit_folds)(prepared, documents, plan, spec)
