"""What an audit can find and how long it takes, guessed before anything is trained."""

import os
from dataclasses import dataclass

from flows.auditing.corpora import Corpora
from flows.auditing.options import AuditOptions
from flows.auditing.replicates import REAL_SHARE, RUNG_SHARES
from flows.auditing.verdicts import READINGS
from services.domain.task import TaskType
from services.evaluator.power import Pilot, planned_effect

# The formula's two assumptions, from text classification with a few hundred documents: in the
# mean over replicates the arms decide this share of documents differently, and the difference
# of their scores varies by this much between replicates of 500 training documents.
DISAGREEMENT = 0.03
REPLICATE_SD_AT_500 = 0.012
ASSUMED_REPLICATES = 1000

# Seconds, tfidf_linear: to start the services, and on one core for one fit of 1,000 rows and
# one label. The softmax of single-label tasks has a slower solver.
START_SECONDS = 8.0
FIT_SECONDS = {TaskType.SINGLE_LABEL: 0.008, TaskType.MULTI_LABEL: 0.0008}


@dataclass(frozen=True, slots=True)
class Forecast:
    """What to expect.

    Attributes:
        detectable: Smallest effect of "this generator" found with power .80 after Holm; None
            where there will be no verdict. By the formula, not by a pilot.
        fits: Models to be fitted.
        seconds: About, on this machine when idle; None for families whose speed is not known.
    """

    detectable: float | None
    fits: int
    seconds: float | None


def forecast(corpora: Corpora, options: AuditOptions) -> Forecast:
    """Foresee an audit of files none of whose rows is rejected."""
    families = len(set(corpora.tested.families))
    real = int(len(corpora.real) * REAL_SHARE)
    detectable = None
    if families >= options.minimum_families and corpora.files:
        detectable = assumed_effect(real, families, options.replicates, READINGS * len(corpora.files))
    fits, rows = _work(corpora, options)
    known = options.family == "tfidf_linear"
    task = corpora.task
    work = rows / 1000 * len(task.labels) * FIT_SECONDS[task.type]
    seconds = START_SECONDS + work / len(os.sched_getaffinity(0)) if known else None
    return Forecast(detectable, fits, seconds)


def assumed_effect(real_documents: int, families: int, replicates: int, claims: int) -> float:
    """Return the minimum detectable effect by the formula.

    Differences of decided documents are +-1, so their variance is about the share of documents
    that the arms decide differently; the variance over replicates falls as 1 / documents.
    """
    between = REPLICATE_SD_AT_500**2 * 500 / max(real_documents, 1)
    # As many as make the pilot's upper bound no wider than the assumption itself.
    pilot = Pilot(between, DISAGREEMENT, ASSUMED_REPLICATES, max(families, 2))
    return planned_effect(pilot, max(replicates, 2), max(families, 2), claims=max(claims, 1))


def _work(corpora: Corpora, options: AuditOptions) -> tuple[int, float]:
    """Return the number of fits and the training rows of all fits together."""
    rounds = 1 if corpora.test else options.folds
    fits_per_plan = options.threshold_folds(corpora.task.type) + 1
    share = 1.0 if corpora.test else 1.0 - 1.0 / options.folds
    real = len(corpora.real) * share
    plans, rows = 0, 0.0
    for file in corpora.files:
        written = len(file.candidates) / options.replicates
        kept = real * REAL_SHARE
        this_generator = options.replicates * (kept + written)
        rungs = options.replicates * len(RUNG_SHARES) * (kept + min(written, real - kept))
        this_file = real + len(file.candidates) + options.twins * real
        plans += options.replicates * (2 + len(RUNG_SHARES)) + 1 + options.twins
        rows += this_generator + options.replicates * kept + rungs + this_file
    return plans * rounds * fits_per_plan, rows * rounds * fits_per_plan
