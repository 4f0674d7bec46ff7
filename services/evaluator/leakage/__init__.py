"""What several corpora share that they should not: what is compared, and what was found."""

from dataclasses import dataclass
from typing import NamedTuple

from services.domain.corpus import Corpus
from services.evaluator.fidelity import Floats

EQUAL_TEXT = "equal_text"
NEAR_DUPLICATE = "near_duplicate"
EMBEDDING_NEIGHBOUR = "embedding_neighbour"
SHARED_FAMILY = "shared_family"
KINDS = (EQUAL_TEXT, NEAR_DUPLICATE, EMBEDDING_NEIGHBOUR, SHARED_FAMILY)

# The part that says what is near by chance, where no other is named.
REAL = "real"


@dataclass(frozen=True, slots=True)
class Audited:
    """A corpus under the name of its part: real, synthetic, validation, test, reference.

    Args:
        name: In the audit's findings.
        corpus: Its documents.
        embeddings: Shape (n, d), finite, of the encoder of all other corpora; None
            leaves embedding neighbours out, with a reason.
    """

    name: str
    corpus: Corpus
    embeddings: Floats | None = None


@dataclass(frozen=True, slots=True)
class Pair:
    """Two documents that share something.

    Attributes:
        left: Identifier in the finding's left corpus.
        right: In its right one.
        similarity: Jaccard similarity of three-word shingles for near-duplicates,
            cosine for embedding neighbours, 1 for equal texts and shared families.
    """

    left: str
    right: str
    similarity: float


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of leakage between two corpora.

    Args:
        left, right: Names of the corpora, in the order of the audit.
        kind: One of `KINDS`.
        left_count, right_count: Documents compared.
        pairs: The most similar first, then by identifiers.
        undefined_reason: Why nothing was compared; empty where it was.
    """

    left: str
    right: str
    kind: str
    left_count: int
    right_count: int
    pairs: tuple[Pair, ...] = ()
    undefined_reason: str = ""

    @property
    def pair_count(self) -> int | None:
        """Pairs found; None where nothing was compared."""
        return None if self.undefined_reason else len(self.pairs)

    @property
    def left_found(self) -> int | None:
        """Documents of the left corpus in any pair; None where nothing was compared."""
        return None if self.undefined_reason else len({pair.left for pair in self.pairs})

    @property
    def right_found(self) -> int | None:
        """Documents of the right corpus in any pair; None where nothing was compared."""
        return None if self.undefined_reason else len({pair.right for pair in self.pairs})


class Calibration(NamedTuple):
    """The cosine from which two documents count as neighbours.

    Attributes:
        threshold: In [-1, 1].
        quantile: Of the nearest cosines that it is, in (0, 1).
        document_count: Real documents it was read from.
    """

    threshold: float
    quantile: float
    document_count: int


@dataclass(frozen=True, slots=True)
class LeakageAudit:
    """All findings, pairs of corpora in order and kinds in the order of `KINDS` within.

    `calibration` is None where embedding neighbours were left out.
    """

    findings: tuple[Finding, ...]
    calibration: Calibration | None

    def find(self, left: str, right: str, kind: str) -> Finding:
        """Return one finding; raises StopIteration where there is none."""
        return next(f for f in self.findings if (f.left, f.right, f.kind) == (left, right, kind))
