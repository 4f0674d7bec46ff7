"""What each replicate of "this generator" is trained on: real families and synthetic rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Rows: TypeAlias = npt.NDArray[np.int64]

REAL_SHARE = 2.0 / 3.0
RUNG_SHARES = (0.125, 0.25, 0.5, 1.0)


@dataclass(frozen=True, slots=True)
class Split:
    """A replicate's real documents.

    Attributes:
        kept: Rows of two thirds of the families.
        left_out: The other rows, shuffled: the ruler's new real documents.
    """

    kept: Rows
    left_out: Rows


def redraw_real(families: Sequence[str], rng: np.random.Generator, share: float = REAL_SHARE) -> Split:
    """Draw a share of the families without replacement; both sides keep at least one."""
    names, codes = np.unique(np.asarray(families, dtype=np.str_), return_inverse=True)
    count = min(max(round(share * len(names)), 1), len(names) - 1)
    chosen = np.zeros(len(names), dtype=bool)
    chosen[rng.permutation(len(names))[:count]] = True
    inside = chosen[codes]
    left_out = np.flatnonzero(~inside)
    return Split(np.flatnonzero(inside), rng.permutation(left_out))


def disjoint_rows(
    synthetic_families: Sequence[str],
    real_families: Sequence[str],
    splits: Sequence[Split],
    rng: np.random.Generator,
) -> tuple[Rows, ...]:
    """Deal synthetic rows out to the replicates, each row at most once.

    A row written from a real document goes only to a replicate that holds the family of that
    document: elsewhere it would bring news of documents the replicate must not know. Each row,
    in random order, goes to the replicate that has fewest; then all are cut to one size.

    Returns:
        One array per replicate, of equal length, possibly 0, in the order of dealing: any first
        part of a hand is a random one.
    """
    held = _held_families(real_families, splits)
    real = set(real_families)
    hands: list[list[int]] = [[] for _ in splits]
    for row in rng.permutation(len(synthetic_families)):
        family = synthetic_families[row]
        eligible = [r for r in range(len(splits)) if family not in real or family in held[r]]
        if eligible:
            hands[min(eligible, key=lambda r: (len(hands[r]), r))].append(int(row))
    size = min(len(hand) for hand in hands)
    return tuple(np.array(hand[:size], dtype=np.int64) for hand in hands)


def rung_sizes(synthetic_count: int, left_out_count: int) -> tuple[int, ...]:
    """Return how many copies each rung of the ruler replaces, ascending, without the twin's 0.

    Shares of the synthetic rows, capped by the real documents that are left for it.
    """
    sizes = {min(round(share * synthetic_count), left_out_count) for share in RUNG_SHARES}
    return tuple(sorted(size for size in sizes if size > 0))


def _held_families(families: Sequence[str], splits: Sequence[Split]) -> list[set[str]]:
    return [{families[int(row)] for row in split.kept} for split in splits]
