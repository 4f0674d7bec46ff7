"""Further real documents without their labels: does synthetic text beat the unlabelled text that is there?

The documents are those that `new_real` would have labelled. Here the model of the
regime's own documents labels them, in the same training run (self-training).
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from flows.conditions import CONDITIONS, Composition, Role, Scene, single_stage


class PseudoLabels:
    version = "1"
    role: Role = "treatment"
    needs_synthetic = False

    def compose(self, scene: Scene, rng: np.random.Generator, settings: Mapping[str, Any]) -> Composition:
        unlabelled = replace(scene.new_part(scene.count), predicted=True)
        return Composition(single_stage(scene.regime_part(), unlabelled))


CONDITIONS.register("pseudo_labels", PseudoLabels())
