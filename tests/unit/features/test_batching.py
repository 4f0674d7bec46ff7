"""Batches have few shapes, and every text stands in exactly one."""

import numpy as np

from services.features.batching import BATCH_ROWS, batches, padded


def test_every_row_stands_in_one_batch_that_is_long_enough() -> None:
    lengths = [int(n) for n in np.random.default_rng(1).integers(1, 60, 100)]
    found = list(batches(lengths))
    assert sorted(row for rows, _ in found for row in rows) == list(range(100))
    for rows, length in found:
        assert len(rows) <= BATCH_ROWS
        assert all(length - 8 < lengths[row] <= length for row in rows)
        assert length % 8 == 0


def test_rows_may_depend_on_the_length() -> None:
    found = list(batches([8] * 10 + [40] * 3, lambda length: 64 // length))
    assert [(len(rows), length) for rows, length in found] == [(8, 8), (2, 8), (1, 40), (1, 40), (1, 40)]


def test_shape_is_fixed_and_every_row_has_a_token() -> None:
    ids, mask = padded([[5, 6, 7], [8]], 8, padding=1, row_count=4)
    assert ids.tolist()[0] == [5, 6, 7, 1, 1, 1, 1, 1]
    assert mask.sum(axis=1).tolist() == [3, 1, 1, 1]
