"""Folds by family, for out-of-fold scores."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from services.domain.errors import InvalidInputError
from services.domain.seeds import derived_seed

NEVER_HELD_OUT = -1


def assign_folds(
    families: Sequence[str], scored: npt.NDArray[np.bool_], folds: int, seed: int
) -> npt.NDArray[np.int64]:
    """Return the fold in which each row is held out, -1 for rows that always train.

    Families of scored rows are dealt out in the order of a hash, so the same real
    documents have the same folds in every arm. A copy or a synthetic row whose
    family is among them goes with it; otherwise it would tell the model about the
    document it is scored on.

    Args:
        families: One per row.
        scored: One per row: gets an out-of-fold score.
        folds: At least 2; fewer are used when there are fewer families.
        seed: Decides the deal.

    Raises:
        InvalidInputError: All scored rows are of one family.
    """
    dealt = sorted(
        {families[i] for i in np.flatnonzero(scored).tolist()},
        key=lambda f: (derived_seed(seed, "fold", f), f),
    )
    if len(dealt) == 1:
        raise InvalidInputError(
            f"out-of-fold scores need two families of scored documents, and all are of {dealt[0]!r}; "
            "give more real documents",
            field="plan.scored",
        )
    fold = {family: position % folds for position, family in enumerate(dealt)}
    return np.array([fold.get(family, NEVER_HELD_OUT) for family in families], np.int64)


def left_out(
    fold: npt.NDArray[np.int64], families: Sequence[str], donors: Sequence[Sequence[str]]
) -> npt.NDArray[np.bool_]:
    """Return which rows train without each fold: those held out in it, and those made of one.

    A row made of several documents goes out with each of them.

    Args:
        fold: Shape (n,), of `assign_folds`.
        families: One per row.
        donors: One per row: families of the documents that lent it words; empty for most.

    Returns:
        Shape (n, folds in use).
    """
    place = {family: k for family, k in zip(families, fold.tolist(), strict=True) if k != NEVER_HELD_OUT}
    found = fold[:, None] == np.arange(fold.max(initial=NEVER_HELD_OUT) + 1)
    for row, named in enumerate(donors):
        for family in named:
            if family in place:
                found[row, place[family]] = True
    return np.asarray(found)


def fold_weights(weights: npt.NDArray[np.float32], out: npt.NDArray[np.bool_]) -> npt.NDArray[np.float32]:
    """Return one weighting for all rows, then one for each fold without the rows of `left_out`.

    Returns:
        Shape (n, 1 + folds in use).
    """
    columns = [weights, *(np.where(column, np.float32(0), weights) for column in out.T)]
    return np.stack(columns, axis=1).astype(np.float32)
