"""What is asked about leakage, and what is answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from services.domain.artifact import ArtifactRef
from services.domain.corpus import Corpus
from services.domain.errors import InvalidInputError
from services.evaluator.leakage import KINDS, Pair

# All findings have to fit into one message.
MOST_CORPORA = 40
MOST_LISTED = 20_000
LISTED_EACH = 100


@dataclass(frozen=True, slots=True)
class AuditedCorpus:
    """A part of a study.

    Attributes:
        name: Unique within the audit; real, synthetic, validation, test, reference.
        embeddings: Of the encoder of all others; None leaves them to the audit's encoder.
    """

    name: str
    corpus: ArtifactRef | Corpus
    embeddings: ArtifactRef | None = None


@dataclass(frozen=True, slots=True)
class LeakageSpec:
    """Corpora of which every two are compared.

    Attributes:
        encoder: Embeds the corpora without embeddings; where it is empty, these have no
            embedding neighbours, and the findings say so.
        fit_on: Training texts of an encoder that is fitted.
        calibrated_on: The corpus whose documents say what is near by chance; empty for "real".
        quantile: In (0, 1); None for .999.
        maximum_pairs: Pairs listed of each finding; 0 for 100, or for as many as all findings
            together may list.
    """

    corpora: tuple[AuditedCorpus, ...]
    encoder: str = ""
    fit_on: ArtifactRef | Corpus | None = None
    calibrated_on: str = ""
    quantile: float | None = None
    maximum_pairs: int = 0


@dataclass(frozen=True, slots=True)
class LeakageFinding:
    """One kind of leakage between two corpora; counts are of all pairs, listed or not.

    Attributes:
        left: Name of a corpus; `right`, of one that stands after it.
        kind: One of `services.evaluator.leakage.KINDS`.
        left_count: Documents compared; as `right_count`.
        pair_count: None where nothing was compared.
        left_found: Documents of the left corpus in any pair; as `right_found`.
        threshold: Of the similarity; None for kinds that know none, and where nothing was
            compared.
        pairs: The most similar first, at most the report's `maximum_pairs`.
        undefined_reason: Why nothing was compared; empty where it was.
    """

    left: str
    right: str
    kind: str
    left_count: int
    right_count: int
    pair_count: int | None
    left_found: int | None
    right_found: int | None
    threshold: float | None
    pairs: tuple[Pair, ...]
    undefined_reason: str


@dataclass(frozen=True, slots=True)
class LeakageCalibration:
    """The cosine beyond which documents are neighbours, and the corpus it was read from."""

    threshold: float
    quantile: float
    document_count: int
    corpus: str


@dataclass(frozen=True, slots=True)
class LeakageReport:
    """All findings, pairs of corpora in order and kinds in the order of `KINDS` within.

    `calibration` is None where embedding neighbours were left out.
    """

    findings: tuple[LeakageFinding, ...]
    calibration: LeakageCalibration | None
    maximum_pairs: int

    def find(self, left: str, right: str, kind: str) -> LeakageFinding:
        """Return one finding; raises StopIteration where there is none."""
        return next(f for f in self.findings if (f.left, f.right, f.kind) == (left, right, kind))


def require_names(names: Sequence[str], calibrated_on: str) -> None:
    """Refuse corpora that cannot be told apart or are too many, and a calibration on none of them.

    Args:
        names: Of the corpora.
        calibrated_on: One of them; empty where there is no calibration.
    """
    if not 2 <= len(names) <= MOST_CORPORA:
        raise InvalidInputError(
            f"leakage is between two corpora and is audited between at most {MOST_CORPORA}; "
            f"there are {len(names)}",
            field="corpora",
        )
    for i, name in enumerate(names):
        if not name or name in names[:i]:
            raise InvalidInputError(
                f"each corpus needs a name of its own; {name!r} is none", field=f"corpora[{i}].name"
            )
    if calibrated_on and calibrated_on not in names:
        raise InvalidInputError(
            f"no corpus is named {calibrated_on!r}, so that nothing says what is near by chance; "
            f"there are: {', '.join(names)}",
            field="calibrated_on",
        )


def require_quantile(quantile: float | None) -> None:
    """Refuse a quantile that is none; None is the audit's own."""
    if quantile is not None and not 0 < quantile < 1:
        raise InvalidInputError(f"a quantile lies between 0 and 1, not at {quantile}", field="quantile")


def listed_pairs(asked: int, corpus_count: int) -> int:
    """Return how many pairs are listed of each finding between some corpora.

    Args:
        asked: 0 for `LISTED_EACH`, or fewer where all findings would list too many.
        corpus_count: 2 to `MOST_CORPORA`.

    Raises:
        InvalidInputError: Negative, or too many.
    """
    findings = len(KINDS) * corpus_count * (corpus_count - 1) // 2
    most = MOST_LISTED // findings
    if not 0 <= asked <= most:
        raise InvalidInputError(
            f"{corpus_count} corpora make {findings} findings, of which up to {most} pairs each can be "
            f"listed, not {asked}; counts are of all pairs anyway",
            field="maximum_pairs",
        )
    return asked or min(LISTED_EACH, most)
