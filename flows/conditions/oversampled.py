"""A remedy without new text: real documents repeated, those with rare labels more often."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from flows.conditions import CONDITIONS, Composition, Role, Scene, single_stage


class Oversampled:
    """Every real document once, and `count` copies: draw a label, then a document that has it.

    All labels that the regime has are equally likely, so that the copies' labels
    are as even as the documents allow.
    """

    version = "1"
    role: Role = "treatment"
    needs_synthetic = False

    def compose(self, scene: Scene, rng: np.random.Generator, settings: Mapping[str, Any]) -> Composition:
        indicator = scene.real.corpus.indicator[scene.real_rows]
        present = np.flatnonzero(indicator.any(axis=0))
        holders = [np.flatnonzero(indicator[:, label]) for label in present]
        drawn = rng.integers(len(present), size=scene.count)
        copies = np.array([rng.choice(holders[k]) for k in drawn], dtype=np.int64)
        return Composition(single_stage(scene.regime_part(copies=copies)))


CONDITIONS.register("oversampled", Oversampled())
