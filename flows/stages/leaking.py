"""Which documents of one part of a study stand, almost or in other words, in another."""

from collections.abc import Mapping, Sequence

import pandas as pd

from flows.report.columns import empty_table
from flows.stages.accounting import Written
from flows.stages.context import Study
from flows.stages.loading import Material
from services.domain.artifact import ArtifactRef
from services.evaluator.leakage.planning import AuditedCorpus, LeakageFinding, LeakageSpec

TRAIN = "train pool"
LISTED = 5


def audit_leakage(
    study: Study, material: Material, written: Sequence[Written], embeddings: Mapping[str, ArtifactRef]
) -> pd.DataFrame:
    """Return one row per two parts and kind of leakage, between real parts and the claimed corpora.

    Of a generator's corpora the first replicate's is audited, at the claims' regime where it has several.
    Embedding neighbours are left out where a part has no embeddings.
    """
    real = {TRAIN: material.train, "test": material.test, "reference": material.reference}
    parts = {name: sha for name, sha in real.items() if sha}
    claimed = set(study.design.claimed_generators)
    scopes = (0, study.design.claims.regime)
    for one in written:
        if (
            one.key.replicate == 0
            and one.key.generator in claimed
            and one.key.regime in scopes
            and one.corpus
        ):
            parts[one.key.generator] = one.corpus
    known = {name: embeddings.get(sha) for name, sha in parts.items()}
    whole = all(known.values())
    corpora = tuple(
        AuditedCorpus(name, ArtifactRef.stored(sha), known[name] if whole else None)
        for name, sha in parts.items()
    )
    report = study.clients.evaluator.audit_leakage(
        LeakageSpec(corpora, calibrated_on=TRAIN if whole else "", maximum_pairs=LISTED)
    )
    found = [_row(finding) for finding in report.findings if finding.left in real]
    return pd.DataFrame(found) if found else empty_table("leakage")


def _row(finding: LeakageFinding) -> dict[str, object]:
    return {
        "left": finding.left,
        "right": finding.right,
        "kind": finding.kind,
        "left_count": finding.left_count,
        "right_count": finding.right_count,
        "pair_count": finding.pair_count,
        "left_found": finding.left_found,
        "right_found": finding.right_found,
        "threshold": finding.threshold,
        "pairs": "; ".join(f"{p.left} ~ {p.right} ({p.similarity:.2f})" for p in finding.pairs),
        "undefined_reason": finding.undefined_reason,
    }
