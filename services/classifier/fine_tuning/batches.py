"""Which documents stand together, and in what shape."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from services.domain.seeds import stream

if TYPE_CHECKING:
    from torch import Tensor

Rows = npt.NDArray[np.int64]

# Every batch that is only scored has this many rows and a length that is a multiple of the
# step, filled up with dummies: what a document scores does not depend on those beside it.
SCORED_ROWS = 16
LENGTH_STEP = 8
# Documents of like length stand together within so many batches, drawn anew each epoch.
BUCKET_BATCHES = 8


class Batch(NamedTuple):
    """Documents side by side.

    Args:
        rows: Shape (n,), of the source.
        ids: Shape (n or more, length), int64.
        mask: Shape of `ids`, 1 where there is a token; rows beyond n are dummies.
    """

    rows: Rows
    ids: "Tensor"
    mask: "Tensor"


def scored_batches(ids: Sequence[Sequence[int]], rows: Rows, padding: int) -> Iterator[Batch]:
    """Yield fixed shapes that hold all rows, short ones first."""
    by_length: dict[int, list[int]] = {}
    for row in rows.tolist():
        by_length.setdefault(_padded(len(ids[row])), []).append(row)
    for _, members in sorted(by_length.items()):
        for start in range(0, len(members), SCORED_ROWS):
            yield lay_out(ids, np.array(members[start : start + SCORED_ROWS]), padding, SCORED_ROWS)


def lay_out(ids: Sequence[Sequence[int]], rows: Rows, padding: int, least: int = 0) -> Batch:
    """Return rows side by side, padded to a multiple of eight tokens and to at least some rows."""
    import torch

    length = _padded(max(len(ids[row]) for row in rows.tolist()))
    tokens = np.full((max(len(rows), least), length), padding, np.int64)
    mask = np.zeros_like(tokens)
    # A dummy needs one token to attend to.
    mask[len(rows) :, 0] = 1
    for i, row in enumerate(rows.tolist()):
        tokens[i, : len(ids[row])] = ids[row]
        mask[i, : len(ids[row])] = 1
    return Batch(rows, torch.from_numpy(tokens), torch.from_numpy(mask))


def epoch_batches(lengths: npt.NDArray[np.int64], size: int, seed: int, *names: str | int) -> list[Rows]:
    """Return one epoch's batches: every position once, like lengths together, in random order.

    Args:
        lengths: Shape (n,), tokens.
        size: Of a batch; the last may be smaller.
        seed: Of the run.
        names: Of the stage and the epoch.
    """
    rng = stream(seed, "fine_tuning", "order", *names)
    order = rng.permutation(len(lengths))
    chunk = size * BUCKET_BATCHES
    parts = [order[start : start + chunk] for start in range(0, len(order), chunk)]
    alike = np.concatenate([part[np.argsort(lengths[part], kind="stable")] for part in parts])
    batches = [alike[start : start + size] for start in range(0, len(alike), size)]
    return [batches[i] for i in rng.permutation(len(batches))]


def even_batches(lengths: npt.NDArray[np.int64], size: int, seed: int, *names: str | int) -> list[Rows]:
    """Return one epoch's batches: every position once, about the same number of tokens in each, in random order.

    Args:
        lengths: Shape (n,), tokens.
        size: Of a batch, at most.
        seed: Of the run.
        names: Of the stage and the epoch.
    """
    rng = stream(seed, "fine_tuning", "order", *names)
    order = rng.permutation(len(lengths))
    chunk = size * BUCKET_BATCHES
    parts = [order[start : start + chunk] for start in range(0, len(order), chunk)]
    batches = [
        batch for part in parts for batch in _dealt(part[np.argsort(lengths[part], kind="stable")], size, rng)
    ]
    return [batches[i] for i in rng.permutation(len(batches))]


def _dealt(ascending: Rows, size: int, rng: np.random.Generator) -> list[Rows]:
    """Deal like cards: each round, of documents of like length, one to every batch at random."""
    count = -(-len(ascending) // size)
    rounds = [rng.permutation(count) for _ in range(-(-len(ascending) // count))]
    holder = np.concatenate(rounds)[: len(ascending)]
    return [ascending[holder == i] for i in range(count)]


def _padded(length: int) -> int:
    return -(-length // LENGTH_STEP) * LENGTH_STEP
