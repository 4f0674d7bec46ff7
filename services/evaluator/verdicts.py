"""When a contrast carries a verdict, and which."""

from __future__ import annotations

from services.domain.measurement import Interval
from services.evaluator.planning import Rules, Verdict


def verdict_of(adjusted_p: float, effect: float, interval90: Interval, rules: Rules) -> Verdict:
    """Judge a declared claim.

    Args:
        adjusted_p: After Holm over all declared claims.
    """
    different = adjusted_p < rules.alpha
    inside = -rules.margin < interval90.low and interval90.high < rules.margin
    if different and inside:
        return Verdict.NEGLIGIBLE
    if different:
        return Verdict.BETTER if effect > 0 else Verdict.WORSE
    return Verdict.EQUIVALENT if inside else Verdict.INCONCLUSIVE


def refusal(replicates: int, families: int, positives: int, rules: Rules) -> str:
    """Return why a label score gets no verdict; empty if it may have one."""
    lacking = []
    if not rules.fixed_real and replicates < rules.minimum_replicates:
        lacking.append(f"{replicates} replicates, a verdict takes {rules.minimum_replicates}")
    if families < rules.minimum_families:
        lacking.append(f"{families} test families, a verdict takes {rules.minimum_families}")
    if positives < rules.minimum_positives:
        lacking.append(f"{positives} positive labels in the test, a verdict takes {rules.minimum_positives}")
    return "; ".join(lacking)


def query_refusal(replicates: int, queries: int, rules: Rules) -> str:
    """Return why a retrieval score gets no verdict; empty if it may have one."""
    lacking = []
    if not rules.fixed_real and replicates < rules.minimum_replicates:
        lacking.append(f"{replicates} replicates, a verdict takes {rules.minimum_replicates}")
    if queries < rules.minimum_queries:
        lacking.append(f"{queries} queries with relevant documents, a verdict takes {rules.minimum_queries}")
    return "; ".join(lacking)


def wording(conditional: bool, replicates: int, families: int, rules: Rules) -> str:
    """Return how a contrast must be read, empty for the plain reading."""
    parts = []
    if rules.minimum_families <= families < rules.full_test:
        parts.append(f"small test: {families} families")
    if conditional and (rules.fixed_real or replicates == 1):
        parts.append("conditional on these training sets: the interval is over test families only")
    elif conditional:
        parts.append("conditional: the replicates do not differ, the interval is over test families only")
    return "; ".join(parts)
