"""What an index is made of, and the name that follows from it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.domain.artifact import ArtifactRef
from services.domain.corpus import Corpus
from services.domain.digest import spec_digest
from services.domain.errors import InvalidInputError
from services.domain.measurement import Measurement
from services.domain.task import Task, TaskType


@dataclass(frozen=True, slots=True)
class SegmentRows:
    """Rows of one corpus.

    Args:
        corpus: The corpus; a client may send a small one along.
        rows: Distinct rows; empty for all.
        embeddings: Of the whole corpus; None for retrievers that need none.
        synthetic: The reading "real_only" gives these documents no gain.
    """

    corpus: ArtifactRef | Corpus
    rows: tuple[int, ...] = ()
    embeddings: ArtifactRef | None = None
    synthetic: bool = False

    @property
    def stored(self) -> ArtifactRef:
        """The corpus' reference; a service stores what came along before it looks at it.

        Raises:
            InvalidInputError: It has not been stored.
        """
        if isinstance(self.corpus, Corpus):
            raise InvalidInputError("the corpus of a segment has to be stored first", field="spec.segments")
        return self.corpus


@dataclass(frozen=True, slots=True)
class IndexSpec:
    """Everything an index depends on.

    Raises:
        InvalidInputError: There are no segments.
    """

    retriever: str
    segments: tuple[SegmentRows, ...]
    task: Task

    def __post_init__(self) -> None:
        if not self.segments:
            raise InvalidInputError("an index needs at least one segment", field="spec.segments")


@dataclass(frozen=True, slots=True)
class RetrievalEvaluation:
    """An index under one reading.

    `per_query` refers to arrays by metric, shape (queries,), beside
    "<metric>.defined" and "defined", which says where all metrics are.
    """

    measurements: tuple[Measurement, ...]
    per_query: ArtifactRef


def index_id(spec: IndexSpec, version: str) -> str:
    """Return the digest of a specification under a version of its retriever."""
    return spec_digest({"kind": "index", "version": version, "spec": spec_to_json(spec)})


def spec_to_json(spec: IndexSpec) -> dict[str, Any]:
    """Return a specification as a JSON value."""
    return {
        "retriever": spec.retriever,
        "task": {"type": spec.task.type.value, "labels": list(spec.task.labels)},
        "segments": [
            {
                "corpus": segment.stored.sha256,
                "rows": list(segment.rows),
                "embeddings": segment.embeddings.sha256 if segment.embeddings else "",
                "synthetic": segment.synthetic,
            }
            for segment in spec.segments
        ],
    }


def spec_from_json(value: Mapping[str, Any]) -> IndexSpec:
    """Return the specification that `spec_to_json` wrote."""
    task = Task(TaskType(value["task"]["type"]), tuple(value["task"]["labels"]))
    segments = tuple(
        SegmentRows(
            ArtifactRef.stored(s["corpus"]),
            tuple(s["rows"]),
            ArtifactRef.stored(s["embeddings"]) if s["embeddings"] else None,
            s["synthetic"],
        )
        for s in value["segments"]
    )
    return IndexSpec(value["retriever"], segments, task)
