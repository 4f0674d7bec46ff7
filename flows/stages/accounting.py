"""What of the written candidates may be used, and an account of all of them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
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
    return screen_shares([(0, outcome) for outcome in outcomes], [real], keeps_rejected=keeps_rejected)[0]


def screen_shares(
    dealt: Sequence[tuple[int, Outcome]], shares: Sequence[Real], *, keeps_rejected: bool
) -> tuple[Screened, ...]:
    """Hold candidates of several corpora against the real documents and against one another, whosesoever.

    Args:
        dealt: Whose each candidate is, a place in `shares`, and the candidate; earlier ones
            stand, later ones repeat them.
        shares: One per corpus; they differ in what is visible and in nothing else.
        keeps_rejected: Whether repetitions are counted and kept.
    """
    written = [(share, o.document) for share, o in dealt if o.document is not None]
    held_out = [real.held_out for real in shares]
    barred = [(share, _barred(document, held_out[share])) for share, document in written]
    usable = [one for one, (_, reason) in zip(written, barred, strict=True) if not reason]
    documents = [document for _, document in usable]
    first = shares[0]
    screening = screen_corpus(documents, first.train, first.test, first.reference)
    accepted = range(len(usable)) if keeps_rejected else screening.accepted
    found = []
    for share, real in enumerate(shares):
        repeating = [r for r in screening.rejections if usable[r.position][0] == share]
        outcome = "flagged" if keeps_rejected else "rejected"
        reasons = Counter(rejection.reason for rejection in repeating)
        mine = [o for owner, o in dealt if owner == share]
        rejected = Counter(o.rejection_reason for o in mine if o.rejection_reason)
        rejected += Counter(reason for owner, reason in barred if reason and owner == share)
        found.append(
            Screened(
                kept=_adopted([documents[i] for i in accepted if usable[i][0] == share], real.train),
                rejected=_sorted(rejected if keeps_rejected else rejected + reasons),
                failed=_sorted(Counter(o.failure_reason for o in mine if o.failure_reason)),
                flagged=_sorted(reasons) if keeps_rejected else {},
                examples=_examples(documents, repeating, outcome, real),
            )
        )
    return tuple(found)


def _barred(document: Document, held_out: Mapping[str, str]) -> str:
    made = document.provenance
    seen = (made.source_id, *made.exemplar_ids) if made else ()
    return next((held_out[identifier] for identifier in seen if identifier in held_out), "")


def _adopted(documents: Sequence[Document], train: Corpus) -> tuple[Document, ...]:
    """Put documents that name no source but repeat a real one into that one's family.

    Otherwise such a copy would stay in training while its original is held out,
    and lift the arm's own threshold.
    """
    families = _families_by_words(train)
    return tuple(
        document
        if document.provenance and document.provenance.source_id
        else replace(document, family=families.get(normalised(document.text), document.family))
        for document in documents
    )


# A study screens all of its corpora against one train pool.
@lru_cache(maxsize=2)
def _families_by_words(train: Corpus) -> dict[str, str]:
    return {normalised(text): family for text, family in zip(train.texts, train.families, strict=True)}


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
