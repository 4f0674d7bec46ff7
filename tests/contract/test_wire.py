"""The shared words keep their meaning on the wire, and bytes arrive whole."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from services.domain.artifact import ArtifactRef
from services.domain.corpus import Corpus
from services.domain.digest import sha256_hex
from services.domain.document import Document, Provenance
from services.domain.errors import ArtifactChangedError, DataLossError, InvalidInputError, NotFoundError
from services.domain.measurement import Interval, Measurement
from services.domain.task import Task, TaskType
from services.rpc import convert, limits
from services.rpc.artifacts import download_artifact, upload_artifact
from services.rpc.channel import channel, invoke
from services.rpc.server import in_process
from services.storage.store import Store
from synthtrial.study.v1 import artifact_pb2, artifact_pb2_grpc, corpus_pb2
from tests.unit.rpc.echo import register

TASK = Task(TaskType.MULTI_LABEL, ("gait", "speech"))
PROVENANCE = Provenance(
    generator="noisy",
    backend="simulator",
    model_revision="3",
    exemplar_ids=("r1", "r2"),
    source_id="r1",
    requested_labels=("speech",),
    seed=2**62,
    tokens_in=3,
    attempt=2,
    raw_text="…",
)
CORPUS = Corpus(
    TASK,
    (
        Document("r1", "A walking aid with sensors", ("gait",), "f1", "claim"),
        Document("s1", "A voice prosthesis", ("gait", "speech"), "f1", "", PROVENANCE),
    ),
)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("store")


@pytest.fixture(scope="module")
def address(root: Path) -> Iterator[str]:
    with in_process(register, root) as address:
        yield address


def test_a_corpus_keeps_its_meaning() -> None:
    assert convert.corpus_from_proto(convert.corpus_to_proto(CORPUS)) == CORPUS


@pytest.mark.parametrize(
    "measurement",
    [
        Measurement(
            "micro_f1", 0.0, 4, "tuned", interval=Interval(-0.1, 0.1, 0.95), estimates={"threshold": 0.3}
        ),
        Measurement("ndcg@10", None, 0, undefined_reason="no relevant documents"),
    ],
)
def test_zero_and_undefined_stay_apart(measurement: Measurement) -> None:
    assert convert.measurement_from_proto(convert.measurement_to_proto(measurement)) == measurement


def test_an_inline_corpus_is_the_stored_one(store: Store) -> None:
    inline = convert.source_from_proto(convert.source_to_proto(CORPUS), store, "real")
    stored = convert.source_from_proto(convert.source_to_proto(store.put_corpus(CORPUS)), store, "real")
    assert inline == stored
    assert store.get_corpus(inline) == CORPUS


def test_a_document_without_family_is_one_of_its_own() -> None:
    assert convert.document_from_proto(corpus_pb2.Document(id="d", text="t", labels=["gait"])).family == "d"


def test_a_corpus_source_has_to_be_given(store: Store) -> None:
    with pytest.raises(InvalidInputError) as caught:
        convert.source_from_proto(corpus_pb2.CorpusSource(), store, "reference")
    assert caught.value.field == "reference"


def test_a_task_needs_its_type() -> None:
    with pytest.raises(InvalidInputError, match="multi_label or single_label"):
        convert.task_from_proto(corpus_pb2.Task(labels=["a"]))


@pytest.mark.parametrize(
    ("uri", "digest", "error", "field"),
    [
        ("", "ABC", InvalidInputError, "spec.test.sha256"),
        ("file:///etc/passwd", "a" * 64, InvalidInputError, "spec.test.uri"),
        ("store://" + "b" * 64, "a" * 64, ArtifactChangedError, "spec.test"),
    ],
)
def test_a_reference_that_cannot_be_is_refused(
    uri: str, digest: str, error: type[Exception], field: str
) -> None:
    with pytest.raises(error) as caught:
        convert.artifact_from_proto(artifact_pb2.ArtifactRef(uri=uri, sha256=digest), "spec.test")
    assert caught.value.metadata["field"] == field  # type: ignore[attr-defined]


def test_bytes_arrive_whole_in_both_directions(address: str, root: Path) -> None:
    data = bytes(range(256)) * 10_000
    assert len(data) > 2 * limits.CHUNK_BYTES
    reference = upload_artifact(address, data, row_count=7)
    assert reference == ArtifactRef.stored(sha256_hex(data), 7)
    assert Store(root).objects.get(reference.sha256) == data
    assert download_artifact(address, reference) == data


def test_an_upload_that_lost_bytes_stores_nothing(address: str, root: Path) -> None:
    stub = artifact_pb2_grpc.ArtifactServiceStub(channel(address))
    whole = ArtifactRef.stored(sha256_hex(b"whole"))
    parts = [
        artifact_pb2.UploadArtifactRequest(announcement=convert.artifact_to_proto(whole)),
        artifact_pb2.UploadArtifactRequest(chunk=b"who"),
    ]
    with pytest.raises(InvalidInputError, match="nothing was stored") as caught:
        invoke(stub.UploadArtifact, iter(parts), address)
    assert caught.value.field == "announcement.sha256"
    with pytest.raises(InvalidInputError, match="announces"):
        invoke(stub.UploadArtifact, iter(parts[1:]), address)
    assert not Store(root).objects.has(sha256_hex(b"who"))


def test_larger_chunks_than_allowed_are_refused(address: str) -> None:
    stub = artifact_pb2_grpc.ArtifactServiceStub(channel(address))
    data = bytes(limits.CHUNK_BYTES + 1)
    parts = [
        artifact_pb2.UploadArtifactRequest(
            announcement=convert.artifact_to_proto(ArtifactRef.stored(sha256_hex(data)))
        ),
        artifact_pb2.UploadArtifactRequest(chunk=data),
    ]
    with pytest.raises(InvalidInputError, match=f"a chunk holds at most {limits.CHUNK_BYTES} bytes"):
        invoke(stub.UploadArtifact, iter(parts), address)


def test_missing_and_damaged_objects_are_told_apart(address: str, root: Path) -> None:
    with pytest.raises(NotFoundError):
        download_artifact(address, ArtifactRef.stored("0" * 64))
    reference = Store(root).put_json({"a": 1})
    path = Store(root).objects.path(reference.sha256)
    path.chmod(0o644)
    path.write_bytes(b"other")
    with pytest.raises(DataLossError, match="damaged"):
        download_artifact(address, reference)
