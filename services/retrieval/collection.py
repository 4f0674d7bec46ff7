"""Documents of an index, read from the store and checked."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.domain.artifact import ArtifactRef
from services.domain.corpus import Corpus
from services.domain.errors import InvalidInputError
from services.domain.labels import label_masks
from services.domain.task import Task
from services.features.matrices import Matrix, check_comparable, read_matrix
from services.retrieval.retrievers import Items
from services.retrieval.specification import IndexSpec, SegmentRows
from services.storage.store import Store


@dataclass(frozen=True, slots=True)
class Collection:
    """Documents in the order of their positions.

    Args:
        items: What a retriever may look at.
        ids: One each; segments may share identifiers, positions decide.
        families: One each.
        synthetic: Shape (n,).
        encoder: Revision behind the embeddings; empty where unknown or unused.
    """

    items: Items
    ids: tuple[str, ...]
    families: tuple[str, ...]
    synthetic: npt.NDArray[np.bool_]
    encoder: str = ""

    def __len__(self) -> int:
        return len(self.ids)


def load_collection(store: Store, spec: IndexSpec, needs_embeddings: bool) -> Collection:
    """Read an index' documents.

    Raises:
        InvalidInputError: A segment is of another task, has a row beyond its end
            or twice, or lacks embeddings that are needed.
        PreconditionError: Segments were embedded by different encoders.
    """
    parts = [
        _load(store, segment, spec.task, needs_embeddings, f"spec.segments[{i}]")
        for i, segment in enumerate(spec.segments)
    ]
    matrices = [matrix for _, matrix, _ in parts if matrix is not None]
    for i, matrix in enumerate(matrices):
        check_comparable(matrices[0], matrix, f"spec.segments[{i}].embeddings")
    corpora = [corpus for corpus, _, _ in parts]
    rows = np.concatenate([matrix.rows for matrix in matrices]) if matrices else None
    return Collection(
        Items(
            tuple(text for corpus in corpora for text in corpus.texts),
            np.concatenate([label_masks(corpus.indicator) for corpus in corpora]),
            rows,
        ),
        tuple(identifier for corpus in corpora for identifier in corpus.ids),
        tuple(family for corpus in corpora for family in corpus.families),
        np.concatenate([np.full(len(corpus), synthetic) for corpus, _, synthetic in parts]),
        matrices[0].encoder if matrices else "",
    )


def load_queries(
    store: Store, queries: str, embeddings: str | None, collection: Collection, task: Task
) -> Collection:
    """Read queries and check that they fit a collection.

    Raises:
        InvalidInputError: They are of another task, or their embeddings have
            other dimensions or values that are not finite.
        PreconditionError: They were embedded by another encoder.
    """
    needed = collection.items.embeddings
    reference = ArtifactRef.stored(embeddings) if embeddings else None
    segment = SegmentRows(ArtifactRef.stored(queries), embeddings=reference)
    corpus, matrix, _ = _load(store, segment, task, False, "query")
    if matrix is not None and needed is not None:
        check_comparable(Matrix(needed, collection.encoder), matrix, "query_embeddings")
    items = Items(corpus.texts, label_masks(corpus.indicator), matrix.rows if matrix else None)
    return Collection(items, corpus.ids, corpus.families, np.zeros(len(corpus), dtype=bool))


def relatives(collection: Collection, queries: Collection) -> tuple[npt.NDArray[np.int64], ...]:
    """Return per query the positions it must not find: itself and its family."""
    members: dict[str, list[int]] = {}
    for position, family in enumerate(collection.families):
        members.setdefault(family, []).append(position)
    return tuple(np.array(members.get(family, ()), dtype=np.int64) for family in queries.families)


def _load(
    store: Store, segment: SegmentRows, task: Task, needs_embeddings: bool, field: str
) -> tuple[Corpus, Matrix | None, bool]:
    corpus = store.get_corpus(segment.stored)
    if corpus.task != task:
        raise InvalidInputError(
            f"{field} has a task of {len(corpus.task.labels)} labels that is not the index' own "
            f"({task.unlike(corpus.task)}): use one label list",
            field=field,
        )
    rows = _checked_rows(segment.rows, len(corpus), field)
    matrix = None
    if segment.embeddings is not None:
        whole = read_matrix(store, segment.embeddings, len(corpus), _embeddings_of(field))
        matrix = Matrix(whole.rows[rows], whole.encoder)
    elif needs_embeddings:
        raise InvalidInputError(f"{field} needs embeddings for this retriever", field=_embeddings_of(field))
    return (corpus.take(rows) if segment.rows else corpus), matrix, segment.synthetic


def _embeddings_of(field: str) -> str:
    return "query_embeddings" if field == "query" else f"{field}.embeddings"


def _checked_rows(rows: Sequence[int], count: int, field: str) -> npt.NDArray[np.int64]:
    if not rows:
        return np.arange(count)
    found = np.asarray(rows, dtype=np.int64)
    if found.min() < 0 or found.max() >= count:
        raise InvalidInputError(f"{field} names a row outside its {count} documents", field=f"{field}.rows")
    if len(np.unique(found)) < len(found):
        raise InvalidInputError(f"{field} names a row twice", field=f"{field}.rows")
    return found
