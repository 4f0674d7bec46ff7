"""Labels for documents whose own are hidden: those that the model of the others predicts (self-training).

Scudder (1965); Lee (2013). One round, without a bar on confidence: every document is trained on.

Nothing of a held-out document may reach the fit it is scored by, neither through a
label nor through a threshold. So every fold has a teacher of its own, fitted without
it, and the teacher's threshold comes from fits without that fold and one more.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations

import numpy as np
import numpy.typing as npt

from services.classifier.families import Examples, Fitted, Floats, Prepared
from services.classifier.thresholds import threshold_of
from services.domain.errors import InvalidInputError
from services.domain.task import TaskType

LEAST_FOLDS = 3

Truth = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Labelled:
    """A training set, part of whose labels are hidden.

    Args:
        examples: Weightings: all documents, then all without each fold.
        scored: Positions of the documents with out-of-fold scores.
        predicted: Shape (n,): whose labels are hidden.
        fold: Shape (n,): where each document is held out, -1 for nowhere.
        out: Shape (n, folds): which train without each fold.
    """

    examples: Examples
    scored: npt.NDArray[np.int64]
    predicted: npt.NDArray[np.bool_]
    fold: npt.NDArray[np.int64]
    out: npt.NDArray[np.bool_]

    @property
    def folds(self) -> int:
        return int(self.examples.weights.shape[1]) - 1

    @cached_property
    def pairs(self) -> tuple[frozenset[int], ...]:
        return tuple(frozenset(pair) for pair in combinations(range(self.folds), 2))

    @property
    def teaching(self) -> Examples:
        """The given labels alone, without nothing, without each fold, without each pair of folds."""
        given = np.where(self.predicted[:, None], np.float32(0), self.examples.weights)
        pairs = [
            np.where(self.out[:, sorted(pair)].any(axis=1), np.float32(0), given[:, 0]) for pair in self.pairs
        ]
        return replace(self.examples, weights=np.column_stack([given, *pairs]).astype(np.float32))


def teach(prepared: Prepared, labelled: Labelled) -> tuple[tuple[Examples, ...], dict[str, float]]:
    """Return one training set per weighting, its hidden labels predicted by a model that saw no more than it.

    A document gets the labels at or above its teacher's threshold, and the highest one
    where there is none, because no document of a task is without labels.

    Returns:
        The sets, and of the first one: documents labelled in this way
        ("pseudo_documents"), the share that took its highest label for want of another
        ("pseudo_fallback_share"), and micro-F1 against the hidden labels
        ("pseudo_micro_f1"), which nothing but this number has seen.

    Raises:
        InvalidInputError: There are fewer than three folds.
    """
    if labelled.folds < LEAST_FOLDS:
        raise InvalidInputError(
            f"a threshold for pseudo-labels is tuned inside every fold, which takes {LEAST_FOLDS} folds of scored "
            f"documents, and there are {labelled.folds}; set more folds, or give more real documents",
            field="fold_count",
        )
    teachers = prepared.fit(labelled.teaching)
    singles, pairs = teachers[: labelled.folds + 1], teachers[labelled.folds + 1 :]
    by_pair = dict(zip(labelled.pairs, pairs, strict=True))
    taught, falls = [], []
    for number, teacher in enumerate(singles):
        inner = _inner(number - 1, singles[1:], by_pair)
        labels, without = _labels(labelled, teacher, inner)
        falls.append(without)
        truth = labelled.examples.truth.copy()
        truth[labelled.predicted] = labels
        weights = np.ascontiguousarray(labelled.examples.weights[:, [number]])
        taught.append(replace(labelled.examples, truth=truth, weights=weights))
    hidden = labelled.examples.truth[labelled.predicted]
    return tuple(taught), _estimates(taught[0].truth[labelled.predicted], hidden, falls[0])


def _inner(
    left_out: int, singles: tuple[Fitted, ...], pairs: Mapping[frozenset[int], Fitted]
) -> dict[int, Fitted]:
    """Return what scores each fold out of fold for the teacher without one; -1 is the teacher of all."""
    if left_out < 0:
        return dict(enumerate(singles))
    return {k: pairs[frozenset({left_out, k})] for k in range(len(singles)) if k != left_out}


def _labels(labelled: Labelled, teacher: Fitted, inner: Mapping[int, Fitted]) -> tuple[Truth, Truth]:
    """Return a teacher's labels for the hidden ones, and who took the highest for want of another."""
    examples = labelled.examples
    scores = teacher.scores(examples.rows[labelled.predicted])
    highest = np.arange(scores.shape[1]) == scores.argmax(axis=1)[:, None]
    if examples.type is TaskType.SINGLE_LABEL:
        return highest, np.zeros(len(scores), bool)
    found = list(_out_of_fold(labelled, inner))
    oof, truth = (np.concatenate(parts) for parts in zip(*found, strict=True))
    threshold = threshold_of(examples.type, oof, truth).value
    labels = scores >= (np.inf if threshold is None else threshold)
    without = np.asarray(~labels.any(axis=1), bool)
    return np.where(without[:, None], highest, labels), without


def _out_of_fold(labelled: Labelled, inner: Mapping[int, Fitted]) -> Iterator[tuple[Floats, Truth]]:
    for k, fitted in inner.items():
        held = np.intersect1d(np.flatnonzero(labelled.fold == k), labelled.scored)
        yield fitted.scores(labelled.examples.rows[held]), labelled.examples.truth[held]


def _estimates(labels: Truth, hidden: Truth, without: Truth) -> dict[str, float]:
    right, said = np.count_nonzero(labels & hidden), np.count_nonzero(labels) + np.count_nonzero(hidden)
    return {
        "pseudo_documents": float(len(labels)),
        "pseudo_fallback_share": float(without.mean()),
        "pseudo_micro_f1": float(2 * right / said),
    }
