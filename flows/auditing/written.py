"""Rows of a synthetic file: candidates, and rows that are no documents of the task."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from flows.auditing.records import Record, Table
from services.domain.document import Document, Provenance
from services.domain.task import LabelSet, Task, TaskType

# A row with a label that neither real nor test documents have.
OUTSIDE = "label_outside_taxonomy"


class Discarded(NamedTuple):
    """A synthetic row that is no document of the task."""

    outcome: str  # "rejected" or "failed"
    reason: str
    text: str


@dataclass(frozen=True, slots=True)
class SyntheticFile:
    """Candidates in file order and the rows that are none; together all rows of the file.

    Attributes:
        sourced: How many candidates name a real document as their source.
    """

    name: str
    candidates: tuple[Document, ...]
    discarded: tuple[Discarded, ...]
    sourced: int

    @property
    def row_count(self) -> int:
        return len(self.candidates) + len(self.discarded)


def synthetic_file(
    table: Table, task: Task, rare: Sequence[str], family_of: Mapping[str, str]
) -> SyntheticFile:
    """Sort the rows of a file.

    Args:
        rare: Labels that are known but not part of the task; they are taken off.
        family_of: Families of real and test documents by the identifiers in their files.
    """
    candidates: list[Document] = []
    discarded: list[Discarded] = []
    for i, record in enumerate(table.records):
        labels = tuple(name for name in record.labels if name not in rare)
        found = _fault(record, labels, task)
        if found is None:
            candidates.append(_candidate(f"{table.name}:{i}", table.name, record, labels, family_of))
        else:
            discarded.append(found)
    sourced = sum(bool(d.provenance and d.provenance.source_id) for d in candidates)
    return SyntheticFile(table.name, tuple(candidates), tuple(discarded), sourced)


def _fault(record: Record, labels: LabelSet, task: Task) -> Discarded | None:
    """Say why a row is no document of the task; None where it is one."""
    if record.text is None:
        return Discarded("failed", "no_text", "")
    reason = _reason(record, labels, task)
    return Discarded("rejected", reason, record.text) if reason else None


def _reason(record: Record, labels: LabelSet, task: Task) -> str:
    if not (record.text or "").strip():
        return "empty"
    if not record.labels:
        return "no_labels"
    if not set(task.labels).issuperset(labels):
        return OUTSIDE
    if not labels:
        return "only_rare_labels"
    if task.type is TaskType.SINGLE_LABEL and len(labels) > 1:
        return "several_labels"
    return ""


def _candidate(
    identifier: str, name: str, record: Record, labels: LabelSet, family_of: Mapping[str, str]
) -> Document:
    """Return a synthetic document, in its source's family where it names one that exists."""
    source = record.source if record.source in family_of else ""
    provenance = Provenance(
        generator=name, backend="corpus_file", source_id=source, requested_labels=record.labels
    )
    family = family_of[source] if source else identifier
    return Document(identifier, record.text or "", labels, family, provenance=provenance)
