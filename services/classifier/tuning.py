"""How strongly a plan's documents weigh against the penalty, chosen by out-of-fold scores.

For a convex loss weights times k are C times k, so this tunes C for one plan alone:
an arm is not held to a penalty that suited another.
"""

import numpy as np
import numpy.typing as npt

from services.classifier.families import Fitted, Prepared
from services.classifier.fold_fits import fit_folds
from services.classifier.pool import Documents
from services.classifier.results import Floats, PlanResult
from services.classifier.specification import TrainingSpec
from services.classifier.thresholds import Threshold
from services.domain.errors import InvalidInputError
from services.domain.plan import TrainingPlan
from services.domain.task import TaskType


def fit_tuned(
    prepared: Prepared, documents: Documents, plan: TrainingPlan, spec: TrainingSpec
) -> tuple[PlanResult, Fitted]:
    """Fit a plan under each of its strengths and return the fit that scores best out of fold.

    The folds are the plan's own, so that copies and rewritings of a held-out document
    stay out with it. Each strength is scored at its own tuned threshold. Of equally
    good strengths the smallest is taken, the strongest penalty. The choice stands in the
    result's estimates as "strength", with its score as "strength_oof_micro_f1".

    Raises:
        InvalidInputError: No document of the plan has out-of-fold scores and labels to score.
    """
    best: tuple[float, float, PlanResult, Fitted] | None = None
    for strength in sorted(plan.strengths):
        result, fitted = fit_folds(prepared, documents, plan, spec, strength)
        score = oof_micro_f1(spec.task.type, result.oof_scores, result.oof_truth, result.threshold)
        if best is None or score > best[0]:
            best = score, strength, result, fitted
    assert best is not None
    score, strength, result, fitted = best
    estimates = {**result.estimates, "strength": strength, "strength_oof_micro_f1": score}
    return PlanResult(
        result.test_scores, result.oof_scores, result.oof_truth, result.threshold, estimates, result.notes
    ), fitted


def oof_micro_f1(
    task_type: TaskType, scores: Floats, truth: npt.NDArray[np.bool_], threshold: Threshold
) -> float:
    """Return micro-F1 over all documents and labels, at the threshold or, single-label, of the highest score.

    Raises:
        InvalidInputError: There is nothing to score.
    """
    if not truth.any():
        raise InvalidInputError(
            "strengths are chosen by out-of-fold scores, and this plan has no scored document with labels; score "
            "real documents, or leave the strengths out",
            field="plan.strengths",
        )
    if task_type is TaskType.SINGLE_LABEL:
        found = np.arange(scores.shape[1]) == scores.argmax(axis=1)[:, None]
    else:
        assert threshold.value is not None
        found = scores >= threshold.value
    right = np.count_nonzero(found & truth)
    return float(2 * right / (np.count_nonzero(found) + np.count_nonzero(truth)))
