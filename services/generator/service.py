"""The generator on the wire: decode, call, encode."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import grpc

from services.domain.errors import InvalidInputError
from services.generator.backends import BACKENDS, strategies_of
from services.generator.planning import LABEL_CONDITIONED, GenerationSpec, Outcome
from services.generator.prompts import PromptFamily, prompt_families
from services.rpc.convert import document_to_proto, label_sets_from_proto, source_from_proto, task_from_proto
from services.rpc.workers import WorkerPool
from services.storage.store import Store
from synthtrial.generator.v1 import generator_pb2, generator_pb2_grpc

NAME = generator_pb2.DESCRIPTOR.services_by_name["GeneratorService"].full_name
GENERATE_JOB = "services.generator.synthesis:generate"
MOST_CANDIDATES = 1_000_000

LABEL_SOURCES = {
    generator_pb2.LABEL_SOURCE_GIVEN: "given",
    generator_pb2.LABEL_SOURCE_EMPIRICAL: "empirical",
    generator_pb2.LABEL_SOURCE_BACKEND: "backend",
}


def register(server: grpc.aio.Server, store: Store, workers: WorkerPool) -> str:
    """Add the generator to a server and return its name."""
    servicer = GeneratorServicer(store, workers)
    generator_pb2_grpc.add_GeneratorServiceServicer_to_server(servicer, server)
    return NAME


class GeneratorServicer(generator_pb2_grpc.GeneratorServiceServicer):
    """Writes documents in worker processes."""

    def __init__(self, store: Store, workers: WorkerPool) -> None:
        self._store, self._workers = store, workers

    async def ListBackends(
        self, request: generator_pb2.ListBackendsRequest, context: object
    ) -> generator_pb2.ListBackendsResponse:
        return generator_pb2.ListBackendsResponse(backends=[_backend(name) for name in BACKENDS.names()])

    async def ListPromptFamilies(
        self, request: generator_pb2.ListPromptFamiliesRequest, context: object
    ) -> generator_pb2.ListPromptFamiliesResponse:
        families = [_prompt_family(family) for family in prompt_families().values()]
        return generator_pb2.ListPromptFamiliesResponse(families=families)

    async def Generate(
        self, request: generator_pb2.GenerateRequest, context: object
    ) -> AsyncIterator[generator_pb2.GenerateResponse]:
        _check_range(request.start_index, request.count)
        spec = await asyncio.to_thread(spec_from_proto, request.spec, self._store)
        payload = {
            "store": str(self._store.root),
            "spec": spec,
            "start": request.start_index,
            "count": request.count,
        }
        async for outcome in self._outcomes(payload):
            yield outcome_to_proto(outcome)

    async def _outcomes(self, payload: dict[str, Any]) -> AsyncIterator[Outcome]:
        """Yield outcomes as the worker reports them; closing the iterator kills the worker."""
        reports: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        job = asyncio.create_task(self._workers.run(GENERATE_JOB, payload, reports.put_nowait))
        job.add_done_callback(lambda _: reports.put_nowait(None))
        try:
            while (report := await reports.get()) is not None:
                for outcome in report["outcomes"]:
                    yield outcome
            await job
        finally:
            job.cancel()
            # The process is dead once the task is; without this it might outlive the call.
            await asyncio.gather(job, return_exceptions=True)


def spec_from_proto(message: generator_pb2.GenerationSpec, store: Store) -> GenerationSpec:
    """Return the specification in a message, storing an inline corpus.

    Raises:
        InvalidInputError: A part of it is not valid.
    """
    if message.prompt_family:
        raise InvalidInputError("no backend here takes prompts; leave it empty", field="spec.prompt_family")
    if message.label_source not in LABEL_SOURCES:
        raise InvalidInputError(
            "the request has to say where label sets come from", field="spec.label_source"
        )
    return GenerationSpec(
        generator=message.generator or message.backend,
        backend=message.backend,
        parameters=_parameters(message.parameters_json),
        strategy=message.strategy or LABEL_CONDITIONED,
        seed=message.seed,
        task=task_from_proto(message.task),
        real=source_from_proto(message.real, store, "spec.real") if message.HasField("real") else None,
        label_source=LABEL_SOURCES[message.label_source],
        label_sets=label_sets_from_proto(message.label_sets),
        genre=message.genre,
    )


def outcome_to_proto(outcome: Outcome) -> generator_pb2.GenerateResponse:
    """Return an outcome as a message."""
    response = generator_pb2.GenerateResponse(index=outcome.index)
    if outcome.document is not None:
        response.document.CopyFrom(document_to_proto(outcome.document))
    elif outcome.rejection_reason:
        rejection = generator_pb2.Rejection(
            reason=outcome.rejection_reason, detail=outcome.detail, text=outcome.text
        )
        response.rejection.CopyFrom(rejection)
    else:
        failure = generator_pb2.Failure(reason=outcome.failure_reason, detail=outcome.detail)
        response.failure.CopyFrom(failure)
    return response


def _check_range(start: int, count: int) -> None:
    if start < 0:
        raise InvalidInputError(f"candidates are counted from 0, not from {start}", field="start_index")
    if not 1 <= count <= MOST_CANDIDATES:
        raise InvalidInputError(f"count lies in 1 … {MOST_CANDIDATES}, {count} does not", field="count")


def _parameters(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text or "{}")
    except ValueError as error:
        raise InvalidInputError(
            f"parameters_json is no JSON: {error}", field="spec.parameters_json"
        ) from None
    if not isinstance(value, dict):
        raise InvalidInputError(
            f'parameters_json has to be an object like {{"preset": "oracle"}}, not {text!r}',
            field="spec.parameters_json",
        )
    return value


def _backend(name: str) -> generator_pb2.Backend:
    backend = BACKENDS.get(name)
    return generator_pb2.Backend(
        name=name,
        version=backend.version,
        needs_real=backend.needs_real,
        is_llm=backend.is_llm,
        description=backend.description,
        parameters_schema_json=json.dumps(backend.parameter_schema(), sort_keys=True),
        keeps_rejected=backend.keeps_rejected,
        is_finite=backend.is_finite,
        strategies=strategies_of(backend),
    )


def _prompt_family(family: PromptFamily) -> generator_pb2.PromptFamily:
    return generator_pb2.PromptFamily(
        name=family.name,
        description=family.description,
        digest=family.digest,
        system=family.system,
        label_conditioned=family.label_conditioned,
        exemplars=family.exemplars,
        paraphrase=family.paraphrase,
    )
