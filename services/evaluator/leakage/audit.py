"""Leakage between the parts of a study: equal texts, near-duplicates, neighbours, families.

Between two corpora all documents are compared. Whether a pair is wrong depends on
the parts: a paraphrase is of its source's family, and may be in training; the same
pair with a test document is a leak. The audit counts; it does not judge.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

import numpy as np

from services.domain.errors import InvalidInputError
from services.evaluator.fidelity import Floats
from services.evaluator.leakage import (
    EMBEDDING_NEIGHBOUR,
    EQUAL_TEXT,
    NEAR_DUPLICATE,
    REAL,
    SHARED_FAMILY,
    Audited,
    Calibration,
    Finding,
    LeakageAudit,
    Pair,
)
from services.evaluator.leakage.planning import require_names, require_quantile
from services.evaluator.leakage.texts import Texts, equal_pairs, family_pairs, near_pairs, repeating_pairs
from services.evaluator.leakage.vectors import QUANTILE, calibrate, neighbour_pairs, related, unit
from services.features.matrices import check_finite

# With fewer, the nearest of unrelated documents are too few to say what is near.
FEWEST_GROUPS = 100


def audit_leakage(
    corpora: Sequence[Audited], *, calibrated_on: str = REAL, quantile: float = QUANTILE
) -> LeakageAudit:
    """Compare every two corpora.

    Embedding neighbours are pairs with a cosine beyond `Calibration.threshold`:
    the quantile of the cosines between documents of one real corpus and their
    nearest of another family that is no near-duplicate.

    Args:
        corpora: Two or more, each under its own name.
        calibrated_on: The corpus whose documents say what is near by chance.
        quantile: In (0, 1).

    Raises:
        InvalidInputError: Fewer than two corpora or too many, a name twice, embeddings that do
            not fit their corpus or each other, or a quantile outside (0, 1).
    """
    _check(corpora, quantile)
    texts = {one.name: Texts(one.corpus) for one in corpora}
    vectors = {one.name: unit(one.embeddings) for one in corpora if one.embeddings is not None}
    real = next((one for one in corpora if one.name == calibrated_on), None)
    calibration = None if real is None else _calibration(real, texts[real.name], vectors, quantile)
    reason = _why_not(real, calibrated_on)
    findings: list[Finding] = []
    for left, right in combinations(corpora, 2):
        of_left, of_right = texts[left.name], texts[right.name]
        findings += (
            _finding(left, right, EQUAL_TEXT, equal_pairs(of_left, of_right)),
            _finding(left, right, NEAR_DUPLICATE, near_pairs(of_left, of_right)),
            _neighbours(left, right, vectors, calibration, reason),
            _finding(left, right, SHARED_FAMILY, family_pairs(left.corpus, right.corpus)),
        )
    return LeakageAudit(tuple(findings), calibration)


def _calibration(
    real: Audited, texts: Texts, vectors: Mapping[str, Floats], quantile: float
) -> Calibration | None:
    groups = related(real.corpus, repeating_pairs(texts))
    if real.name not in vectors or len(np.unique(groups)) < FEWEST_GROUPS:
        return None
    return calibrate(vectors[real.name], groups, quantile)


def _why_not(real: Audited | None, name: str) -> str:
    """Say why there is no calibration, given that there is none."""
    if real is None:
        return f"no corpus is named {name!r}, so that nothing says what is near by chance"
    if real.embeddings is None:
        return f"corpus {name!r} came without embeddings"
    return f"corpus {name!r} has fewer than {FEWEST_GROUPS} unrelated documents to say what is near by chance"


def _neighbours(
    left: Audited, right: Audited, vectors: Mapping[str, Floats], calibration: Calibration | None, reason: str
) -> Finding:
    missing = [one.name for one in (left, right) if one.name not in vectors]
    if calibration is None or missing:
        why = reason if calibration is None else f"corpus {missing[0]!r} came without embeddings"
        counts = len(left.corpus), len(right.corpus)
        return Finding(left.name, right.name, EMBEDDING_NEIGHBOUR, *counts, undefined_reason=why)
    names = left.corpus.ids, right.corpus.ids
    pairs = neighbour_pairs(vectors[left.name], vectors[right.name], names, calibration.threshold)
    return _finding(left, right, EMBEDDING_NEIGHBOUR, pairs)


def _finding(left: Audited, right: Audited, kind: str, pairs: Iterable[Pair]) -> Finding:
    ordered = tuple(sorted(pairs, key=lambda pair: (-pair.similarity, pair.left, pair.right)))
    return Finding(left.name, right.name, kind, len(left.corpus), len(right.corpus), ordered)


def _check(corpora: Sequence[Audited], quantile: float) -> None:
    require_names([one.name for one in corpora], "")
    require_quantile(quantile)
    widths = {one.embeddings.shape[1] for one in corpora if one.embeddings is not None}
    if len(widths) > 1:
        raise InvalidInputError(
            f"embeddings have {' and '.join(map(str, sorted(widths)))} dimensions: embed all by one encoder",
            field="corpora.embeddings",
        )
    for i, one in enumerate(corpora):
        if one.embeddings is not None:
            _check_embeddings(one, one.embeddings, f"corpora[{i}].embeddings")


def _check_embeddings(audited: Audited, embeddings: Floats, field: str) -> None:
    if len(embeddings) != len(audited.corpus):
        raise InvalidInputError(
            f"{len(embeddings)} embeddings for {len(audited.corpus)} documents of {audited.name!r}",
            field=field,
        )
    check_finite(embeddings, f"the matrix of {audited.name!r}", field)
