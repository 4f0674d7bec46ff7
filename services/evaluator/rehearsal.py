"""The prediction-level rehearsal: simulated studies through the inference that reports use.

Run as `python -m services.evaluator.rehearsal`; writes one Markdown page. It answers whether
intervals cover and claims err as often as they say, and fails where they do not.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from services.domain.seeds import stream
from services.evaluator.inference import Evidence, judge
from services.evaluator.planning import ContrastResult, Rules, Verdict
from services.evaluator.rehearsal_model import (
    FAILING,
    SEEDED,
    STEADY,
    Learner,
    SimulatedContrast,
    simulate_study,
    true_effect,
)
from services.evaluator.rehearsal_page import Row, page

# Three nulls and one treatment that helps, all declared.
LEADS = (0.0, 0.0, 0.0, 0.16)
TRUTH_DRAWS = 400_000
# The rules' floors are lifted: what happens below them is what the floors are for.
RULES = Rules(minimum_replicates=2, minimum_families=2, minimum_positives=1)
FILE_RULES = Rules(minimum_families=2, minimum_positives=1, fixed_real=True)


@dataclass(frozen=True, slots=True)
class Situation:
    """A size of study and a kind of learner; one replicate means "this file"."""

    replicates: int
    families: int
    learner: Learner
    binding: bool = True


@dataclass(frozen=True, slots=True)
class Study:
    """What one simulated study claimed, and what was true of each contrast."""

    results: tuple[ContrastResult, ...]
    truths: tuple[float, ...]


def situations() -> tuple[Situation, ...]:
    """Return every situation rehearsed; those that are not binding are shown for the reader."""
    grid = [
        Situation(replicates, families, learner)
        for learner in (STEADY, SEEDED)
        for replicates in (3, 5, 8)
        for families in (100, 200, 2000)
    ]
    failing = [Situation(replicates, 200, FAILING, binding=False) for replicates in (3, 5, 8)]
    files = [Situation(1, families, SEEDED) for families in (100, 200, 2000)]
    return (*grid, *failing, *files)


def rehearse(situation: Situation, studies: int, seed: int) -> Row:
    """Run many studies of one situation and count."""
    names = (situation.learner.name, situation.replicates, situation.families)
    rng = stream(seed, "rehearsal", *names)
    truth_rng = stream(seed, "rehearsal", "truth", situation.learner.name)
    truths = tuple(
        true_effect(lead, situation.learner, TRUTH_DRAWS, truth_rng) if lead else 0.0 for lead in LEADS
    )
    return _tally(situation, [run_study(situation, truths, rng) for _ in range(studies)])


def run_study(situation: Situation, truths: Sequence[float], rng: np.random.Generator) -> Study:
    """Simulate one study and judge it."""
    contrasts, positives = simulate_study(
        situation.replicates, situation.families, situation.learner, LEADS, rng
    )
    fixed_real = situation.replicates == 1
    evidence = [_evidence(i, contrast, positives) for i, contrast in enumerate(contrasts)]
    results = judge(evidence, FILE_RULES if fixed_real else RULES)
    true = tuple(c.conditional_truth for c in contrasts) if fixed_real else tuple(truths)
    return Study(results, true)


def main(arguments: Sequence[str] | None = None) -> int:
    """Rehearse, write the page and return 1 where a criterion fails."""
    parser = argparse.ArgumentParser(description="Rehearse the inference on simulated studies.")
    parser.add_argument("--studies", type=int, default=4000, help="simulated studies per situation")
    parser.add_argument("--seed", type=int, default=20260, help="master seed")
    parser.add_argument("--output", type=Path, default=Path("docs/rehearsal.md"))
    options = parser.parse_args(arguments)
    rows = []
    for situation in situations():
        started = time.monotonic()
        rows.append(rehearse(situation, options.studies, options.seed))
        print(f"{rows[-1].line()} {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(page(rows, options.studies, options.seed), encoding="utf-8")
    return int(any(row.failures() for row in rows))


def _evidence(i: int, contrast: SimulatedContrast, positives: int) -> Evidence:
    return Evidence(f"claim {i}", contrast.treatment, contrast.control, positives, declared=True)


def _tally(situation: Situation, studies: Sequence[Study]) -> Row:
    nulls = [i for i, lead in enumerate(LEADS) if lead == 0.0]
    effects, lows, highs, p_values = (
        np.array([[_number(result, kind) for result in study.results] for study in studies])
        for kind in ("effect", "low", "high", "p")
    )
    truths = np.array([study.truths for study in studies])
    verdicts = np.array([[str(result.verdict) for result in study.results] for study in studies])
    freedoms = np.array([[result.degrees_of_freedom or np.nan for result in s.results] for s in studies])
    covered = (lows <= truths) & (truths <= highs)
    # Two one-sided tests share one p, so a one-sided .05 is a p of .10 and a sign.
    rejected = p_values < 0.10
    conditional = situation.replicates == 1
    better = verdicts == Verdict.BETTER
    return Row(
        learner=situation.learner.name,
        replicates=situation.replicates,
        families=situation.families,
        binding=situation.binding,
        wrongly_above=None if conditional else float((rejected & (effects > 0))[:, nulls].mean()),
        wrongly_below=None if conditional else float((rejected & (effects < 0))[:, nulls].mean()),
        false_better=None if conditional else float(better[:, nulls].any(axis=1).mean()),
        coverage_null=float(covered[:, nulls].mean()),
        coverage_planted=float(covered[:, -1].mean()),
        planted=float(truths[:, -1].mean()),
        found=float(better[:, -1].mean()),
        half_width=float(np.nanmean((highs - lows) / 2.0)),
        degrees_of_freedom=float(np.nanmedian(freedoms)),
    )


def _number(result: ContrastResult, kind: str) -> float:
    """Return a part of a result; a study without a test rejects nothing and covers its effect."""
    effect = result.effect if result.effect is not None else np.nan
    interval = result.interval95
    if interval is None or result.p_value is None:
        return {"effect": effect, "low": effect, "high": effect, "p": 1.0}[kind]
    return {"effect": effect, "low": interval.low, "high": interval.high, "p": result.p_value}[kind]


if __name__ == "__main__":
    sys.exit(main())
