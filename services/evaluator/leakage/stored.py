"""Leakage between stored corpora: the worker job behind AuditLeakage."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

import pyarrow as pa
from safetensors import SafetensorError

from services.domain.artifact import ArtifactRef
from services.domain.corpus import Corpus
from services.domain.errors import InvalidInputError
from services.evaluator.leakage import (
    EMBEDDING_NEIGHBOUR,
    NEAR_DUPLICATE,
    Audited,
    Finding,
    LeakageAudit,
)
from services.evaluator.leakage.audit import audit_leakage
from services.evaluator.leakage.planning import (
    LeakageCalibration,
    LeakageFinding,
    LeakageReport,
)
from services.evaluator.leakage.vectors import QUANTILE
from services.features.matrices import Matrix, check_comparable, read_matrix
from services.features.near_duplicates import THRESHOLD
from services.storage.store import Store

VERSION = 1

Report = Callable[[dict[str, Any]], None]


def audit(payload: dict[str, Any], report: Report) -> dict[str, Any]:
    """Audit corpora, filed in the store under the digest of what was asked.

    Args:
        payload: store; corpora (name, corpus and embeddings by digest, embeddings
            possibly None); calibrated_on; quantile (None for the
            default); maximum_pairs of each finding.
        report: Gets activity, done_count and total_count: corpora read, then pairs
            of them compared.

    Returns:
        A `LeakageReport` as plain values.

    Raises:
        InvalidInputError: An artifact is no corpus, or embeddings are of another one.
        PreconditionError: Embeddings are of two encoders.
    """
    store = Store(payload["store"])
    asked = {
        "corpora": payload["corpora"],
        "calibrated_on": payload["calibrated_on"],
        "quantile": QUANTILE if payload["quantile"] is None else payload["quantile"],
        "maximum_pairs": payload["maximum_pairs"],
    }

    def compute() -> ArtifactRef:
        return store.put_json(asdict(_audit(store, asked, report)))

    key = {"what": "leakage_audit", "version": VERSION, **asked}
    return dict(store.get_json(store.computed(key, compute)))


def _audit(store: Store, asked: dict[str, Any], report: Report) -> LeakageReport:
    corpora = _read(store, asked["corpora"], report)
    pairs = len(corpora) * (len(corpora) - 1) // 2
    compared = {"activity": "pairs of corpora compared", "total_count": pairs}
    report({**compared, "done_count": 0})
    found = audit_leakage(corpora, calibrated_on=asked["calibrated_on"], quantile=asked["quantile"])
    report({**compared, "done_count": pairs})
    return _reported(found, asked["calibrated_on"], asked["maximum_pairs"])


def _read(store: Store, corpora: Sequence[dict[str, Any]], report: Report) -> list[Audited]:
    read: list[Audited] = []
    first: Matrix | None = None
    for i, one in enumerate(corpora):
        corpus = _corpus(store, one["corpus"], f"corpora[{i}].corpus")
        matrix = _matrix(store, one, len(corpus), f"corpora[{i}].embeddings")
        first = first or matrix
        if first is not None and matrix is not None:
            check_comparable(first, matrix, f"corpora[{i}].embeddings")
        read.append(Audited(one["name"], corpus, None if matrix is None else matrix.rows))
        report({"activity": "corpora read", "done_count": i + 1, "total_count": len(corpora)})
    return read


def _corpus(store: Store, sha256: str, field: str) -> Corpus:
    try:
        return store.get_corpus(sha256)
    except (pa.ArrowInvalid, InvalidInputError):
        raise InvalidInputError(f"artifact {sha256[:12]} holds no corpus", field=field) from None


def _matrix(store: Store, one: dict[str, Any], row_count: int, field: str) -> Matrix | None:
    """Return a corpus' embeddings; two corpora of one size are told apart by what these were made for."""
    if one["embeddings"] is None:
        return None
    try:
        made_for = store.get_arrays(one["embeddings"])[1].get("corpus", one["corpus"])
    except SafetensorError:
        raise InvalidInputError(f"artifact {one['embeddings'][:12]} holds no arrays", field=field) from None
    if made_for != one["corpus"]:
        raise InvalidInputError(
            f"embeddings were made for corpus {made_for[:12]}, and {one['name']!r} is {one['corpus'][:12]}: "
            "embed this one",
            field=field,
        )
    return read_matrix(store, one["embeddings"], row_count, field)


def _reported(found: LeakageAudit, calibrated_on: str, maximum_pairs: int) -> LeakageReport:
    calibration = None
    if found.calibration is not None:
        calibration = LeakageCalibration(*found.calibration, corpus=calibrated_on)
    cosine = None if calibration is None else calibration.threshold
    findings = tuple(_finding(finding, cosine, maximum_pairs) for finding in found.findings)
    return LeakageReport(findings, calibration, maximum_pairs)


def _finding(finding: Finding, cosine: float | None, maximum_pairs: int) -> LeakageFinding:
    thresholds = {NEAR_DUPLICATE: THRESHOLD, EMBEDDING_NEIGHBOUR: cosine}
    return LeakageFinding(
        left=finding.left,
        right=finding.right,
        kind=finding.kind,
        left_count=finding.left_count,
        right_count=finding.right_count,
        pair_count=finding.pair_count,
        left_found=finding.left_found,
        right_found=finding.right_found,
        threshold=None if finding.undefined_reason else thresholds.get(finding.kind),
        pairs=finding.pairs[:maximum_pairs],
        undefined_reason=finding.undefined_reason,
    )
