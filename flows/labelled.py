"""A corpus of labelled records, whatever they were read from."""

from collections import Counter
from collections.abc import Sequence

from flows.families import families_of
from services.domain.corpus import Corpus
from services.domain.document import Document
from services.domain.errors import InvalidInputError
from services.domain.task import Task, TaskType
from services.storage.columns import Record


def labelled_corpus(
    found: Sequence[Record], task_type: TaskType | None = None, minimum_label_documents: int = 0
) -> Corpus:
    """Return the records as documents; those that say the same form a family.

    Args:
        found: In the corpus's order.
        task_type: None for single-label where no document has two labels.
        minimum_label_documents: Rarer labels are left out, and documents left without labels.

    Raises:
        InvalidInputError: A record has no text or no labels (the message names file and row), or every
            label is too rare.
    """
    counts = Counter(label for record in found for label in record.labels)
    labels = tuple(sorted(label for label, number in counts.items() if number >= minimum_label_documents))
    if counts and not labels:
        (common, most), *_ = counts.most_common(1)
        raise InvalidInputError(
            f"no label has minimum_label_documents = {minimum_label_documents} documents; the most common one, "
            f"{common!r}, has {most}: lower it",
            field="dataset.parameters.minimum_label_documents",
        )
    documents = _documents(found, frozenset(labels))
    several = any(len(document.labels) > 1 for document in documents)
    guessed = TaskType.MULTI_LABEL if several else TaskType.SINGLE_LABEL
    return Corpus(Task(task_type or guessed, labels), documents)


def _documents(found: Sequence[Record], labels: frozenset[str]) -> tuple[Document, ...]:
    for record in found:
        if not record.text.strip() or not record.labels:
            lacking = "text" if not record.text.strip() else "labels"
            raise InvalidInputError(f"{record.place}: the document has no {lacking}", field="dataset")
    families = families_of([record.text for record in found], [record.family for record in found])
    made = (
        Document(
            record.id or record.place,
            record.text,
            tuple(label for label in record.labels if label in labels),
            family,
        )
        for record, family in zip(found, families, strict=True)
    )
    return tuple(document for document in made if document.labels)
