"""Documents of one task, in a fixed order."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from services.domain.document import Document
from services.domain.errors import InvalidInputError
from services.domain.task import Indicator, Task, TaskType


@dataclass(frozen=True)
class Corpus:
    """An immutable list of documents.

    Raises:
        InvalidInputError: No documents, a repeated identifier, a document
            without text or labels, a label outside the task, or several labels
            in a single-label task.
    """

    task: Task
    documents: tuple[Document, ...]

    def __post_init__(self) -> None:
        if not self.documents:
            raise InvalidInputError("a corpus needs at least one document", field="documents")
        _check_identifiers(self.documents)
        known = set(self.task.labels)
        for i, document in enumerate(self.documents):
            _check_document(i, document, self.task, known)

    def __len__(self) -> int:
        return len(self.documents)

    @cached_property
    def ids(self) -> tuple[str, ...]:
        return tuple(d.id for d in self.documents)

    @cached_property
    def texts(self) -> tuple[str, ...]:
        return tuple(d.text for d in self.documents)

    @cached_property
    def families(self) -> tuple[str, ...]:
        return tuple(d.family for d in self.documents)

    @cached_property
    def indicator(self) -> Indicator:
        """Shape (n, labels)."""
        return self.task.encode([d.labels for d in self.documents])

    def take(self, rows: Iterable[int] | np.ndarray) -> "Corpus":
        """Return the documents of some rows, in the order of the rows."""
        return Corpus(self.task, tuple(self.documents[int(i)] for i in rows))


def _check_identifiers(documents: Sequence[Document]) -> None:
    counts = Counter(d.id for d in documents)
    identifier, count = counts.most_common(1)[0]
    if count > 1:
        repeated = sum(1 for n in counts.values() if n > 1)
        raise InvalidInputError(
            f"{repeated} document ids occur more than once, for example {identifier!r} ({count} times)",
            field="documents.id",
        )


def _check_document(i: int, document: Document, task: Task, known: set[str]) -> None:
    if not document.text.strip():
        raise InvalidInputError(
            f"document {document.id!r} (row {i}) has no text", field=f"documents[{i}].text"
        )
    if not document.labels:
        raise InvalidInputError(
            f"document {document.id!r} (row {i}) has no labels", field=f"documents[{i}].labels"
        )
    unknown = [name for name in document.labels if name not in known]
    if unknown:
        raise InvalidInputError(
            f"document {document.id!r} (row {i}) has label {unknown[0]!r}, which is not among the task's "
            f"{len(task.labels)} labels",
            field=f"documents[{i}].labels",
        )
    if task.type is TaskType.SINGLE_LABEL and len(document.labels) != 1:
        raise InvalidInputError(
            f"document {document.id!r} (row {i}) has {len(document.labels)} labels in a single-label task",
            field=f"documents[{i}].labels",
        )
