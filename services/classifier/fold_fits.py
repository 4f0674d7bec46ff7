"""A plan fitted on all of its documents, and on all without each fold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.classifier.families import Examples, Fitted, Prepared
from services.classifier.folds import assign_folds, fold_weights, left_out
from services.classifier.pool import Documents, Support
from services.classifier.pseudo_labels import Labelled, teach
from services.classifier.results import Floats, PlanResult
from services.classifier.specification import TrainingSpec
from services.classifier.thresholds import threshold_of
from services.domain.plan import TrainingPlan


@dataclass(frozen=True, slots=True)
class FoldFits:
    """The fits of one plan.

    Args:
        whole: On all documents.
        parts: Without each fold, in the folds' order.
        estimates: What predicted labels were like; empty where all labels were given.
    """

    whole: Fitted
    parts: tuple[Fitted, ...]
    estimates: Mapping[str, float]


def fit_folds(
    prepared: Prepared, documents: Documents, plan: TrainingPlan, spec: TrainingSpec, strength: float = 1.0
) -> tuple[PlanResult, Fitted]:
    """Fit the one stage of a plan, score it out of fold and tune its threshold.

    Args:
        prepared: The family's features.
        documents: Of the run.
        plan: Of one stage.
        spec: The run's.
        strength: A factor on all weights.

    Raises:
        InvalidInputError: Labels are to be predicted, and there are too few folds.
    """
    support = documents.support(plan.stages[0].parts)
    truth = documents.truth[support.rows]
    fold = held_out_folds(documents, support, spec)
    out = rows_without(documents, support, fold)
    weights = fold_weights(support.weights * np.float32(strength), out)
    objective = plan.stages[0].objective
    examples = Examples(spec.task.type, support.rows, truth, weights, objective)
    fits = _fits(prepared, examples, support, fold, out)
    oof = _out_of_fold(fits.parts, support, fold, len(spec.task.labels))
    oof_truth = truth[support.scored]
    threshold = threshold_of(spec.task.type, oof, oof_truth)
    estimates = {**_estimates(fits.whole, fits.parts, support), **_least_kept(weights), **fits.estimates}
    return PlanResult(
        fits.whole.scores(documents.test_rows), oof, oof_truth, threshold, estimates
    ), fits.whole


def held_out_folds(documents: Documents, support: Support, spec: TrainingSpec) -> npt.NDArray[np.int64]:
    """Return the fold of each row of a plan's support, see `assign_folds`."""
    families = [documents.families[row] for row in support.rows]
    scored = np.zeros(len(families), bool)
    scored[support.scored] = True
    return assign_folds(families, scored, spec.folds, spec.seed)


def rows_without(
    documents: Documents, support: Support, fold: npt.NDArray[np.int64]
) -> npt.NDArray[np.bool_]:
    """Return which rows of a plan's support train without each fold, see `left_out`."""
    families = [documents.families[row] for row in support.rows]
    return left_out(fold, families, [documents.donors[row] for row in support.rows])


def _fits(
    prepared: Prepared,
    examples: Examples,
    support: Support,
    fold: npt.NDArray[np.int64],
    out: npt.NDArray[np.bool_],
) -> FoldFits:
    if not support.predicted.any():
        whole, *parts = prepared.fit(examples)
        return FoldFits(whole, tuple(parts), {})
    labelled = Labelled(examples, support.scored, support.predicted, fold, out)
    taught, estimates = teach(prepared, labelled)
    whole, *parts = [prepared.fit(some)[0] for some in taught]
    return FoldFits(whole, tuple(parts), estimates)


def _out_of_fold(
    parts: Sequence[Fitted], support: Support, fold: npt.NDArray[np.int64], labels: int
) -> Floats:
    scores = np.zeros((len(support.rows), labels), np.float32)
    for k, part in enumerate(parts):
        held_out = np.intersect1d(np.flatnonzero(fold == k), support.scored)
        scores[held_out] = part.scores(support.rows[held_out])
    return np.asarray(scores[support.scored])


def _least_kept(weights: Floats) -> dict[str, float]:
    """Return the smallest share of the weights that a fold's fit has; far below 1 - 1/folds where rows have donors."""
    total = weights.sum(axis=0, dtype=np.float64)
    return {"least_fold_share": float(total[1:].min() / total[0])} if len(total) > 1 else {}


def _estimates(whole: Fitted, parts: Sequence[Fitted], support: Support) -> dict[str, float]:
    """Of the full fit; the folds' counts are summed under "fold_…"."""
    names = ("constant_labels", "unfinished_labels")
    folds = {f"fold_{name}": sum(part.estimates.get(name, 0.0) for part in parts) for name in names}
    sizes = {"documents": float(support.weights.sum(dtype=np.float64)), "rows": float(len(support.rows))}
    return {**whole.estimates, **folds, **sizes, "folds": float(len(parts))}
