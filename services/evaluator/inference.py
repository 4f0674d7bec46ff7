"""Contrasts of arms: from scores over replicates and test families to verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from services.domain.errors import InvalidInputError
from services.evaluator.estimation import Estimate, estimate_difference, require_pairs
from services.evaluator.influence import ArmScores
from services.evaluator.multiplicity import benjamini_hochberg, holm
from services.evaluator.planning import (
    ArmComparison,
    ContrastResult,
    ContrastSpec,
    RulerSpec,
    Rules,
    Rung,
    Verdict,
    WorthResult,
)
from services.evaluator.power import minimum_detectable_effect
from services.evaluator.verdicts import query_refusal, refusal, verdict_of, wording

__all__ = [
    "ArmComparison",
    "ContrastResult",
    "ContrastSpec",
    "Evidence",
    "RulerSpec",
    "Rules",
    "Rung",
    "WorthResult",
    "judge",
]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one contrast rests on.

    Attributes:
        treatment: None, as `control`, where the score is undefined; `remark` says why.
        positive_count: Positive labels pooled over the test; for queries, how many have
            relevant documents.
        of_queries: The units are queries, which have a minimum of their own.
        remark: Joins the result's note.
    """

    name: str
    treatment: ArmScores | None
    control: ArmScores | None
    positive_count: int
    declared: bool
    score: str = "micro_f1"
    of_queries: bool = False
    remark: str = ""


def judge(evidence: Sequence[Evidence], rules: Rules) -> tuple[ContrastResult, ...]:
    """Test all contrasts of one report together.

    The declared ones are one family of claims for Holm; a claim that cannot be tested stays
    in the family with p = 1, so that nothing seen in the data makes the others easier. The
    rest is adjusted after Benjamini and Hochberg and called exploratory.

    Raises:
        InvalidInputError: More claims than the rules allow, or sides of a contrast that do
            not pair.
    """
    claims = sum(one.declared for one in evidence)
    if claims > rules.maximum_claims:
        raise InvalidInputError(
            f"{claims} declared claims; a report carries at most {rules.maximum_claims}, "
            "leave the others exploratory",
            field="contrasts.declared",
        )
    drafts = [_draft(one, claims, rules) for one in evidence]
    return tuple(_decide(draft, p, rules) for draft, p in zip(drafts, _adjusted(drafts), strict=True))


def _draft(one: Evidence, claims: int, rules: Rules) -> ContrastResult:
    """Return everything about a contrast that does not depend on the others."""
    if one.treatment is None or one.control is None:
        return _undefined(one)
    require_pairs(one.treatment, one.control)
    estimate = estimate_difference(one.treatment, one.control, fixed_real=rules.fixed_real)
    parts = estimate.parts
    refused = _refusal(one, estimate, rules)
    words = wording(estimate.conditional, parts.replicate_count, parts.family_count, rules)
    result = replace(
        _undefined(one),
        effect=estimate.effect,
        standard_error=estimate.standard_error,
        verdict=Verdict.NOT_TESTED if refused else Verdict.EXPLORATORY,
        replicate_count=parts.replicate_count,
        test_family_count=parts.family_count,
        conditional=estimate.conditional,
        note="; ".join(note for note in (refused, words, one.remark) if note),
        treatment_mean=float(one.treatment.values.mean()),
        control_mean=float(one.control.values.mean()),
        replicate_variance=parts.replicates * parts.replicate_count,
        document_variance=parts.documents * parts.family_count,
    )
    return _with_uncertainty(result, estimate, claims if one.declared else 1)


def _undefined(one: Evidence) -> ContrastResult:
    return ContrastResult(
        name=one.name,
        effect=None,
        interval95=None,
        interval90=None,
        standard_error=None,
        degrees_of_freedom=None,
        p_value=None,
        adjusted_p_value=None,
        verdict=Verdict.NOT_TESTED,
        mde=None,
        replicate_count=0,
        test_family_count=0,
        positive_count=one.positive_count,
        conditional=False,
        note=one.remark,
        treatment_mean=None,
        control_mean=None,
        declared=one.declared,
        score=one.score,
    )


def _with_uncertainty(result: ContrastResult, estimate: Estimate, claims: int) -> ContrastResult:
    if estimate.variance <= 0.0:
        return result
    return replace(
        result,
        degrees_of_freedom=estimate.degrees_of_freedom,
        interval95=estimate.interval(0.95),
        interval90=estimate.interval(0.90),
        p_value=estimate.p_value,
        mde=minimum_detectable_effect(estimate.standard_error, estimate.degrees_of_freedom, claims=claims),
    )


def _refusal(one: Evidence, estimate: Estimate, rules: Rules) -> str:
    if estimate.variance <= 0.0:
        return (
            "no variance: neither replicates nor test families tell the two arms apart, so there is no test"
        )
    parts = estimate.parts
    if one.of_queries:
        return query_refusal(parts.replicate_count, one.positive_count, rules)
    return refusal(parts.replicate_count, parts.family_count, one.positive_count, rules)


def _adjusted(drafts: Sequence[ContrastResult]) -> list[float]:
    """Return adjusted p-values in order, each within its own family of contrasts."""
    declared = np.array([draft.declared for draft in drafts], dtype=np.bool_)
    refused = [draft.declared and draft.verdict == Verdict.NOT_TESTED for draft in drafts]
    p_values = np.array(
        [
            1.0 if no or draft.p_value is None else draft.p_value
            for draft, no in zip(drafts, refused, strict=True)
        ]
    )
    adjusted = np.ones(len(drafts))
    adjusted[declared] = holm(p_values[declared])
    adjusted[~declared] = benjamini_hochberg(p_values[~declared])
    return [float(p) for p in adjusted]


def _decide(draft: ContrastResult, adjusted_p: float, rules: Rules) -> ContrastResult:
    if draft.p_value is None or draft.effect is None or draft.interval90 is None:
        return draft
    if not draft.declared:
        return replace(draft, adjusted_p_value=adjusted_p, verdict=Verdict.EXPLORATORY)
    if draft.verdict == Verdict.NOT_TESTED:
        return draft
    verdict = verdict_of(adjusted_p, draft.effect, draft.interval90, rules)
    return replace(draft, adjusted_p_value=adjusted_p, verdict=verdict)
