"""The shared words, between the domain and the wire.

Validation stays in the constructors of the domain; here is only what the wire
adds: names of fields, enumerations and references.
"""

import re
from collections.abc import Iterable, Sequence

from services.domain.artifact import SCHEME, ArtifactRef
from services.domain.corpus import Corpus
from services.domain.document import Document, Provenance
from services.domain.errors import ArtifactChangedError, InvalidInputError
from services.domain.measurement import Interval, Measurement
from services.domain.task import Task, TaskType
from services.storage.store import Store
from synthtrial.study.v1 import artifact_pb2, corpus_pb2, measurement_pb2

TASK_TYPES = {
    TaskType.MULTI_LABEL: corpus_pb2.TASK_TYPE_MULTI_LABEL,
    TaskType.SINGLE_LABEL: corpus_pb2.TASK_TYPE_SINGLE_LABEL,
}

_SHA256 = re.compile(r"[0-9a-f]{64}")


def artifact_to_proto(artifact: ArtifactRef) -> artifact_pb2.ArtifactRef:
    """Return a reference as a message."""
    return artifact_pb2.ArtifactRef(uri=artifact.uri, sha256=artifact.sha256, row_count=artifact.row_count)


def artifact_from_proto(message: artifact_pb2.ArtifactRef, field: str) -> ArtifactRef:
    """Return the reference in a message.

    Args:
        message: May lack the uri, which then is that of the store.
        field: Its path in the request, for the error.

    Raises:
        InvalidInputError: The digest is none, or the uri is not of the store.
        ArtifactChangedError: Uri and digest name different bytes.
    """
    if not _SHA256.fullmatch(message.sha256):
        raise InvalidInputError(
            f"{field} needs the SHA-256 of a stored object in lower-case hexadecimal, not {message.sha256!r}",
            field=f"{field}.sha256",
        )
    uri = message.uri or f"{SCHEME}{message.sha256}"
    if not uri.startswith(SCHEME):
        raise InvalidInputError(
            f"{field} lies at {uri!r}; this service reads {SCHEME}<sha256> only: upload the bytes first",
            field=f"{field}.uri",
        )
    if uri != f"{SCHEME}{message.sha256}":
        raise ArtifactChangedError(
            f"{field} is said to have digest {message.sha256}, but its uri names {uri}",
            field=field,
            uri=uri,
            expected=message.sha256,
        )
    return ArtifactRef(uri, message.sha256, message.row_count)


def artifacts_from_proto(messages: Iterable[artifact_pb2.ArtifactRef], field: str) -> tuple[ArtifactRef, ...]:
    """Return the references in some messages; errors name their index."""
    return tuple(artifact_from_proto(message, f"{field}[{i}]") for i, message in enumerate(messages))


def task_to_proto(task: Task) -> corpus_pb2.Task:
    """Return a task as a message."""
    return corpus_pb2.Task(type=TASK_TYPES[task.type], labels=task.labels)


def task_from_proto(message: corpus_pb2.Task) -> Task:
    """Return the task in a message.

    Raises:
        InvalidInputError: The type is unspecified or unknown, or the labels are no task's.
    """
    for kind, number in TASK_TYPES.items():
        if number == message.type:
            return Task(kind, tuple(message.labels))
    raise InvalidInputError(
        f"the task needs a type, {' or '.join(TASK_TYPES)}, not number {message.type}", field="task.type"
    )


def document_to_proto(document: Document) -> corpus_pb2.Document:
    """Return a document as a message."""
    return corpus_pb2.Document(
        id=document.id,
        text=document.text,
        labels=document.labels,
        family=document.family,
        genre=document.genre,
        provenance=None if document.provenance is None else _provenance_to_proto(document.provenance),
    )


def document_from_proto(message: corpus_pb2.Document) -> Document:
    """Return the document in a message; without a family it is one of its own."""
    return Document(
        id=message.id,
        text=message.text,
        labels=tuple(message.labels),
        family=message.family or message.id,
        genre=message.genre,
        provenance=_provenance_from_proto(message.provenance) if message.HasField("provenance") else None,
    )


def corpus_to_proto(corpus: Corpus) -> corpus_pb2.InlineCorpus:
    """Return a small corpus as a message."""
    return corpus_pb2.InlineCorpus(
        task=task_to_proto(corpus.task), documents=[document_to_proto(d) for d in corpus.documents]
    )


def corpus_from_proto(message: corpus_pb2.InlineCorpus) -> Corpus:
    """Return the corpus in a message.

    Raises:
        InvalidInputError: As the constructor of `Corpus`.
    """
    return Corpus(task_from_proto(message.task), tuple(document_from_proto(d) for d in message.documents))


def source_to_proto(source: ArtifactRef | Corpus) -> corpus_pb2.CorpusSource:
    """Return a stored or an inline corpus as a message."""
    if isinstance(source, Corpus):
        return corpus_pb2.CorpusSource(inline=corpus_to_proto(source))
    return corpus_pb2.CorpusSource(artifact=artifact_to_proto(source))


def source_from_proto(message: corpus_pb2.CorpusSource, store: Store, field: str) -> ArtifactRef:
    """Return the reference of a corpus, storing it first where it came inline.

    Args:
        message: Stored or inline.
        store: Where an inline corpus is put.
        field: Its path in the request, for the error.

    Raises:
        InvalidInputError: There is none, or it is not valid.
    """
    match message.WhichOneof("source"):
        case "artifact":
            return artifact_from_proto(message.artifact, f"{field}.artifact")
        case "inline":
            return store.put_corpus(_inline_corpus(message.inline, f"{field}.inline"))
    raise InvalidInputError(f"{field} needs a corpus, stored or inline", field=field)


def label_sets_to_proto(label_sets: Iterable[Sequence[str]]) -> list[corpus_pb2.LabelSet]:
    """Return label sets as messages."""
    return [corpus_pb2.LabelSet(labels=labels) for labels in label_sets]


def label_sets_from_proto(messages: Iterable[corpus_pb2.LabelSet]) -> tuple[tuple[str, ...], ...]:
    """Return the label sets in some messages."""
    return tuple(tuple(message.labels) for message in messages)


def measurement_to_proto(measurement: Measurement) -> measurement_pb2.Measurement:
    """Return a measurement as a message."""
    interval = measurement.interval
    return measurement_pb2.Measurement(
        metric=measurement.metric,
        threshold_rule=measurement.threshold_rule,
        value=measurement.value,
        undefined_reason=measurement.undefined_reason,
        interval=None if interval is None else interval_to_proto(interval),
        sample_count=measurement.sample_count,
        estimates=measurement.estimates,
    )


def measurement_from_proto(message: measurement_pb2.Measurement) -> Measurement:
    """Return the measurement in a message."""
    return Measurement(
        metric=message.metric,
        value=message.value if message.HasField("value") else None,
        sample_count=message.sample_count,
        threshold_rule=message.threshold_rule,
        undefined_reason=message.undefined_reason,
        interval=interval_from_proto(message.interval) if message.HasField("interval") else None,
        estimates=dict(message.estimates),
    )


def interval_to_proto(interval: Interval) -> measurement_pb2.Interval:
    """Return an interval as a message."""
    return measurement_pb2.Interval(low=interval.low, high=interval.high, level=interval.level)


def interval_from_proto(message: measurement_pb2.Interval) -> Interval:
    """Return the interval in a message."""
    return Interval(message.low, message.high, message.level)


def _inline_corpus(message: corpus_pb2.InlineCorpus, field: str) -> Corpus:
    try:
        return corpus_from_proto(message)
    except InvalidInputError as error:
        # The corpus knows its own parts; where it stands in the request is known here.
        inside = f"{field}.{error.field}" if error.field else field
        raise InvalidInputError(error.message, **{**error.metadata, "field": inside}) from None


def _provenance_to_proto(provenance: Provenance) -> corpus_pb2.Provenance:
    return corpus_pb2.Provenance(
        **{name: getattr(provenance, name) for name in Provenance.__dataclass_fields__}
    )


def _provenance_from_proto(message: corpus_pb2.Provenance) -> Provenance:
    values = {name: getattr(message, name) for name in Provenance.__dataclass_fields__}
    values["exemplar_ids"] = tuple(message.exemplar_ids)
    values["requested_labels"] = tuple(message.requested_labels)
    return Provenance(**values)
