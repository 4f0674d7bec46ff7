"""From rows to corpora of one task, with every row accounted for."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from flows.auditing.checks import (
    LEAST_LABEL_DOCUMENTS,
    require_common_labels,
    require_documents,
    require_several_labels,
    require_several_rows,
)
from flows.auditing.records import Record, Tables
from flows.auditing.written import SyntheticFile, synthetic_file
from flows.families import families_of
from services.domain.corpus import Corpus
from services.domain.document import Document
from services.domain.errors import InvalidInputError
from services.domain.task import Task, TaskType

# Real and test files often number their rows alike.
TEST_MARK = "test:"


@dataclass(frozen=True, slots=True)
class Corpora:
    """What an audit compares.

    Attributes:
        real: Without the documents whose family the test holds.
        test: None where the real documents test themselves by cross-fitting.
        overlapping: Real documents left out because the test holds their family.
        rare_labels: Labels with a single document in both real files together; they are not
            part of the task.
        unlabelled: Documents that had no other labels than these.
    """

    task: Task
    real: Corpus
    test: Corpus | None
    files: tuple[SyntheticFile, ...]
    overlapping: tuple[Document, ...]
    rare_labels: tuple[str, ...]
    unlabelled: tuple[Document, ...]

    @property
    def known_real(self) -> tuple[Document, ...]:
        """All documents of the real file that have labels of the task."""
        return self.real.documents + self.overlapping

    @property
    def tested(self) -> Corpus:
        """What the verdicts are measured on."""
        return self.test or self.real


def build_corpora(tables: Tables) -> Corpora:
    """Return the corpora of some tables.

    Raises:
        InvalidInputError: A real table is empty, the one to train on has one row, there is a document without text or labels or a
            repeated identifier, all its families stand in the test, or the label sets of two
            tables have nothing in common.
    """
    for table in filter(None, (tables.real, tables.test)):
        require_documents(table)
    require_several_rows(tables.real)
    require_common_labels(tables)
    require_several_labels(tables)
    mark = _test_mark(tables.real.records)
    real, test = _real_documents(tables, mark)
    tested = {document.family for document in test}
    kept = [d for d in real if d.family not in tested]
    task, rare = _task((*kept, *test))
    known, overlapping, examined = (
        _labelled(documents, task) for documents in (kept, [d for d in real if d.family in tested], test)
    )
    if not known:
        raise InvalidInputError(
            f"no document of {tables.real.name} is left to train on: {len(overlapping):,} stand in the "
            f"test file too and {len(kept):,} have only labels with a single document; give different files",
            field="real",
        )
    family_of = {d.id.removeprefix(mark): d.family for d in test} | {d.id: d.family for d in real}
    return Corpora(
        task=task,
        real=Corpus(task, known),
        test=Corpus(task, examined) if tables.test else None,
        files=tuple(synthetic_file(t, task, rare, family_of) for t in tables.synthetic.values()),
        overlapping=overlapping,
        rare_labels=rare,
        unlabelled=tuple(d for d in (*kept, *test) if not set(d.labels) & set(task.labels)),
    )


def label_counts(corpus: Corpus) -> dict[str, int]:
    """Return the number of documents of every label of the task."""
    return dict(zip(corpus.task.labels, map(int, corpus.indicator.sum(axis=0)), strict=True))


def _real_documents(tables: Tables, mark: str) -> tuple[list[Document], list[Document]]:
    """Return real and test documents with families built over both files at once."""
    examined = tables.test.records if tables.test else ()
    records = (*tables.real.records, *examined)
    families = families_of([record.text or "" for record in records], [record.family for record in records])
    documents = [_document(record, family) for record, family in zip(records, families, strict=True)]
    count = len(tables.real.records)
    return documents[:count], [replace(d, id=f"{mark}{d.id}") for d in documents[count:]]


def _test_mark(real: Sequence[Record]) -> str:
    """Return what test identifiers begin with here; no real identifier does."""
    mark = TEST_MARK
    while any(record.id.startswith(mark) for record in real):
        mark += TEST_MARK
    return mark


def _document(record: Record, family: str) -> Document:
    return Document(record.id, record.text or "", record.labels, family)


def _task(documents: Sequence[Document]) -> tuple[Task, tuple[str, ...]]:
    """Guess the task, single-label where no document has two labels, and name its rare labels."""
    counts = Counter(label for document in documents for label in document.labels)
    labels = sorted(label for label, count in counts.items() if count >= LEAST_LABEL_DOCUMENTS)
    rare = tuple(sorted(set(counts) - set(labels)))
    if not labels:
        raise InvalidInputError(
            f"each of the {len(counts)} labels has a single document, for example {rare[0]!r}; check the "
            "labels column and the separator (--labels-column, --label-separator)",
            field="labels",
        )
    several = any(len(document.labels) > 1 for document in documents)
    return Task(TaskType.MULTI_LABEL if several else TaskType.SINGLE_LABEL, tuple(labels)), rare


def _labelled(documents: Iterable[Document], task: Task) -> tuple[Document, ...]:
    """Return the documents that have labels of the task, with these alone."""
    known = set(task.labels)
    found = (replace(d, labels=tuple(name for name in d.labels if name in known)) for d in documents)
    return tuple(document for document in found if document.labels)
