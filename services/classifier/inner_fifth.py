"""A fit whose threshold, and whose end, come from an inner fifth of the real families."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from services.classifier.families import Examples, Fitted, Prepared, Rows
from services.classifier.folds import assign_folds, left_out
from services.classifier.pool import Documents, Support
from services.classifier.results import PlanResult
from services.classifier.specification import TrainingSpec
from services.classifier.thresholds import threshold_of
from services.domain.errors import InvalidInputError
from services.domain.plan import TrainingPlan

FIFTHS = 5
HELD = 0


def fit_inner_fifth(
    prepared: Prepared, documents: Documents, plan: TrainingPlan, spec: TrainingSpec
) -> tuple[PlanResult, Fitted]:
    """Fit one plan on all but an inner fifth of its scored families, all stages alike.

    Every row of a held-out family stays out, copies, synthetic rows and what was made of
    its documents with it. The
    held-out scored rows are what the family may stop by, and give the threshold. A
    family may then fit all documents again; test scores are of that fit.

    Raises:
        InvalidInputError: A stage has no documents outside the fifth.
    """
    supports = [documents.support(stage.parts) for stage in plan.stages]
    folds = _folds(documents, supports, spec.seed)
    held, kept = _held_rows(supports, folds), _kept(documents, supports, folds)
    *before, last = [
        _examples(documents, plan, spec, supports, kept, held, number) for number in range(len(supports))
    ]
    fits = prepared.fit(replace(last, before=tuple(before)))
    # The threshold is that of the fit which has not seen the fifth.
    oof, oof_truth, fitted = fits[0].scores(held), documents.truth[held], fits[-1] if len(held) else fits[0]
    estimates = {
        **fitted.estimates,
        "documents": float(sum(support.weights.sum(dtype=np.float64) for support in supports)),
        "rows": float(sum(len(support.rows) for support in supports)),
        "rows_without_fifth": float(sum(map(np.count_nonzero, kept))),
        "held_documents": float(len(held)),
    }
    threshold = threshold_of(spec.task.type, oof, oof_truth)
    tested = fitted.scores(documents.test_rows)
    return PlanResult(tested, oof, oof_truth, threshold, estimates, fitted.notes), fitted


def _folds(documents: Documents, supports: list[Support], seed: int) -> list[npt.NDArray[np.int64]]:
    """Return the fold of every stage's rows; a family has the same in all of them."""
    families = [documents.families[row] for support in supports for row in support.rows]
    scored = [np.isin(np.arange(len(support.rows)), support.scored) for support in supports]
    fold = assign_folds(families, np.concatenate(scored), FIFTHS, seed)
    return np.split(fold, np.cumsum([len(support.rows) for support in supports])[:-1])


def _kept(
    documents: Documents, supports: list[Support], folds: list[npt.NDArray[np.int64]]
) -> list[npt.NDArray[np.bool_]]:
    """Return for every stage which rows are neither in the fifth nor made of a document in it."""
    rows = np.concatenate([support.rows for support in supports]).tolist()
    out = left_out(
        np.concatenate(folds),
        [documents.families[row] for row in rows],
        [documents.donors[row] for row in rows],
    )
    kept = ~out[:, HELD] if out.shape[1] else np.ones(len(rows), bool)
    return np.split(kept, np.cumsum([len(support.rows) for support in supports])[:-1])


def _held_rows(supports: list[Support], folds: list[npt.NDArray[np.int64]]) -> Rows:
    """Return the scored rows of the fifth, each once, in the plan's order."""
    rows = [
        support.rows[support.scored[fold[support.scored] == HELD]]
        for support, fold in zip(supports, folds, strict=True)
    ]
    return np.array(list(dict.fromkeys(np.concatenate(rows).tolist())), np.int64)


def _examples(
    documents: Documents,
    plan: TrainingPlan,
    spec: TrainingSpec,
    supports: list[Support],
    kept: list[npt.NDArray[np.bool_]],
    held: Rows,
    number: int,
) -> Examples:
    support = supports[number]
    if not kept[number].any():
        raise InvalidInputError(
            f"stage {number} has no documents but those of the inner fifth by which it would be stopped; give more "
            "real documents",
            field=f"plan.stages[{number}].parts",
        )
    without = np.where(kept[number], support.weights, np.float32(0))
    return Examples(
        spec.task.type,
        support.rows,
        documents.truth[support.rows],
        np.stack([without, support.weights], axis=1)[:, : 1 + bool(len(held))],
        plan.stages[number].objective,
        spec.seed,
        held,
        documents.truth[held],
    )
