"""Bytes for clients that share no disk with the services; every server has it."""

import asyncio
from collections.abc import AsyncIterator, Iterator

from services.domain.artifact import ArtifactRef
from services.domain.digest import sha256_hex
from services.domain.errors import DataLossError, InvalidInputError
from services.rpc import limits
from services.rpc.channel import channel, invoke, invoke_stream
from services.rpc.convert import artifact_from_proto, artifact_to_proto
from services.storage.store import Store
from synthtrial.study.v1 import artifact_pb2, artifact_pb2_grpc

NAME = artifact_pb2.DESCRIPTOR.services_by_name["ArtifactService"].full_name


class ArtifactServicer(artifact_pb2_grpc.ArtifactServiceServicer):
    """Reads and writes the objects of one store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def UploadArtifact(
        self,
        request_iterator: AsyncIterator[artifact_pb2.UploadArtifactRequest],
        context: object,
    ) -> artifact_pb2.UploadArtifactResponse:
        """Store what the chunks add up to, if it has the announced digest."""
        announced = await _announcement(request_iterator)
        data = await _gather(request_iterator)
        stored = await asyncio.to_thread(_store, self._store, announced, bytes(data))
        return artifact_pb2.UploadArtifactResponse(artifact=artifact_to_proto(stored))

    async def DownloadArtifact(
        self,
        request: artifact_pb2.DownloadArtifactRequest,
        context: object,
    ) -> AsyncIterator[artifact_pb2.DownloadArtifactResponse]:
        """Send a verified object in chunks."""
        wanted = artifact_from_proto(request.artifact, "artifact")
        data = await asyncio.to_thread(self._store.objects.get, wanted.sha256)
        for chunk in _chunks(data):
            yield artifact_pb2.DownloadArtifactResponse(chunk=chunk)


def upload_artifact(address: str, data: bytes, row_count: int = 0) -> ArtifactRef:
    """Send bytes to a service's store and return their reference."""
    reference = ArtifactRef.stored(sha256_hex(data), row_count)
    stub = artifact_pb2_grpc.ArtifactServiceStub(channel(address))
    answer = invoke(stub.UploadArtifact, _upload(reference, data), address, limits.WORK_SECONDS)
    return artifact_from_proto(answer.artifact, "artifact")


def download_artifact(address: str, artifact: ArtifactRef) -> bytes:
    """Fetch an object's bytes from a service's store.

    Raises:
        NotFoundError: The store has no such object.
        DataLossError: The bytes are not what the reference says.
    """
    stub = artifact_pb2_grpc.ArtifactServiceStub(channel(address))
    request = artifact_pb2.DownloadArtifactRequest(artifact=artifact_to_proto(artifact))
    data = b"".join(answer.chunk for answer in invoke_stream(stub.DownloadArtifact, request, address))
    found = sha256_hex(data)
    if found != artifact.sha256:
        raise DataLossError(
            f"{artifact.uri} arrived damaged from {address}: its digest is {found}; download it again",
            sha256=artifact.sha256,
            found=found,
        )
    return data


def _upload(reference: ArtifactRef, data: bytes) -> Iterator[artifact_pb2.UploadArtifactRequest]:
    yield artifact_pb2.UploadArtifactRequest(announcement=artifact_to_proto(reference))
    for chunk in _chunks(data):
        yield artifact_pb2.UploadArtifactRequest(chunk=chunk)


def _chunks(data: bytes) -> Iterator[bytes]:
    for start in range(0, len(data), limits.CHUNK_BYTES):
        yield data[start : start + limits.CHUNK_BYTES]


async def _announcement(requests: AsyncIterator[artifact_pb2.UploadArtifactRequest]) -> ArtifactRef:
    async for request in requests:
        if request.WhichOneof("part") == "announcement":
            return artifact_from_proto(request.announcement, "announcement")
        break
    raise InvalidInputError("the first message of an upload announces the artifact", field="announcement")


async def _gather(requests: AsyncIterator[artifact_pb2.UploadArtifactRequest]) -> bytearray:
    data = bytearray()
    async for request in requests:
        if request.WhichOneof("part") != "chunk":
            raise InvalidInputError("after the announcement an upload holds chunks only", field="chunk")
        if len(request.chunk) > limits.CHUNK_BYTES:
            raise InvalidInputError(
                f"a chunk holds at most {limits.CHUNK_BYTES} bytes, not {len(request.chunk)}", field="chunk"
            )
        data += request.chunk
        if len(data) > limits.UPLOAD_BYTES:
            raise InvalidInputError(f"an upload holds at most {limits.UPLOAD_BYTES} bytes", field="chunk")
    return data


def _store(store: Store, announced: ArtifactRef, data: bytes) -> ArtifactRef:
    found = sha256_hex(data)
    if found != announced.sha256:
        raise InvalidInputError(
            f"the {len(data)} bytes sent have digest {found}, not {announced.sha256}; nothing was stored, send again",
            field="announcement.sha256",
            found=found,
        )
    return ArtifactRef.stored(store.objects.put(data), announced.row_count)
