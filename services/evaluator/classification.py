"""Scores of predicted label sets: micro-, macro- and per-label F1."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.domain.errors import InvalidInputError

BoolMatrix = NDArray[np.bool_]
FloatMatrix = NDArray[np.floating]
Counts = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LabelCounts:
    """What micro- and macro-F1 rest on, each of shape (labels,)."""

    true_positives: Counts
    predicted: Counts
    positives: Counts

    @property
    def sizes(self) -> Counts:
        """Denominator of F1: predicted plus true."""
        return self.predicted + self.positives


def at_threshold(scores: FloatMatrix, threshold: float) -> BoolMatrix:
    """Predict every label whose score reaches the threshold; a document may get none."""
    return np.asarray(scores >= threshold)


def at_argmax(scores: FloatMatrix) -> BoolMatrix:
    """Predict the one best label of each document; the first of equals."""
    predicted = np.zeros(scores.shape, dtype=np.bool_)
    predicted[np.arange(len(scores)), scores.argmax(axis=1)] = True
    return predicted


def count_labels(truth: BoolMatrix, predicted: BoolMatrix) -> LabelCounts:
    """Count hits, predictions and positives per label.

    Args:
        truth: Shape (n, L).
        predicted: Shape (n, L).

    Raises:
        InvalidInputError: The shapes differ.
    """
    require_same_shape(truth.shape, predicted.shape)
    return LabelCounts(
        (truth & predicted).sum(axis=0, dtype=np.int64),
        predicted.sum(axis=0, dtype=np.int64),
        truth.sum(axis=0, dtype=np.int64),
    )


def micro_f1(counts: LabelCounts, labels: BoolMatrix | None = None) -> float | None:
    """Return F1 pooled over labels.

    Args:
        labels: Shape (L,), the labels to pool; all of them when absent.

    Returns:
        In 0..1; None where nothing is true and nothing predicted (0/0).
    """
    chosen = slice(None) if labels is None else labels
    size = counts.sizes[chosen].sum()
    return None if size == 0 else float(2.0 * counts.true_positives[chosen].sum() / size)


def per_label_f1(counts: LabelCounts) -> Floats:
    """Return F1 of each label, shape (L,); NaN where it is 0/0."""
    sizes = counts.sizes.astype(np.float64)
    values = np.full(sizes.shape, np.nan)
    np.divide(2.0 * counts.true_positives, sizes, out=values, where=sizes > 0)
    return values


def macro_f1(counts: LabelCounts) -> float | None:
    """Return the mean F1 over the labels that the truth holds; None where it holds none."""
    supported = counts.positives > 0
    return float(per_label_f1(counts)[supported].mean()) if supported.any() else None


def require_same_shape(truth: tuple[int, ...], scores: tuple[int, ...]) -> None:
    """Raise unless both matrices are about the same documents and labels."""
    if truth != scores:
        raise InvalidInputError(
            f"the truth holds {_shape(truth)} and the predictions {_shape(scores)}; "
            "score predictions against the corpus they were made for",
            field="predictions",
        )


def require_finite(scores: FloatMatrix, name: str) -> None:
    """Raise where a score is NaN or infinite: a comparison with it would be silently false."""
    bad = int(scores.size - np.isfinite(scores).sum())
    if bad:
        raise InvalidInputError(
            f"{bad} of {scores.size} scores of {name} are not finite; train or search again",
            field="predictions",
        )


def _shape(shape: tuple[int, ...]) -> str:
    return f"{shape[0]} documents by {shape[1]} labels" if len(shape) == 2 else f"shape {shape}"
