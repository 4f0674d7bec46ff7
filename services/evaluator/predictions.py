"""Predictions and truth as they lie in the store, checked before anything is computed from them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from safetensors import SafetensorError

from services.domain.errors import InvalidInputError
from services.domain.task import TaskType
from services.evaluator.classification import (
    BoolMatrix,
    FloatMatrix,
    Floats,
    at_argmax,
    at_threshold,
    require_finite,
    require_same_shape,
)
from services.evaluator.influence import Families, UndefinedScoreError, number_families
from services.evaluator.unit_means import UnitValues
from services.storage.store import Arrays, Store

SCORES = "test_scores"


@dataclass(frozen=True, slots=True)
class Truth:
    """The documents that were predicted.

    Attributes:
        sha256: The corpus' artifact.
        indicator: Shape (n, L).
    """

    sha256: str
    type: TaskType
    labels: tuple[str, ...]
    indicator: BoolMatrix
    families: Families


@dataclass(frozen=True, slots=True)
class Predictions:
    """Scores of one plan's model.

    Attributes:
        scores: Shape (n, L), all finite.
        threshold: The tuned one; None where there is none, and `threshold_undefined` says why.
        prevalence: Shape (L,), shares among the real training documents; None if not known.
    """

    scores: FloatMatrix
    threshold: float | None
    prevalence: Floats | None
    threshold_undefined: str = ""


def load_truth(store: Store, sha256: str) -> Truth:
    """Read the corpus that was predicted.

    Raises:
        InvalidInputError: The artifact is no corpus.
    """
    try:
        corpus = store.get_corpus(sha256)
    except pa.ArrowInvalid:
        raise InvalidInputError(f"artifact {sha256[:12]} holds no corpus", field="truth") from None
    task = corpus.task
    return Truth(sha256, task.type, task.labels, corpus.indicator, number_families(corpus.families))


def load_predictions(store: Store, sha256: str, truth: Truth) -> Predictions:
    """Read the result of a training plan.

    Raises:
        InvalidInputError: No such result, made for other documents, or not finite.
    """
    arrays, metadata = _read_arrays(store, sha256)
    if SCORES not in arrays:
        raise InvalidInputError(
            f"artifact {sha256[:12]} holds {_names(arrays)} and no {SCORES!r}: it is no training result",
            field="predictions",
        )
    _require_same_test(metadata, truth)
    scores = arrays[SCORES]
    require_same_shape(truth.indicator.shape, scores.shape)
    require_finite(scores, f"artifact {sha256[:12]}")
    # A single-label task decides by the best label and has no threshold to read.
    threshold = None if truth.type is TaskType.SINGLE_LABEL else _threshold(metadata, sha256)
    reason = metadata.get("threshold_undefined", "") or "no tuned threshold was stored"
    return Predictions(scores, threshold, _prevalence(arrays), "" if threshold is not None else reason)


def load_unit_values(store: Store, sha256: str, score: str, truth: Truth) -> UnitValues:
    """Read an array of one value per unit; an array "defined" says which of them count.

    Raises:
        InvalidInputError: No such array, of another length, or NaN where it is defined.
    """
    arrays, metadata = _read_arrays(store, sha256)
    if score not in arrays:
        raise InvalidInputError(
            f"score {score!r} is neither built in nor in artifact {sha256[:12]}, which holds {_names(arrays)}",
            field="contrasts.score",
        )
    _require_same_test(metadata, truth)
    values = np.asarray(arrays[score], dtype=np.float64)
    count = len(truth.indicator)
    if values.shape != (count,):
        raise InvalidInputError(
            f"artifact {sha256[:12]} has {score!r} of shape {values.shape} for a truth of {count} units",
            field="contrasts",
        )
    defined = np.asarray(arrays.get("defined", np.ones(count)), dtype=np.bool_)
    require_finite(values[defined], f"{score!r} in artifact {sha256[:12]}")
    return UnitValues(values, defined)


def decide(predictions: Predictions, truth: Truth, *, at_half: bool = False) -> BoolMatrix:
    """Return the predicted label sets: at the tuned threshold or .5, or the best label of each.

    Raises:
        InvalidInputError: .5 asked of a single-label task.
        UndefinedScoreError: A multi-label result without a threshold.
    """
    if truth.type is TaskType.SINGLE_LABEL and at_half:
        raise InvalidInputError("a single-label task has no threshold of 0.5", field="contrasts.score")
    if truth.type is TaskType.SINGLE_LABEL:
        return at_argmax(predictions.scores)
    if at_half:
        return at_threshold(predictions.scores, 0.5)
    if predictions.threshold is None:
        raise UndefinedScoreError(f"no tuned threshold: {predictions.threshold_undefined}")
    return at_threshold(predictions.scores, predictions.threshold)


def _read_arrays(store: Store, sha256: str) -> tuple[Arrays, dict[str, str]]:
    try:
        return store.get_arrays(sha256)
    except SafetensorError:
        raise InvalidInputError(
            f"artifact {sha256[:12]} holds no arrays; give the result of a training run", field="predictions"
        ) from None


def _require_same_test(metadata: dict[str, str], truth: Truth) -> None:
    made_for = metadata.get("test", truth.sha256)
    if made_for != truth.sha256:
        raise InvalidInputError(
            f"predictions were made for corpus {made_for[:12]}, the truth given is {truth.sha256[:12]}",
            field="truth",
        )


def _threshold(metadata: dict[str, str], sha256: str) -> float | None:
    text = metadata.get("threshold", "")
    if not text:
        return None
    threshold = float(text)
    if not math.isfinite(threshold):
        raise InvalidInputError(f"artifact {sha256[:12]} has threshold {text}", field="predictions")
    return threshold


def _prevalence(arrays: Arrays) -> Floats | None:
    truth = arrays.get("oof_truth")
    return None if truth is None or not len(truth) else np.asarray(truth, dtype=np.float64).mean(axis=0)


def _names(arrays: Arrays) -> str:
    return ", ".join(sorted(arrays)) or "nothing"
