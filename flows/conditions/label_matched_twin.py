"""A control with the synthetic corpus' label frequencies: is it the new text, or the new balance?

The row twin copies documents with the same label set, and any document where
there is none. This one copies documents that have one label in common with the
synthetic one, so that rare labels become as frequent as the generator made them.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from flows.conditions import CONDITIONS, Composition, Role, Scene, single_stage


class LabelMatchedTwin:
    """For each synthetic row: one of its labels, then a real document that has it.

    A row none of whose labels the regime has takes any document; the share of
    such rows is reported.
    """

    version = "1"
    role: Role = "control"
    needs_synthetic = True

    def compose(self, scene: Scene, rng: np.random.Generator, settings: Mapping[str, Any]) -> Composition:
        indicator = scene.real.corpus.indicator[scene.real_rows]
        wanted = scene.written().corpus.indicator[: scene.count] & indicator.any(axis=0)
        holders = [np.flatnonzero(column) for column in indicator.T]
        copies = np.empty(scene.count, dtype=np.int64)
        for row, labels in enumerate(wanted):
            known = np.flatnonzero(labels)
            choices = holders[rng.choice(known)] if len(known) else np.arange(len(indicator))
            copies[row] = rng.choice(choices)
        without = float(np.mean(~wanted.any(axis=1)))
        return Composition(single_stage(scene.regime_part(copies=copies)), {"without_label_share": without})


CONDITIONS.register("label_matched_twin", LabelMatchedTwin())
