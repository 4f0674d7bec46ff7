"""What of a synthetic file may be trained on, and what happened to the rest."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from flows.auditing.corpora import Corpora
from flows.auditing.written import SyntheticFile
from flows.report.inputs import Example
from services.domain.corpus import Corpus
from services.domain.document import Document
from services.domain.errors import InvalidInputError
from services.domain.texts import normalised
from services.generator.screening import rules_for, screen_corpus, screen_document

SHOWN_EXAMPLES = 10
FROM_TEST = "written_from_test"
# Leaks come first: they are what a reader must see.
LEAKS = ("copy_of_test", FROM_TEST, "near_duplicate_of_test", "copy_of_real")


class Rejected(NamedTuple):
    """A row that was not accepted; `nearest_id` is "" where none was compared with."""

    outcome: str  # "rejected" or "failed"
    reason: str
    text: str
    nearest_id: str = ""
    similarity: float | None = None


@dataclass(frozen=True, slots=True)
class Screened:
    """A file's accepted documents and its account: requested = accepted + rejected + failed.

    Attributes:
        refused: Everything that was not accepted.
    """

    name: str
    accepted: Corpus
    refused: tuple[Rejected, ...]
    examples: tuple[Example, ...]

    @property
    def requested(self) -> int:
        return len(self.accepted) + len(self.refused)

    def count(self, outcome: str) -> int:
        """Return how many rows ended so."""
        return sum(row.outcome == outcome for row in self.refused)

    @property
    def reasons(self) -> dict[str, int]:
        """Counts by reason, most frequent first."""
        return _by_count(row.reason for row in self.refused)


def screen_file(file: SyntheticFile, corpora: Corpora) -> Screened:
    """Screen a file's candidates one by one, then against the real documents and one another.

    Raises:
        InvalidInputError: Nothing remains.
    """
    refused = [Rejected(*row) for row in file.discarded]
    candidates, singly = _screen_documents(file.candidates, corpora)
    screening = screen_corpus(candidates, Corpus(corpora.task, corpora.known_real), corpora.test)
    together = [
        Rejected("rejected", r.reason, candidates[r.position].text, r.nearest_id, r.similarity)
        for r in screening.rejections
    ]
    accepted = tuple(candidates[i] for i in screening.accepted)
    refused += [*singly, *together]
    if not accepted:
        raise InvalidInputError(_nothing_left(file.name, refused), field=f"synthetic.{file.name}")
    examples = _examples(refused, (*corpora.known_real, *(corpora.test.documents if corpora.test else ())))
    return Screened(file.name, Corpus(corpora.task, accepted), tuple(refused), examples)


def _screen_documents(
    candidates: Sequence[Document], corpora: Corpora
) -> tuple[list[Document], list[Rejected]]:
    rules = rules_for(corpora.task, corpora.real)
    text_of = {document.id: document.text for document in corpora.known_real}
    tested = set(corpora.test.families) if corpora.test else set()
    passed, refused = [], []
    for document in candidates:
        source = document.provenance.source_id if document.provenance else ""
        finding = screen_document(document.text, document.labels, rules, source=text_of.get(source, ""))
        if finding is not None:
            refused.append(Rejected("rejected", finding.reason, document.text))
        elif document.family in tested:
            refused.append(Rejected("rejected", FROM_TEST, document.text))
        else:
            passed.append(document)
    return passed, refused


def _nothing_left(name: str, refused: Sequence[Rejected]) -> str:
    if not refused:
        return f"{name} holds no documents; give a file with at least one"
    reasons = ", ".join(f"{reason} {n:,}" for reason, n in _by_count(row.reason for row in refused).items())
    return (
        f"nothing of {name} remains after screening: all {len(refused):,} rows were rejected or failed "
        f"({reasons}); check its columns, its labels and that it is not the real file"
    )


def _examples(refused: Sequence[Rejected], real: Sequence[Document]) -> tuple[Example, ...]:
    """Return examples in turn from every reason, leaks first, each beside a real document."""
    by_reason: dict[str, list[Rejected]] = {}
    for row in sorted(refused, key=lambda r: LEAKS.index(r.reason) if r.reason in LEAKS else len(LEAKS)):
        by_reason.setdefault(row.reason, []).append(row)
    chosen: list[Rejected] = []
    depth = 0
    while len(chosen) < min(SHOWN_EXAMPLES, len(refused)):
        chosen += [rows[depth] for rows in by_reason.values() if depth < len(rows)]
        depth += 1
    by_id = {document.id: document for document in real}
    words = [frozenset(normalised(document.text).split()) for document in real]
    return tuple(_example(row, real, by_id, words) for row in chosen[:SHOWN_EXAMPLES])


def _example(
    row: Rejected, real: Sequence[Document], by_id: Mapping[str, Document], words: Sequence[frozenset[str]]
) -> Example:
    similarity = row.similarity
    nearest = by_id.get(row.nearest_id)
    if nearest is None:
        own = frozenset(normalised(row.text).split())
        likeness = [_jaccard(own, other) for other in words]
        best = max(range(len(real)), key=likeness.__getitem__)
        nearest, similarity = real[best], likeness[best]
    return Example(row.outcome, row.reason, row.text, nearest.id, nearest.text, similarity)


def _jaccard(left: frozenset[str], right: frozenset[str]) -> float:
    return len(left & right) / max(len(left | right), 1)


def _by_count(reasons: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(reasons).items(), key=lambda item: (-item[1], item[0])))
