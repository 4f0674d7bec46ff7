"""Batches of few fixed shapes, so that a vector never depends on the texts beside it."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

# The step of a batch's length.
LENGTH_STEP = 8
# Larger batches are no faster on one thread, and smaller ones waste less on padding.
BATCH_ROWS = 16

# Rows of a batch, by its padded length alone.
RowsOf = Callable[[int], int]


def batches(
    lengths: Sequence[int], rows_of: RowsOf = lambda _: BATCH_ROWS
) -> Iterator[tuple[list[int], int]]:
    """Yield the rows of each batch and its padded length."""
    by_length: dict[int, list[int]] = {}
    for row, length in enumerate(lengths):
        by_length.setdefault(-(-length // LENGTH_STEP) * LENGTH_STEP, []).append(row)
    for length, rows in sorted(by_length.items()):
        size = rows_of(length)
        for start in range(0, len(rows), size):
            yield rows[start : start + size], length


def padded(
    tokens: Sequence[Sequence[int]], length: int, padding: int = 0, row_count: int = BATCH_ROWS
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Return token ids and the mask of real tokens, both of shape (row_count, length)."""
    ids = np.full((row_count, length), padding, dtype=np.int64)
    mask = np.zeros((row_count, length), dtype=bool)
    # Dummy rows need one token to have a mean.
    mask[len(tokens) :, 0] = True
    for row, known in enumerate(tokens):
        ids[row, : len(known)] = known
        mask[row, : len(known)] = True
    return ids, mask
