"""What a flow or a notebook calls to have documents written."""

import json
from collections.abc import Iterator
from typing import NamedTuple

from services.domain.errors import BackendUnavailableError
from services.generator.planning import LABEL_CONDITIONED, GenerationSpec, Outcome
from services.generator.prompts import PromptFamily
from services.rpc.channel import channel, invoke_stream
from services.rpc.convert import document_from_proto, label_sets_to_proto, source_to_proto, task_to_proto
from services.rpc.limits import CALL_SECONDS
from services.rpc.patience import Patience, invoke_patiently
from synthtrial.generator.v1 import generator_pb2, generator_pb2_grpc

LABEL_SOURCES = {
    "given": generator_pb2.LABEL_SOURCE_GIVEN,
    "empirical": generator_pb2.LABEL_SOURCE_EMPIRICAL,
    "backend": generator_pb2.LABEL_SOURCE_BACKEND,
}


class BackendInfo(NamedTuple):
    """A backend as the service describes it.

    `keeps_rejected` is true where screening counts and reports but removes nothing.
    """

    name: str
    version: str
    needs_real: bool
    is_llm: bool
    description: str
    parameters_json: str
    keeps_rejected: bool
    is_finite: bool
    strategies: tuple[str, ...] = (LABEL_CONDITIONED,)


class GeneratorClient:
    """Calls one generator service."""

    def __init__(self, address: str) -> None:
        self._address = address

    def list_backends(self) -> tuple[BackendInfo, ...]:
        """Return the backends that can write documents, in alphabetical order."""
        request = generator_pb2.ListBackendsRequest()
        answer = invoke_patiently(self._stub().ListBackends, request, self._address, CALL_SECONDS)
        return tuple(
            BackendInfo(
                backend.name,
                backend.version,
                backend.needs_real,
                backend.is_llm,
                backend.description,
                backend.parameters_schema_json,
                backend.keeps_rejected,
                backend.is_finite,
                tuple(backend.strategies),
            )
            for backend in answer.backends
        )

    def list_prompt_families(self) -> tuple[PromptFamily, ...]:
        """Return the prompts of every genre, in alphabetical order."""
        request = generator_pb2.ListPromptFamiliesRequest()
        answer = invoke_patiently(self._stub().ListPromptFamilies, request, self._address, CALL_SECONDS)
        return tuple(
            PromptFamily(
                name=family.name,
                description=family.description,
                system=family.system,
                label_conditioned=family.label_conditioned,
                exemplars=family.exemplars,
                paraphrase=family.paraphrase,
            )
            for family in answer.families
        )

    def generate(self, spec: GenerationSpec, start: int, count: int) -> Iterator[Outcome]:
        """Yield the outcomes of `count` candidates from index `start` on, in order.

        Fewer come when the backend has no more documents. A broken stream is taken up where it
        broke, also by a service that was started again; closing the iterator stops the work.

        Raises:
            StudyError: What the service raised.
        """
        end, patience = start + count, Patience(self._address)
        while start < end:
            request = generator_pb2.GenerateRequest(
                spec=spec_to_proto(spec), start_index=start, count=end - start
            )
            try:
                for answer in invoke_stream(self._stub().Generate, request, self._address):
                    yield outcome_from_proto(answer)
                    start = answer.index + 1
                    patience.renew()
                return
            except BackendUnavailableError as error:
                patience.wait(error)

    def _stub(self) -> generator_pb2_grpc.GeneratorServiceStub:
        return generator_pb2_grpc.GeneratorServiceStub(channel(self._address))


def spec_to_proto(spec: GenerationSpec) -> generator_pb2.GenerationSpec:
    """Return a specification as a message."""
    return generator_pb2.GenerationSpec(
        generator=spec.generator,
        backend=spec.backend,
        parameters_json=json.dumps(dict(spec.parameters), sort_keys=True),
        strategy=spec.strategy,
        seed=spec.seed,
        task=task_to_proto(spec.task),
        real=None if spec.real is None else source_to_proto(spec.real),
        label_source=LABEL_SOURCES[spec.label_source],
        label_sets=label_sets_to_proto(spec.label_sets),
        genre=spec.genre,
    )


def outcome_from_proto(message: generator_pb2.GenerateResponse) -> Outcome:
    """Return the outcome in a message."""
    match message.WhichOneof("outcome"):
        case "document":
            return Outcome(message.index, document=document_from_proto(message.document))
        case "rejection":
            found = message.rejection
            return Outcome(message.index, rejection_reason=found.reason, detail=found.detail, text=found.text)
    return Outcome(message.index, failure_reason=message.failure.reason, detail=message.failure.detail)
