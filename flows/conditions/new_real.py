"""The ceiling: as many further real documents as the generator wrote."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from flows.conditions import CONDITIONS, Composition, Role, Scene, single_stage


class NewReal:
    version = "1"
    role: Role = "ceiling"
    needs_synthetic = False

    def compose(self, scene: Scene, rng: np.random.Generator, settings: Mapping[str, Any]) -> Composition:
        return Composition(single_stage(scene.regime_part(), scene.new_part(scene.count)))


CONDITIONS.register("new_real", NewReal())
