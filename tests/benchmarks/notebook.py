"""What a careful notebook does with scikit-learn: one model per label, one fit after the other."""

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier

C = 10.0
CONVERGED = 1e-6
# The study's: terms in one text only are left out.
LEAST_DOCUMENTS = 1

Flags = npt.NDArray[np.bool_]
Scores = npt.NDArray[Any]


def default_scores(features: Any, truth: Flags, times: npt.NDArray[np.int64], target: Any) -> Scores:
    """Return probabilities of the target by OneVsRestClassifier, every row repeated as often as it counts.

    Args:
        features: Shape (n, d), dense or CSR.
        truth: Shape (n, labels).
        times: Shape (n,).
        target: Shape (m, d).
    """
    rows = np.repeat(np.arange(len(times)), times)
    model = OneVsRestClassifier(LogisticRegression(C=C, max_iter=1000))
    with warnings.catch_warnings():
        # It says of every label that is in no document that it is in none.
        warnings.filterwarnings("ignore", "Label .* is present in")
        model.fit(features[rows], truth[rows].astype(int))
    return np.asarray(model.predict_proba(target))


def weighted_scores(
    features: Any, truth: Flags, weights: npt.NDArray[np.float32], target: Any, tolerance: float = 1e-4
) -> Scores:
    """Return the same from every row once with its weight, in the features' own precision: the quicker way.

    The tolerance is of the gradient. scikit-learn's default, 1e-4, stops before micro-F1 has settled
    in its third decimal.
    """
    scores = np.empty((target.shape[0], truth.shape[1]), np.float32)
    for j, y in enumerate(truth.T):
        if y.all() or not y.any():
            scores[:, j] = y[0]
            continue
        model = LogisticRegression(C=C, max_iter=5000, tol=tolerance)
        model.fit(features, y, sample_weight=weights)
        scores[:, j] = model.predict_proba(target)[:, 1]
    return scores


def vectorised(
    texts: npt.NDArray[np.object_], train: Any, target: Any, dtype: type = np.float32
) -> tuple[Any, Any]:
    """Return TF-IDF of training and target rows; words and idf are those of the distinct training texts."""
    distinct = list(dict.fromkeys(texts[train]))
    vectorizer = TfidfVectorizer(min_df=LEAST_DOCUMENTS, dtype=dtype).fit(distinct)
    return vectorizer.transform(texts[train]), vectorizer.transform(texts[target])


def micro_f1(scores: Scores, truth: Flags, threshold: float = 0.5) -> float:
    """Return micro-F1 of the scores at or above a threshold."""
    predicted = scores >= threshold
    return float(2 * (predicted & truth).sum() / (predicted.sum() + truth.sum()))
