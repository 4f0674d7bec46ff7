"""A linear classifier that tells two samples apart: ridge regression on their sides.

The hyperplane stands half way between the sides' means, so that the larger side
is not favoured. The penalty is the mean of the training rows' squared singular
values: it needs no labels, and hence no search.
"""

import numpy as np
import numpy.typing as npt

from services.evaluator.fidelity import Codes, Doubles

FOLDS = 5

Rows = npt.NDArray[np.intp]


def family_folds(real: Codes, synthetic: Codes, rng: np.random.Generator) -> tuple[Codes, Codes]:
    """Deal whole families to five folds, as many of either side to each.

    Args:
        real: Shape (n,), families of one side.
        synthetic: Shape (m,), of the other. A family on both sides stands in one fold.
        rng: Decides which.

    Returns:
        Fold per document, shapes (n,) and (m,).
    """
    names = np.unique(np.concatenate([real, synthetic]))
    side = 2 * np.isin(names, real) + np.isin(names, synthetic)
    folds = np.empty(len(names), dtype=np.int64)
    start = 0
    for kind in (1, 2, 3):
        members = rng.permutation(np.flatnonzero(side == kind))
        folds[members] = (start + np.arange(len(members))) % FOLDS
        start += len(members)
    return folds[np.searchsorted(names, real)], folds[np.searchsorted(names, synthetic)]


def cross_fitted(x: Doubles, synthetic: npt.NDArray[np.bool_], folds: Codes) -> Doubles:
    """Return how far on the synthetic side each document falls, shape (n,).

    Above zero is synthetic. A document is judged by the classifier that its fold
    did not take part in; each fold's complement needs documents of both sides.
    """
    scores = np.empty(len(x))
    for fold in np.unique(folds):
        test, train = folds == fold, folds != fold
        middle = (x[train & synthetic].mean(axis=0) + x[train & ~synthetic].mean(axis=0)) / 2
        scores[test] = _projection(x[train] - middle, x[test] - middle) @ np.where(
            synthetic[train], 1.0, -1.0
        )
    return scores


def permuted_accuracies(x: Doubles, sides: Doubles, folds: Codes) -> Doubles:
    """Return the share told apart under many assignments of sides, refitted under each.

    The rows of a fold and the penalty do not depend on the sides, so that a refit
    is a product with the same matrix.

    Args:
        x: Shape (n, d).
        sides: Shape (assignments, n), 1 or -1; in every fold they add up to zero.
        folds: Shape (n,).
    """
    right = np.zeros(len(sides))
    for fold in np.unique(folds):
        test, train = folds == fold, folds != fold
        # With balanced folds the middle of the sides' means is the mean, whatever the sides.
        middle = x[train].mean(axis=0)
        scores = sides[:, train] @ _projection(x[train] - middle, x[test] - middle).T
        right += ((scores > 0) == (sides[:, test] > 0)).sum(axis=1)
    return right / len(x)


def _projection(train: Doubles, test: Doubles) -> Doubles:
    """Return what takes training targets to test scores, shape (test rows, training rows)."""
    dimensions = train.shape[1]
    penalty = max(float(np.square(train).sum()) / dimensions, np.finfo(np.float64).tiny)
    gram = train.T @ train + penalty * np.eye(dimensions)
    return np.asarray(test @ np.linalg.solve(gram, train.T))
