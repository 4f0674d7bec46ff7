"""What of the written candidates may be used, and an account of all of them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from services.domain.corpus import Corpus
from services.domain.document import Document
from services.domain.errors import StudyError
from services.domain.texts import normalised
from services.generator.planning import Outcome
from services.generator.screening import CorpusRejection, screen_corpus

SHOWN_EXAMPLES = 10


@dataclass(frozen=True)
class CorpusKey:
    """Which corpus: regime 0 for one that recurs in every regime."""

    generator: str
    replicate: int
    regime: int = 0


@dataclass(frozen=True)
class Written:
    """A corpus and its account: requested = accepted + rejected + failed.

    `flagged` counts what screening found in documents it did not remove. The
    corpus is empty where nothing was accepted.
    """

    key: CorpusKey
    corpus: str
    document_count: int
    requested: int
    rejected: dict[str, int]
    failed: dict[str, int]
    flagged: dict[str, int]
    exhausted: bool
    examples: list[dict[str, Any]]

    def __post_init__(self) -> None:
        lost = self.requested - self.accepted - sum(self.rejected.values()) - sum(self.failed.values())
        if lost:
            raise StudyError(f"{lost} candidates of {self.key.generator} are unaccounted for")

    @property
    def accepted(self) -> int:
        return self.document_count


@dataclass(frozen=True)
class Real:
    """The real documents that candidates are held against.

    Args:
        train: The whole train pool.
        test: Scored, never trained on.
        reference: For fidelity; None where there is none.
        visible: Identifiers of the documents that this corpus may be written from.
    """

    train: Corpus
    test: Corpus
    reference: Corpus | None
    visible: frozenset[str]

    @property
    def held_out(self) -> Mapping[str, str]:
        """Why a document may not be a source, by its identifier."""
        found = dict.fromkeys(self.train.ids, "source_outside_regime")
        found |= dict.fromkeys(self.test.ids, "written_from_test")
        if self.reference is not None:
            found |= dict.fromkeys(self.reference.ids, "written_from_reference")
        return {identifier: reason for identifier, reason in found.items() if identifier not in self.visible}


@dataclass(frozen=True)
class Screened:
    """Candidates after screening.

    Args:
        kept: What may be used, in index order.
        rejected: Counts by reason.
        failed: Counts by reason.
        flagged: Counts of what was found and kept.
        examples: Rejected or flagged documents beside their nearest real one.
    """

    kept: tuple[Document, ...]
    rejected: dict[str, int]
    failed: dict[str, int]
    flagged: dict[str, int]
    examples: list[dict[str, Any]]


def screen(outcomes: Sequence[Outcome], real: Real, *, keeps_rejected: bool) -> Screened:
    """Hold all candidates so far against the real documents and one another.

    A document written from one that this replicate's regime does not hold is
    rejected whatever the backend: it would carry test documents into training,
    or more real documents than the control has.
    """
    documents = [outcome.document for outcome in outcomes if outcome.document is not None]
    held_out = real.held_out
    sourced = [_barred(document, held_out) for document in documents]
    usable = [document for document, reason in zip(documents, sourced, strict=True) if not reason]
    screening = screen_corpus(usable, real.train, real.test, real.reference)
    accepted = usable if keeps_rejected else [usable[i] for i in screening.accepted]
    rejected = Counter(outcome.rejection_reason for outcome in outcomes if outcome.rejection_reason)
    rejected += Counter(reason for reason in sourced if reason)
    outcome = "flagged" if keeps_rejected else "rejected"
    return Screened(
        kept=_adopted(accepted, real.train),
        rejected=_sorted(rejected if keeps_rejected else rejected + Counter(screening.reasons)),
        failed=_sorted(Counter(outcome.failure_reason for outcome in outcomes if outcome.failure_reason)),
        flagged=dict(screening.reasons) if keeps_rejected else {},
        examples=_examples(usable, screening.rejections, outcome, real),
    )


def _barred(document: Document, held_out: Mapping[str, str]) -> str:
    made = document.provenance
    seen = (made.source_id, *made.exemplar_ids) if made else ()
    return next((held_out[identifier] for identifier in seen if identifier in held_out), "")


def _adopted(documents: Sequence[Document], train: Corpus) -> tuple[Document, ...]:
    """Put documents that name no source but repeat a real one into that one's family.

    Otherwise such a copy would stay in training while its original is held out,
    and lift the arm's own threshold.
    """
    families = {normalised(text): family for text, family in zip(train.texts, train.families, strict=True)}
    return tuple(
        document
        if document.provenance and document.provenance.source_id
        else replace(document, family=families.get(normalised(document.text), document.family))
        for document in documents
    )


def _examples(
    documents: Sequence[Document], rejections: Sequence[CorpusRejection], outcome: str, real: Real
) -> list[dict[str, Any]]:
    corpora = [c for c in (real.train, real.test, real.reference) if c is not None]
    texts = {document.id: document.text for corpus in corpora for document in corpus.documents}
    texts |= {document.id: document.text for document in documents}
    return [
        {
            "outcome": outcome,
            "reason": rejection.reason,
            "text": documents[rejection.position].text,
            "nearest_id": rejection.nearest_id,
            "nearest_text": texts.get(rejection.nearest_id, ""),
            "similarity": rejection.similarity,
        }
        for rejection in rejections[:SHOWN_EXAMPLES]
    ]


def _sorted(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items()))
