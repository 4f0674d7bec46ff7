"""Sums of a Gaussian kernel over blocks of documents, without ever storing the kernel.

One pass yields three bandwidths, because the square of a Gaussian kernel is the
kernel of twice its exponent. Tiles between two corpora are never visited: each
corpus meets itself, above the diagonal, and the reference.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit

from services.evaluator.fidelity import Codes, Doubles, Floats, Sample

BLOCKS = 50
TILE_ROWS = 256
TILE_COLUMNS = 512
# The kernel is raised to these powers: bandwidth times 1, 1/sqrt(2), 1/2.
POWERS = (1, 2, 4)


@dataclass(frozen=True, slots=True)
class Blocked:
    """A sample sorted by block, families whole.

    Args:
        left, right: Shape (n, d + 2). The product of a left row and a right row
            is the exponent of their kernel.
        blocks: Shape (n,), ascending from 0.
        mass: Shape (n,), weights.
    """

    left: Floats
    right: Floats
    blocks: Codes
    mass: Doubles

    @property
    def count(self) -> int:
        """Blocks."""
        return int(self.blocks[-1]) + 1


@dataclass(frozen=True, slots=True)
class BlockSums:
    """Kernel sums of one corpus.

    Args:
        within: Shape (powers, blocks, blocks); no document meets itself.
        cross: Shape (powers, blocks, reference blocks).
        mass: Shape (blocks,), sum of weights.
        squares: Shape (blocks,), sum of squared weights.
    """

    within: Doubles
    cross: Doubles
    mass: Doubles
    squares: Doubles


def kernel_sums(reference: Sample, corpora: Sequence[Sample], gamma: float) -> tuple[BlockSums, ...]:
    """Sum exp(-gamma * power * |x - y|^2) within every sample and against the reference.

    Args:
        reference: Its own sums come first in the result, without `cross`.
        corpora: Measured against the reference.
        gamma: Positive, the smallest of the three exponents.
    """
    base = _blocked(reference, gamma)
    empty = np.zeros((len(POWERS), 0, 0))
    return (_sums(base, empty), *(_against(_blocked(corpus, gamma), base) for corpus in corpora))


def family_blocks(families: Codes, count: int = BLOCKS) -> Codes:
    """Deal whole families to blocks, in the order of their first documents.

    Returns:
        Shape (n,), block per document; as many blocks as families where those are fewer.
    """
    _, first, code = np.unique(families, return_index=True, return_inverse=True)
    order = np.empty(len(first), dtype=np.int64)
    order[np.argsort(first)] = np.arange(len(first))
    return order[code] % min(count, len(first))


def _against(corpus: Blocked, reference: Blocked) -> BlockSums:
    cross, space = np.zeros((len(POWERS), corpus.count, reference.count)), _space()
    for rows, columns in _tiles(len(corpus.blocks), len(reference.blocks)):
        _add(_kernel(corpus, reference, rows, columns, space), corpus, reference, rows, columns, cross)
    return _sums(corpus, cross)


def _sums(sample: Blocked, cross: Doubles) -> BlockSums:
    mass, squares = (np.zeros(sample.count) for _ in range(2))
    np.add.at(mass, sample.blocks, sample.mass)
    np.add.at(squares, sample.blocks, sample.mass**2)
    return BlockSums(_within(sample), cross, mass, squares)


def _within(sample: Blocked) -> Doubles:
    upper = np.zeros((len(POWERS), sample.count, sample.count))
    diagonal, space = np.zeros_like(upper), _space()
    for rows, columns in _tiles(len(sample.blocks), len(sample.blocks), TILE_ROWS):
        if rows.start > columns.start:
            continue
        tile = _kernel(sample, sample, rows, columns, space)
        if rows == columns:
            # A document is not evidence about itself.
            np.fill_diagonal(tile, 0)
        _add(tile, sample, sample, rows, columns, diagonal if rows == columns else upper)
    return diagonal + upper + upper.transpose(0, 2, 1)


def _tiles(rows: int, columns: int, width: int = TILE_COLUMNS) -> Iterator[tuple[slice, slice]]:
    for top in range(0, rows, TILE_ROWS):
        for left in range(0, columns, width):
            yield slice(top, min(top + TILE_ROWS, rows)), slice(left, min(left + width, columns))


def _space() -> Floats:
    """Return room for one tile after another; fresh memory for each would be cleared by the system first."""
    return np.empty(TILE_ROWS * TILE_COLUMNS, np.float32)


def _kernel(one: Blocked, other: Blocked, rows: slice, columns: slice, space: Floats) -> Floats:
    shape = rows.stop - rows.start, columns.stop - columns.start
    tile = space[: shape[0] * shape[1]].reshape(shape)
    np.matmul(one.left[rows], other.right[columns].T, out=tile)
    return np.exp(tile, out=tile)


def _add(tile: Floats, one: Blocked, other: Blocked, rows: slice, columns: slice, sums: Doubles) -> None:
    blocks = other.blocks[columns]
    starts = np.zeros(blocks[-1] - blocks[0] + 2, np.int64)
    # No block between the first and the last is empty.
    starts[1:-1], starts[-1] = np.flatnonzero(blocks[1:] != blocks[:-1]) + 1, len(blocks)
    weights = other.mass[columns].astype(np.float32)
    _add_tile(tile, one.blocks[rows], one.mass[rows], starts, blocks[starts[:-1]], weights, sums)


def _blocked(sample: Sample, gamma: float) -> Blocked:
    blocks = family_blocks(sample.families)
    order = np.argsort(blocks, kind="stable")
    scaled = np.sqrt(2 * gamma) * sample.embeddings[order].astype(np.float64)
    norms = -0.5 * np.square(scaled).sum(axis=1, keepdims=True)
    left, right = (np.ones((len(scaled), scaled.shape[1] + 2), np.float32) for _ in range(2))
    left[:, :-2], left[:, [-2]] = scaled, norms
    right[:, :-2], right[:, [-1]] = scaled, norms
    return Blocked(left, right, blocks[order], sample.mass[order])


@njit(fastmath=True, nogil=True, cache=True)
def _add_tile(
    tile: Floats,
    row_blocks: Codes,
    row_weights: Doubles,
    starts: npt.NDArray[np.int64],
    column_blocks: Codes,
    column_weights: Floats,
    sums: Doubles,
) -> None:
    """Add a tile and its squares; columns of one block lie between two starts."""
    for i in range(tile.shape[0]):
        row, a, weight = tile[i], row_blocks[i], row_weights[i]
        for run in range(len(column_blocks)):
            first = second = fourth = np.float32(0)
            for j in range(starts[run], starts[run + 1]):
                k = row[j]
                square = k * k
                first += column_weights[j] * k
                second += column_weights[j] * square
                fourth += column_weights[j] * square * square
            b = column_blocks[run]
            sums[0, a, b] += weight * first
            sums[1, a, b] += weight * second
            sums[2, a, b] += weight * fourth
