"""Retrieval on the wire: decode, call, encode."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc

from services.domain.errors import InvalidInputError
from services.retrieval.records import IndexRecords
from services.retrieval.retrievers import RETRIEVERS
from services.retrieval.specification import IndexSpec, RetrievalEvaluation, SegmentRows
from services.rpc.convert import (
    artifact_from_proto,
    artifact_to_proto,
    measurement_to_proto,
    source_from_proto,
    task_from_proto,
)
from services.rpc.streaming import progress_stream
from services.rpc.workers import WorkerPool
from services.storage.store import Store
from synthtrial.retrieval.v1 import retrieval_pb2, retrieval_pb2_grpc
from synthtrial.study.v1 import measurement_pb2

NAME = retrieval_pb2.DESCRIPTOR.services_by_name["RetrievalService"].full_name
BUILD_JOB = "services.retrieval.index:build"
SEARCH_JOB = "services.retrieval.index:search"
EVALUATE_JOB = "services.retrieval.evaluation:evaluate"

READINGS = {retrieval_pb2.READING_REAL_ONLY: "real_only", retrieval_pb2.READING_ALL: "all"}


def register(server: grpc.aio.Server, store: Store, workers: WorkerPool) -> str:
    """Add the retrieval service to a server and return its name."""
    servicer = RetrievalServicer(store, workers)
    retrieval_pb2_grpc.add_RetrievalServiceServicer_to_server(servicer, server)
    return NAME


class RetrievalServicer(retrieval_pb2_grpc.RetrievalServiceServicer):
    """Searches in worker processes; every process rebuilds the indexes it needs."""

    def __init__(self, store: Store, workers: WorkerPool) -> None:
        self._store, self._workers = store, workers
        self._records = IndexRecords(store.root)

    async def ListRetrievers(
        self, request: retrieval_pb2.ListRetrieversRequest, context: object
    ) -> retrieval_pb2.ListRetrieversResponse:
        # The first listing imports every retriever's module.
        return await asyncio.to_thread(_listing)

    async def BuildIndex(
        self, request: retrieval_pb2.BuildIndexRequest, context: object
    ) -> AsyncIterator[retrieval_pb2.BuildIndexResponse]:
        spec = await asyncio.to_thread(spec_from_proto, request.spec, self._store)
        payload = {"store": str(self._store.root), "spec": spec}
        async for kind, content in progress_stream(self._workers, BUILD_JOB, payload):
            if kind == "progress":
                yield retrieval_pb2.BuildIndexResponse(progress=measurement_pb2.Progress(**content))
            else:
                yield retrieval_pb2.BuildIndexResponse(**content)

    async def Search(
        self, request: retrieval_pb2.SearchRequest, context: object
    ) -> AsyncIterator[retrieval_pb2.SearchResponse]:
        payload = await self._payload(request) | {"depth": request.depth}
        answer = await self._workers.run(SEARCH_JOB, payload)
        for query_id, hits in zip(answer["query_ids"], answer["hits"], strict=True):
            found = [
                retrieval_pb2.Hit(document_id=identifier, position=position, score=score)
                for identifier, position, score in hits
            ]
            yield retrieval_pb2.SearchResponse(query_id=query_id, hits=found)

    async def EvaluateIndex(
        self, request: retrieval_pb2.EvaluateIndexRequest, context: object
    ) -> retrieval_pb2.EvaluateIndexResponse:
        if request.reading not in READINGS:
            raise InvalidInputError("the reading has to be REAL_ONLY or ALL", field="reading")
        payload = await self._payload(request)
        payload |= {"metrics": list(request.metrics), "reading": READINGS[request.reading]}
        evaluation: RetrievalEvaluation = (await self._workers.run(EVALUATE_JOB, payload))["evaluation"]
        return retrieval_pb2.EvaluateIndexResponse(
            measurements=[measurement_to_proto(one) for one in evaluation.measurements],
            per_query=artifact_to_proto(evaluation.per_query),
        )

    async def DeleteIndex(
        self, request: retrieval_pb2.DeleteIndexRequest, context: object
    ) -> retrieval_pb2.DeleteIndexResponse:
        deleted = await asyncio.to_thread(self._records.delete, request.index_id)
        return retrieval_pb2.DeleteIndexResponse(deleted_count=int(deleted))

    async def _payload(
        self, request: retrieval_pb2.SearchRequest | retrieval_pb2.EvaluateIndexRequest
    ) -> dict[str, Any]:
        self._records.get(request.index_id)
        queries = await asyncio.to_thread(source_from_proto, request.queries, self._store, "queries")
        embeddings = None
        if request.HasField("query_embeddings"):
            embeddings = artifact_from_proto(request.query_embeddings, "query_embeddings").sha256
        return {
            "store": str(self._store.root),
            "index_id": request.index_id,
            "queries": queries.sha256,
            "query_embeddings": embeddings,
        }


def spec_from_proto(message: retrieval_pb2.IndexSpec, store: Store) -> IndexSpec:
    """Return the specification in a message, storing inline corpora.

    Raises:
        InvalidInputError: A part of it is not valid.
    """
    segments = tuple(
        _segment(segment, store, f"spec.segments[{i}]") for i, segment in enumerate(message.segments)
    )
    return IndexSpec(message.retriever, segments, task_from_proto(message.task))


def _segment(message: retrieval_pb2.SegmentRows, store: Store, field: str) -> SegmentRows:
    embeddings = None
    if message.HasField("embeddings"):
        embeddings = artifact_from_proto(message.embeddings, f"{field}.embeddings")
    corpus = source_from_proto(message.corpus, store, f"{field}.corpus")
    return SegmentRows(corpus, tuple(message.rows), embeddings, message.synthetic)


def _listing() -> retrieval_pb2.ListRetrieversResponse:
    found = []
    for name in RETRIEVERS.names():
        retriever = RETRIEVERS.get(name)
        found.append(
            retrieval_pb2.Retriever(
                name=name,
                version=retriever.version,
                description=retriever.description,
                needs_embeddings=retriever.needs_embeddings,
            )
        )
    return retrieval_pb2.ListRetrieversResponse(retrievers=found)
