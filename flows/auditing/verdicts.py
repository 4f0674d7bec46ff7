"""Verdicts of an audit: one Holm over both readings of all files, since one page shows them all."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple, TypeAlias

import numpy as np

from services.evaluator.multiplicity import holm
from services.evaluator.planning import ContrastResult, Rules, Verdict
from services.evaluator.power import minimum_detectable_effect
from services.evaluator.verdicts import verdict_of

Results: TypeAlias = Mapping[str, ContrastResult]

READINGS = 2


class Judged(NamedTuple):
    """The two readings, by file."""

    this_file: Results
    this_generator: Results


def judge_together(
    this_file: Results, this_generator: Results, files: Sequence[str], margin: float
) -> Judged:
    """Correct the p-values of both readings together and judge anew.

    A reading without a test stays in the family with p = 1, so that nothing seen in the data
    makes the others easier.

    Args:
        files: All files of the audit; a reading may lack some.
    """
    found = [results.get(name) for results in (this_file, this_generator) for name in files]
    adjusted = holm(np.array([_p_value(one) for one in found]))
    judged = [
        None if one is None else _judge(one, float(p), len(found), Rules(margin=margin))
        for one, p in zip(found, adjusted, strict=True)
    ]
    parts = (judged[: len(files)], judged[len(files) :])
    return Judged(*({one.name: one for one in part if one is not None} for part in parts))


def _p_value(found: ContrastResult | None) -> float:
    if found is None or found.p_value is None or found.verdict == Verdict.NOT_TESTED:
        return 1.0
    return found.p_value


def _judge(found: ContrastResult, adjusted_p: float, claims: int, rules: Rules) -> ContrastResult:
    error, freedom = found.standard_error, found.degrees_of_freedom
    if found.p_value is None or error is None or freedom is None:
        return found
    result = replace(found, mde=minimum_detectable_effect(error, freedom, claims=claims))
    if found.verdict == Verdict.NOT_TESTED or found.effect is None or found.interval90 is None:
        return result
    verdict = verdict_of(adjusted_p, found.effect, found.interval90, rules)
    return replace(result, adjusted_p_value=adjusted_p, verdict=verdict)
