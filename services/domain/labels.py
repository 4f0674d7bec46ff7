"""Label sets as bit masks."""

import numpy as np
import numpy.typing as npt

from services.domain.task import Indicator

Masks = npt.NDArray[np.uint64]


def label_masks(indicator: Indicator) -> Masks:
    """Pack label sets into machine words.

    Args:
        indicator: Shape (n, labels).

    Returns:
        Shape (n, ceil(labels / 64)); label j is bit j % 64 of word j // 64.
    """
    count, labels = indicator.shape
    words = max(1, -(-labels // 64))
    padded = np.zeros((count, words * 64), dtype=bool)
    padded[:, :labels] = indicator
    packed = np.packbits(padded, axis=1, bitorder="little")
    return np.ascontiguousarray(packed).view("<u8").astype(np.uint64)


def jaccard(left: Masks, right: Masks) -> npt.NDArray[np.float64]:
    """Return |a & b| / |a | b| for all pairs, shape (left, right).

    Two empty label sets share nothing: their similarity is 0.
    """
    both = np.zeros((len(left), len(right)), dtype=np.int64)
    either = np.zeros_like(both)
    for word in range(left.shape[1]):
        a, b = left[:, word, None], right[None, :, word]
        both += np.bitwise_count(a & b)
        either += np.bitwise_count(a | b)
    return both / np.maximum(either, 1)
