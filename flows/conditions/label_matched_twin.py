"""A control with the synthetic corpus' label frequencies: is it the new text, or the new balance?

The row twin copies documents with the same label set, and any document where
there is none. This one replaces the latter: what it copies in their place makes the
labels of all copies together as frequent as the generator made them.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from flows.conditions import CONDITIONS, Composition, Role, Rows, Scene, single_stage

Indicator = npt.NDArray[np.bool_]


class LabelMatchedTwin:
    """For each synthetic row a copy with its label set; for those without one, copies that even the labels out.

    Reported: the share of rows whose label set the regime lacks, and half the sum over labels
    of the absolute difference between their shares among the copies and among the synthetic rows.
    """

    version = "2"
    role: Role = "control"
    needs_synthetic = True

    def compose(self, scene: Scene, rng: np.random.Generator, settings: Mapping[str, Any]) -> Composition:
        held = scene.real.corpus.indicator[scene.real_rows]
        wanted = scene.written().corpus.indicator[: scene.count]
        copies = _same_label_sets(held, wanted, rng)
        missing = np.flatnonzero(copies < 0)
        left = wanted.sum(axis=0, dtype=np.int64) - held[copies[copies >= 0]].sum(axis=0, dtype=np.int64)
        copies[missing] = evening_out(held, left, len(missing), rng)
        made, meant = held[copies].sum(axis=0), wanted.sum(axis=0)
        estimates = {
            "without_donor_share": len(missing) / scene.count,
            "label_divergence": float(np.abs(made / made.sum() - meant / meant.sum()).sum() / 2),
        }
        return Composition(single_stage(scene.regime_part(copies=rng.permutation(copies))), estimates)


def evening_out(held: Indicator, left: npt.NDArray[np.int64], count: int, rng: np.random.Generator) -> Rows:
    """Return real rows, one after the other, each the one that brings the labels nearest to what is left of them.

    Args:
        held: Shape (real rows, labels).
        left: Shape (labels,): how often each label is still wanted; may be negative.
        count: How many rows are drawn; of equally good ones, one at random.
    """
    sizes, chosen, left = held.sum(axis=1), np.empty(count, np.int64), left.astype(np.float64)
    shares = held.astype(np.float64)
    for k in range(count):
        # The squared distance after a row less the one before.
        change = sizes - 2 * (shares @ left)
        chosen[k] = rng.choice(np.flatnonzero(change == change.min()))
        left -= shares[chosen[k]]
    return chosen


def _same_label_sets(held: Indicator, wanted: Indicator, rng: np.random.Generator) -> Rows:
    """Return for every wanted row a real one with its labels, -1 where there is none."""
    holders: dict[bytes, list[int]] = {}
    for row, labels in enumerate(held):
        holders.setdefault(labels.tobytes(), []).append(row)
    candidates: Sequence[list[int]] = [holders.get(labels.tobytes(), []) for labels in wanted]
    return np.array([rng.choice(rows) if rows else -1 for rows in candidates], np.int64)


CONDITIONS.register("label_matched_twin", LabelMatchedTwin())
