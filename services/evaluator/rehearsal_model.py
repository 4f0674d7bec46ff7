"""Simulated studies with planted truth, at the level of predictions.

A label is predicted where its margin reaches zero. Margins add up, in units of one
standard normal scale: what makes a document or family hard for every arm, what an arm
does to a document whatever the replicate, what a replicate's real subset does to all its
arms, and what a corpus, its label balance, the tuned threshold and the seed do to one run.
All are normal, so that the expected score of a run has a closed form.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from services.evaluator.classification import BoolMatrix, Floats, at_threshold
from services.evaluator.influence import ArmScores, Families, arm_scores, micro_f1_terms

# A long tail over eight labels, about 1.7 of them a document.
PREVALENCE = np.array([0.50, 0.35, 0.25, 0.20, 0.15, 0.10, 0.07, 0.05])
TRUE_MARGIN = np.linspace(-0.1, -1.3, 8)
FALSE_MARGIN = np.linspace(-1.2, -2.6, 8)
# Further documents of a family, on average; they share its label set.
SIBLINGS = 0.3
DOCUMENT, FAMILY, ARM_DOCUMENT, ARM_FAMILY = 0.7, 0.5, 0.25, 0.15
SUBSET_DOCUMENT, SUBSET_LABEL = 0.2, 0.15

Margins = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Learner:
    """How one training run differs from another on the same real documents.

    Attributes:
        corpus: What a corpus does to each label's margin.
        seed: What initialisation and order do to all margins of a run.
        interaction: What a run does to single documents.
        failure: Share of runs that fail, losing half a unit of margin.
    """

    name: str
    corpus: float
    seed: float
    interaction: float
    failure: float = 0.0


STEADY = Learner("no seed variance", corpus=0.08, seed=0.0, interaction=0.2)
SEEDED = Learner("seed variance", corpus=0.08, seed=0.1, interaction=0.5)
FAILING = Learner("seed variance, 1 run in 20 fails", corpus=0.08, seed=0.1, interaction=0.5, failure=0.05)


@dataclass(frozen=True, slots=True)
class SimulatedContrast:
    """A treatment and its control.

    Attributes:
        conditional_truth: Expected difference over test families, given these training runs.
    """

    treatment: ArmScores
    control: ArmScores
    conditional_truth: float


@dataclass(frozen=True, slots=True)
class _Test:
    truth: BoolMatrix
    families: Families
    margins: Margins


def simulate_study(
    replicates: int, families: int, learner: Learner, leads: Sequence[float], rng: np.random.Generator
) -> tuple[tuple[SimulatedContrast, ...], int]:
    """Run a study with one contrast per lead; a lead of 0 is an exact null.

    Args:
        leads: What each treatment adds to all its margins.

    Returns:
        The contrasts, and the number of positive labels in the test.
    """
    test = _draw_test(families, rng)
    subset_labels = SUBSET_LABEL * rng.standard_normal((replicates, len(PREVALENCE)))
    subset = SUBSET_DOCUMENT * _normal(rng, (replicates, len(test.truth), 1))
    contrasts = []
    for lead in leads:
        sides = []
        for shift in (lead, 0.0):
            effects = shift + subset_labels + _run_effects(replicates, learner, rng)
            sides.append((_scores(test, subset, effects, learner, rng), expected_score(effects, learner)))
        (treatment, first), (control, second) = sides
        contrasts.append(SimulatedContrast(treatment, control, float((first - second).mean())))
    return tuple(contrasts), int(test.truth.sum())


def expected_score(effects: Floats, learner: Learner) -> Floats:
    """Return the micro-F1 that runs score over all possible test families.

    Args:
        effects: Shape (runs, labels), what each run adds to the margins.
    """
    scale = np.sqrt(
        sum(
            part**2
            for part in (DOCUMENT, FAMILY, ARM_DOCUMENT, ARM_FAMILY, SUBSET_DOCUMENT, learner.interaction)
        )
    )
    share = prevalence()
    hits = share * special.ndtr((TRUE_MARGIN + effects) / scale)
    false = (1.0 - share) * special.ndtr((FALSE_MARGIN + effects) / scale)
    return np.asarray(2.0 * hits.sum(axis=1) / (hits + false + share).sum(axis=1), dtype=np.float64)


def true_effect(lead: float, learner: Learner, draws: int, rng: np.random.Generator) -> float:
    """Return the expected difference over replicates and test families.

    Both sides see the same draws, which changes the precision and not the expectation.
    """
    effects = SUBSET_LABEL * rng.standard_normal((draws, len(PREVALENCE))) + _run_effects(draws, learner, rng)
    return float((expected_score(effects + lead, learner) - expected_score(effects, learner)).mean())


def prevalence() -> Floats:
    """Return each label's share of documents; a family without labels gets the first."""
    share = PREVALENCE.copy()
    share[0] += np.prod(1.0 - PREVALENCE)
    return np.asarray(share, dtype=np.float64)


def _draw_test(families: int, rng: np.random.Generator) -> _Test:
    label_sets = rng.random((families, len(PREVALENCE))) < PREVALENCE
    label_sets[~label_sets.any(axis=1), 0] = True
    codes = np.repeat(np.arange(families), 1 + rng.poisson(SIBLINGS, families))
    truth = label_sets[codes]
    margins = np.where(truth, TRUE_MARGIN, FALSE_MARGIN).astype(np.float32)
    margins += DOCUMENT * _normal(rng, truth.shape) + FAMILY * _normal(rng, (families, 1))[codes]
    return _Test(truth, Families(codes, families), margins)


def _run_effects(runs: int, learner: Learner, rng: np.random.Generator) -> Floats:
    effects = learner.corpus * rng.standard_normal((runs, len(PREVALENCE)))
    effects += learner.seed * rng.standard_normal((runs, 1))
    return np.asarray(effects - 0.5 * (rng.random((runs, 1)) < learner.failure), dtype=np.float64)


def _scores(
    test: _Test, subset: Margins, effects: Floats, learner: Learner, rng: np.random.Generator
) -> ArmScores:
    """Predict with every replicate of an arm and score it as the service does."""
    arm = test.margins + ARM_DOCUMENT * _normal(rng, test.truth.shape)
    arm += ARM_FAMILY * _normal(rng, (test.families.count, 1))[test.families.codes]
    terms = []
    for shared, effect in zip(subset, effects, strict=True):
        margins = learner.interaction * _normal(rng, test.truth.shape)
        margins += arm
        margins += shared
        margins += effect.astype(np.float32)
        terms.append(micro_f1_terms(test.truth, at_threshold(margins, 0.0), test.families))
    return arm_scores(terms)


def _normal(rng: np.random.Generator, shape: tuple[int, ...]) -> Margins:
    return rng.standard_normal(shape, dtype=np.float32)
