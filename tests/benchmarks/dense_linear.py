"""Logistic regression on sentence embeddings."""

from importlib import metadata

import numpy as np

from flows.design import Design
from services.classifier.embeddings import read_embeddings
from services.classifier.solvers.dense import fit_dense
from services.classifier.solvers.kernels import Floats
from tests.benchmarks.comparison import Table
from tests.benchmarks.counting import Counting
from tests.benchmarks.limits import limits
from tests.benchmarks.linear import LABELS, Plan, Task, compare, opened
from tests.benchmarks.notebook import CONVERGED, C, Scores, default_scores, weighted_scores
from tests.benchmarks.reduced_study import FULL

REPEATS = 2
TOLERANCE = 0.005


def run(repeats: int = REPEATS, design: Design = FULL, labels: int = LABELS) -> Table:
    """Compare with the default, and with float32 and sample weights."""
    peers = {
        "`OneVsRestClassifier(LogisticRegression)`, rows repeated, float64": _default,
        "`LogisticRegression` per label, sample weights, float32": _single,
    }
    with opened("frozen_encoder", design, labels) as task:
        sides = compare(task, peers, _converged, repeats)
        reason = _reason(task)
    goals = (20.0, 12.0)
    rows = tuple(s.compared(task, TOLERANCE, goal, reason) for s, goal in zip(sides, goals, strict=True))
    return Table("Dense linear heads", rows, repeats, f"scikit-learn {metadata.version('scikit-learn')}")


def _default(task: Task, plan: Plan) -> Scores:
    vectors = _vectors(task).astype(np.float64)
    return default_scores(vectors[plan.support.rows], plan.truth, plan.times, vectors[task.test_rows])


def _converged(task: Task, plan: Plan) -> Scores:
    vectors = _vectors(task).astype(np.float64)
    features, target = vectors[plan.support.rows], vectors[task.test_rows]
    return weighted_scores(features, plan.truth, plan.support.weights, target, CONVERGED)


def _single(task: Task, plan: Plan) -> Scores:
    vectors = _vectors(task)
    features, target = vectors[plan.support.rows], vectors[task.test_rows]
    return weighted_scores(features, plan.truth, plan.support.weights, target)


def _vectors(task: Task) -> Floats:
    return read_embeddings(task.run.source).vectors


def _reason(task: Task) -> str:
    vectors, counting = _vectors(task), Counting()
    operations = 0.0
    for plan in task.plans:
        rows = plan.support.rows
        fit_dense(vectors[rows], plan.truth, plan.support.weights[:, None], C, method=counting.solve)
        # The Gram matrix and the rotation.
        operations += 4.0 * len(rows) * min(vectors[rows].shape) * vectors.shape[1]
    needed = (operations + counting.operations) / 1e9
    return (
        f"Our products ({needed:.0f} GFLOP) alone take {needed / limits().float32:.2f} s at the rate measured. About "
        "a third of the time goes into the eigenvectors of a 384 × 384 matrix: found once a plan, they serve its six "
        "fits in the study and one here."
    )
