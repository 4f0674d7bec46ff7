"""What a flow or a notebook calls to search and to measure the search."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from services.domain.artifact import ArtifactRef
from services.domain.corpus import Corpus
from services.domain.errors import InvalidInputError, StudyError
from services.retrieval.specification import IndexSpec, RetrievalEvaluation, SegmentRows
from services.rpc.channel import channel, invoke, invoke_stream
from services.rpc.convert import (
    artifact_from_proto,
    artifact_to_proto,
    measurement_from_proto,
    source_to_proto,
    task_to_proto,
)
from services.rpc.limits import CALL_SECONDS
from services.rpc.patience import invoke_patiently, last_answer, patiently
from synthtrial.retrieval.v1 import retrieval_pb2, retrieval_pb2_grpc
from synthtrial.study.v1 import artifact_pb2, measurement_pb2

__all__ = ["IndexSpec", "RankedList", "RetrievalClient", "RetrievalEvaluation", "SegmentRows"]

OnProgress = Callable[[int, int], None]

READINGS = {"real_only": retrieval_pb2.READING_REAL_ONLY, "all": retrieval_pb2.READING_ALL}


class RetrieverInfo(NamedTuple):
    """A retriever as a service describes it."""

    name: str
    version: str
    description: str
    needs_embeddings: bool


class Hit(NamedTuple):
    """A found document; scores fall strictly within a list."""

    document_id: str
    position: int
    score: float


class RankedList(NamedTuple):
    """What one query found, best first."""

    query_id: str
    hits: tuple[Hit, ...]


class RetrievalClient:
    """Calls one retrieval service.

    Every method raises the StudyError that the service raised, or
    BackendUnavailableError where it cannot be reached; all but `delete_index`
    outlive its restart.
    """

    def __init__(self, address: str) -> None:
        self._address = address

    def list_retrievers(self) -> tuple[RetrieverInfo, ...]:
        """Return the retrievers there are."""
        request = retrieval_pb2.ListRetrieversRequest()
        answer = invoke_patiently(self._stub().ListRetrievers, request, self._address, CALL_SECONDS)
        return tuple(
            RetrieverInfo(r.name, r.version, r.description, r.needs_embeddings) for r in answer.retrievers
        )

    def build_index(self, spec: IndexSpec, on_progress: OnProgress | None = None) -> str:
        """Build an index, or find the one an equal request built, and return its identifier."""
        request = retrieval_pb2.BuildIndexRequest(spec=_spec(spec))

        def hand_on(step: measurement_pb2.Progress) -> None:
            if on_progress is not None:
                on_progress(step.done_count, step.total_count)

        last = last_answer(self._stub().BuildIndex, request, self._address, hand_on)
        if last is None or not last.index_id:
            raise StudyError(f"{self._address} ended its answer without an index")
        return str(last.index_id)

    def search(
        self,
        index_id: str,
        queries: ArtifactRef | Corpus,
        query_embeddings: ArtifactRef | None = None,
        depth: int = 10,
    ) -> list[RankedList]:
        """Return one list per query; no query finds itself or its family."""
        request = retrieval_pb2.SearchRequest(
            index_id=index_id,
            queries=source_to_proto(queries),
            query_embeddings=_optional(query_embeddings),
            depth=depth,
        )
        answers = patiently(
            lambda: list(invoke_stream(self._stub().Search, request, self._address)), self._address
        )
        return [
            RankedList(answer.query_id, tuple(Hit(h.document_id, h.position, h.score) for h in answer.hits))
            for answer in answers
        ]

    def evaluate_index(
        self,
        index_id: str,
        queries: ArtifactRef | Corpus,
        query_embeddings: ArtifactRef | None = None,
        metrics: Sequence[str] = ("ndcg@10", "recall@10"),
        reading: str = "real_only",
    ) -> RetrievalEvaluation:
        """Score an index' lists against graded label overlap.

        Args:
            index_id: A built index.
            queries: Their labels and families.
            query_embeddings: Theirs, for retrievers that need them.
            metrics: For example "ndcg@10", "ndcg(gain=exponential)@10", "recall(rel=0.5)@100".
            reading: "real_only": synthetic documents take ranks and have no gain; or "all".
        """
        if reading not in READINGS:
            raise InvalidInputError(
                f"the reading is {' or '.join(READINGS)}, not {reading!r}", field="reading"
            )
        request = retrieval_pb2.EvaluateIndexRequest(
            index_id=index_id,
            queries=source_to_proto(queries),
            query_embeddings=_optional(query_embeddings),
            metrics=metrics,
            reading=READINGS[reading],
        )
        answer = invoke_patiently(self._stub().EvaluateIndex, request, self._address)
        return RetrievalEvaluation(
            tuple(measurement_from_proto(one) for one in answer.measurements),
            artifact_from_proto(answer.per_query, "per_query"),
        )

    def delete_index(self, index_id: str) -> bool:
        """Forget an index and return whether there was one."""
        request = retrieval_pb2.DeleteIndexRequest(index_id=index_id)
        return bool(invoke(self._stub().DeleteIndex, request, self._address).deleted_count)

    def _stub(self) -> retrieval_pb2_grpc.RetrievalServiceStub:
        return retrieval_pb2_grpc.RetrievalServiceStub(channel(self._address))


def _spec(spec: IndexSpec) -> retrieval_pb2.IndexSpec:
    segments = [
        retrieval_pb2.SegmentRows(
            corpus=source_to_proto(segment.corpus),
            rows=segment.rows,
            embeddings=_optional(segment.embeddings),
            synthetic=segment.synthetic,
        )
        for segment in spec.segments
    ]
    return retrieval_pb2.IndexSpec(retriever=spec.retriever, task=task_to_proto(spec.task), segments=segments)


def _optional(reference: ArtifactRef | None) -> artifact_pb2.ArtifactRef | None:
    return None if reference is None else artifact_to_proto(reference)
