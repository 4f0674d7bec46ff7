"""Logistic regression on TF-IDF, vectoriser and prediction on both sides."""

from importlib import metadata

import numpy as np
import scipy.sparse as sp

from flows.design import Design
from services.classifier.solvers.sparse import fit_sparse
from tests.benchmarks.comparison import Table
from tests.benchmarks.counting import Counting
from tests.benchmarks.limits import limits
from tests.benchmarks.linear import LABELS, Plan, Task, compare, opened
from tests.benchmarks.notebook import CONVERGED, C, Scores, default_scores, vectorised, weighted_scores
from tests.benchmarks.reduced_study import FULL

REPEATS = 2
TOLERANCE = 0.003


def run(repeats: int = REPEATS, design: Design = FULL, labels: int = LABELS) -> Table:
    """Compare with the default, and with float32 and sample weights."""
    peers = {
        "`TfidfVectorizer`, `OneVsRestClassifier(LogisticRegression)`, rows repeated, float64": _default,
        "`TfidfVectorizer`, `LogisticRegression` per label, sample weights, float32": _single,
    }
    with opened("tfidf_linear", design, labels) as task:
        sides = compare(task, peers, _converged, repeats)
        reason = _reason(task)
    goals = (10.0, None)
    rows = tuple(s.compared(task, TOLERANCE, goal, reason) for s, goal in zip(sides, goals, strict=True))
    return Table("TF-IDF linear heads", rows, repeats, f"scikit-learn {metadata.version('scikit-learn')}")


def _default(task: Task, plan: Plan) -> Scores:
    features, target = vectorised(task.texts, plan.support.rows, task.test_rows, np.float64)
    return default_scores(features, plan.truth, plan.times, target)


def _converged(task: Task, plan: Plan) -> Scores:
    features, target = vectorised(task.texts, plan.support.rows, task.test_rows, np.float64)
    return weighted_scores(features, plan.truth, plan.support.weights, target, CONVERGED)


def _single(task: Task, plan: Plan) -> Scores:
    features, target = vectorised(task.texts, plan.support.rows, task.test_rows)
    return weighted_scores(features, plan.truth, plan.support.weights, target)


def _reason(task: Task) -> str:
    counting = Counting()
    for plan in task.plans:
        features, _ = vectorised(task.texts, plan.support.rows, task.test_rows[:1])
        fit_sparse(sp.csr_array(features), plan.truth, plan.support.weights, C, method=counting.solve)
    needed = counting.bytes / 1e9
    return (
        f"Reading every label's history for its directions ({needed:.0f} GB) alone takes "
        f"{needed / limits().cached_bytes:.2f} s out of the second cache at the rate measured."
    )
