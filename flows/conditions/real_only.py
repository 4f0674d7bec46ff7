"""The regime's real documents and nothing else."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from flows.conditions import CONDITIONS, Composition, Role, Scene, single_stage


class RealOnly:
    version = "1"
    role: Role = "baseline"
    needs_synthetic = False

    def compose(self, scene: Scene, rng: np.random.Generator, settings: Mapping[str, Any]) -> Composition:
        return Composition(single_stage(scene.regime_part()))


CONDITIONS.register("real_only", RealOnly())
