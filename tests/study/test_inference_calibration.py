"""Small rehearsals: what the inference claims, on simulated studies with planted truth.

The seeds are fixed, so a failure is a change and no accident; the full table with 4,000
studies a row is in docs/rehearsal.md.
"""

from dataclasses import replace

import numpy as np
import pytest

from services.domain.seeds import stream
from services.evaluator.estimation import VarianceParts, estimate_difference, satterthwaite, t_quantile
from services.evaluator.planning import Rules
from services.evaluator.rehearsal import Situation, rehearse
from services.evaluator.rehearsal_model import (
    FAILING,
    SEEDED,
    STEADY,
    Learner,
    expected_score,
    simulate_study,
    true_effect,
)
from services.evaluator.worth import RulerPoint, worth_in_documents

SEED = 314
# Three nulls a study: .065 and .93 are more than two standard errors away at 500 studies.
STUDIES = 500


@pytest.mark.parametrize("learner", [STEADY, SEEDED], ids=lambda learner: learner.name)
@pytest.mark.parametrize("families", [100, 200])
def test_nulls_are_rejected_as_rarely_as_promised(learner: Learner, families: int) -> None:
    row = rehearse(Situation(5, families, learner), STUDIES, SEED)
    assert row.failures() == ()
    assert row.wrongly_above is not None and row.wrongly_above > 0.02


def test_eight_replicates_find_what_five_find_less_often() -> None:
    five, eight = (rehearse(Situation(replicates, 200, STEADY), STUDIES, SEED) for replicates in (5, 8))
    assert 0.1 < five.found < eight.found
    assert eight.half_width < five.half_width


def test_runs_that_fail_now_and_then_make_nulls_no_likelier() -> None:
    row = rehearse(Situation(5, 200, FAILING, binding=False), STUDIES, SEED)
    assert row.wrongly_above is not None and row.wrongly_above <= 0.065
    assert row.coverage_null >= 0.93


def test_this_file_covers_what_its_own_runs_would_score() -> None:
    row = rehearse(Situation(1, 100, SEEDED), STUDIES, SEED)
    assert row.failures() == ()
    assert row.false_better is None


def test_intervals_over_documents_alone_cover_too_little() -> None:
    rng, covered = stream(SEED, "documents alone"), []
    for _ in range(150):
        (contrast,), _positives = simulate_study(5, 400, SEEDED, (0.0,), rng)
        interval = estimate_difference(contrast.treatment, contrast.control, fixed_real=True).interval(0.95)
        covered.append(interval.low <= 0.0 <= interval.high)
    assert np.mean(covered) < 0.85


def test_three_replicates_are_too_few_even_for_normal_differences() -> None:
    # Nine tenths of the variance from replicates, one tenth from documents, known exactly.
    assert _normal_coverage(3) < 0.93 < _normal_coverage(5)


def test_the_closed_form_is_what_simulated_runs_score() -> None:
    learner = replace(SEEDED, corpus=0.0, seed=0.0)
    rng = stream(SEED, "closed form")
    scores = [simulate_study(4, 4000, learner, (0.3,), rng)[0][0] for _ in range(8)]
    planted = true_effect(0.3, learner, 50_000, rng)
    found = np.mean([one.treatment.values.mean() - one.control.values.mean() for one in scores])
    assert found == pytest.approx(planted, abs=0.006)


def test_intervals_of_worth_hold_the_planted_number_of_documents() -> None:
    leads, lengths = (0.0, 0.15, 0.30, 0.06), (0.0, 100.0, 200.0)
    rng = stream(SEED, "worth")
    truths = [_mean_score(lead) for lead in leads]
    planted = np.interp(truths[3], truths[:3], lengths)
    held = []
    for _ in range(200):
        arms, positives = simulate_study(5, 200, STEADY, leads, rng)
        rungs = [RulerPoint(x, arm.treatment) for x, arm in zip(lengths, arms[:3], strict=True)]
        worth = worth_in_documents("w", arms[3].treatment, rungs, Rules(), positives)
        low, high = (
            -np.inf if worth.low is None else worth.low,
            np.inf if worth.high is None else worth.high,
        )
        held.append(low <= planted <= high)
    assert np.mean(held) >= 0.92


def _normal_coverage(replicates: int, studies: int = 20_000) -> float:
    rng = stream(SEED, "normal", replicates)
    between = 0.9 * rng.chisquare(replicates - 1, studies) / (replicates - 1)
    halves = []
    for part in between:
        parts = VarianceParts(float(part), 0.1, 0.0, replicates, 2000)
        freedom = satterthwaite(part + 0.1, parts)
        halves.append(t_quantile(0.975, freedom) * np.sqrt(part + 0.1))
    return float((np.abs(rng.normal(size=studies)) <= halves).mean())


def _mean_score(lead: float) -> float:
    rng = stream(SEED, "mean score")
    labels = 8
    effects = 0.15 * rng.standard_normal((50_000, labels)) + STEADY.corpus * rng.standard_normal(
        (50_000, labels)
    )
    return float(expected_score(lead + effects, STEADY).mean())
