"""Linear heads over any features: how they are fitted, scored and written down."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from scipy.special import expit

from services.classifier.objectives import Counts, Objective
from services.classifier.parameters import require_between
from services.classifier.solvers.dense import rotate
from services.classifier.solvers.descent import Descended
from services.classifier.solvers.finite import require_sum
from services.classifier.solvers.newton import CONSTANT_LOGIT, Solution
from services.classifier.solvers.objectives import descend_softmax, element_weights
from services.classifier.solvers.sparse import lay_out
from services.domain.task import TaskType

LEAST_STRENGTH, MOST_STRENGTH = 1e-9, 1e9

Floats = npt.NDArray[np.float32]
Matrix = Any
"""A float32 array or a CSR matrix, shape (n, d)."""


@dataclass(frozen=True, slots=True)
class Head:
    """One linear score per label.

    Args:
        type: Sigmoid per label, or softmax over labels.
        slopes: Shape (labels, d).
        intercepts: Shape (labels,).
        constant: Labels whose training documents were all positive or all
            negative: their score is the same for every document.
        unfinished: Labels that had not converged at the limit on iterations.
    """

    type: TaskType
    slopes: Floats
    intercepts: Floats
    constant: int = 0
    unfinished: int = 0

    def scores(self, features: Matrix) -> Floats:
        """Return probabilities, shape (n, labels)."""
        margins = np.asarray(features @ self.slopes.T, np.float32) + self.intercepts
        if self.type is TaskType.MULTI_LABEL:
            return np.asarray(expit(margins))
        exponents = np.exp(margins - margins.max(axis=1, keepdims=True))
        return np.asarray(exponents / exponents.sum(axis=1, keepdims=True))

    @property
    def estimates(self) -> dict[str, float]:
        return {"constant_labels": float(self.constant), "unfinished_labels": float(self.unfinished)}

    @property
    def table(self) -> Floats:
        """Slopes and, last, the intercept, shape (labels, d + 1)."""
        return np.column_stack([self.slopes, self.intercepts])

    def arrays(self) -> dict[str, np.ndarray]:
        """Return what `from_arrays` needs."""
        return {"slopes": self.slopes, "intercepts": self.intercepts}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], task_type: str) -> "Head":
        """Return the head that was written down."""
        return cls(TaskType(task_type), arrays["slopes"], arrays["intercepts"])


def require_strength(name: str, value: float) -> None:
    """Raise InvalidInputError for a C at which 32-bit numbers no longer tell penalty and loss apart."""
    require_between(name, value, LEAST_STRENGTH, MOST_STRENGTH)


def heads_of(solution: Solution) -> tuple[Head, ...]:
    """Return one multi-label head per weighting."""
    groups = zip(solution.slopes, solution.intercepts, solution.constant, solution.unfinished, strict=True)
    return tuple(
        Head(TaskType.MULTI_LABEL, slopes, intercepts, int(constant.sum()), int(unfinished))
        for slopes, intercepts, constant, unfinished in groups
    )


def fit_softmax(features: Matrix, truth: npt.NDArray[np.bool_], weights: Floats, strength: float) -> Head:
    """Fit multinomial logistic regression with scikit-learn's L-BFGS.

    Classes without a document get a score close to 0. With two classes present the
    penalty is that of one binary model, as in scikit-learn.

    Args:
        features: Shape (n, d).
        truth: Shape (n, labels), one label per row.
        weights: Shape (n,); rows of weight 0 are left out.
        strength: C.
    """
    from sklearn.linear_model import LogisticRegression

    require_sum(weights)
    rows = np.flatnonzero(weights > 0)
    classes = truth[rows].argmax(axis=1)
    present = np.unique(classes)
    slopes = np.zeros((truth.shape[1], features.shape[1]), np.float32)
    intercepts = np.full(truth.shape[1], -CONSTANT_LOGIT, np.float32)
    absent = truth.shape[1] - len(present)
    if len(present) == 1 or not features.shape[1]:
        shares = np.bincount(classes, weights[rows], truth.shape[1])[present] / weights[rows].sum()
        intercepts[present] = np.log(shares)
        return Head(TaskType.SINGLE_LABEL, slopes, intercepts, truth.shape[1])
    fitted = LogisticRegression(C=strength, max_iter=1000, tol=1e-5)
    fitted.fit(features[rows], classes, sample_weight=weights[rows])
    if len(present) == 2:
        slopes[present] = np.concatenate([-fitted.coef_ / 2, fitted.coef_ / 2])
        intercepts[present] = np.concatenate([-fitted.intercept_ / 2, fitted.intercept_ / 2])
    else:
        slopes[present], intercepts[present] = fitted.coef_, fitted.intercept_
    unfinished = len(present) if fitted.n_iter_.max() >= 1000 else 0
    return Head(TaskType.SINGLE_LABEL, slopes, intercepts, absent, unfinished)


def fit_softmax_under(
    features: Matrix, truth: npt.NDArray[np.bool_], weights: Floats, strength: float, objective: Objective
) -> Head:
    """Fit a softmax under an objective: with weights where it reweights, else on from log-loss's solution.

    Arguments are those of `fit_softmax`.
    """
    if objective.reweights:
        elements = element_weights(objective, truth, Counts.of(TaskType.SINGLE_LABEL, truth, weights))
        return fit_softmax(features, truth, weights * elements[:, 0], strength)
    if sp.issparse(features):
        sparse = lay_out(features, weights)
        start = fit_softmax(sparse.rows, truth, weights, strength)
        return _descended(start, descend_softmax(sparse, truth, weights, strength, start.table, objective))
    dense = rotate(features, weights)
    start = fit_softmax(dense.features, truth, weights, strength)
    found = _descended(start, descend_softmax(dense, truth, weights, strength, start.table, objective))
    slopes = found.slopes @ dense.basis.T
    return replace(found, slopes=slopes, intercepts=np.asarray(found.intercepts - slopes @ dense.mean))


def fit_each(fit: Callable[[Floats], Head], weights: Floats) -> tuple[Head, ...]:
    """Fit one head per column of weights, shape (n, weightings)."""
    return tuple(fit(np.ascontiguousarray(column)) for column in weights.T)


def _descended(start: Head, found: Descended) -> Head:
    unfinished = int(found.unfinished.sum())
    table = found.coefficients
    return replace(start, slopes=table[:, :-1].copy(), intercepts=table[:, -1].copy(), unfinished=unfinished)
