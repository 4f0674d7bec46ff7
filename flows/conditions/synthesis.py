"""The regime's real documents and the generator's."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from flows.conditions import CONDITIONS, Composition, Role, Scene, added_part, single_stage


class Synthesis:
    version = "1"
    role: Role = "treatment"
    needs_synthetic = True

    def compose(self, scene: Scene, rng: np.random.Generator, settings: Mapping[str, Any]) -> Composition:
        return Composition(single_stage(scene.regime_part(), added_part(scene.written(), scene.count)))


CONDITIONS.register("synthesis", Synthesis())
