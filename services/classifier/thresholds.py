"""One global threshold from out-of-fold scores."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.domain.task import TaskType


@dataclass(frozen=True, slots=True)
class Threshold:
    """Scores at or above `value` are predictions; None comes with a reason."""

    value: float | None
    undefined_reason: str = ""


def threshold_of(
    task_type: TaskType, scores: npt.NDArray[np.float32], truth: npt.NDArray[np.bool_]
) -> Threshold:
    """Return the tuned threshold of a multi-label task; a single-label one has none."""
    if task_type is TaskType.SINGLE_LABEL:
        return Threshold(None, "single-label: the highest score wins")
    return tune_threshold(scores, truth)


def tune_threshold(scores: npt.NDArray[np.float32], truth: npt.NDArray[np.bool_]) -> Threshold:
    """Return the threshold with the highest micro-F1 over all documents and labels.

    Every distinct score is tried. The threshold lies halfway between the lowest
    score it accepts and the next one below, and at the lowest score when it accepts
    all; among equally good ones the highest is taken.

    Args:
        scores: Shape (n, labels).
        truth: Shape (n, labels).
    """
    positives = int(np.count_nonzero(truth))
    if not len(scores):
        return Threshold(None, "no documents with out-of-fold scores")
    if not positives:
        return Threshold(None, "no positive label among the documents with out-of-fold scores")
    order = np.argsort(-scores, axis=None, kind="stable")
    ranked = scores.ravel()[order].astype(np.float64)
    found = np.cumsum(truth.ravel()[order])
    # A threshold cannot part equal scores.
    ends = np.append(np.flatnonzero(np.diff(ranked)), ranked.size - 1)
    micro_f1 = 2 * found[ends] / (ends + 1 + positives)
    best = ends[np.argmax(micro_f1)]
    below = ranked[best + 1] if best + 1 < ranked.size else ranked[best]
    # As a float32, like the scores it is compared with; between neighbours there is none.
    between = float(np.float32((ranked[best] + below) / 2))
    return Threshold(between if between > below else float(ranked[best]))
