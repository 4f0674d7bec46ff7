"""Volume alone: every real document once, and copies drawn evenly from all of them.

The control for what adds real documents by a rule of its own, such as oversampling.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from flows.conditions import CONDITIONS, Composition, Role, Scene, single_stage


class UniformTwin:
    version = "1"
    role: Role = "control"
    needs_synthetic = False

    def compose(self, scene: Scene, rng: np.random.Generator, settings: Mapping[str, Any]) -> Composition:
        copies = rng.integers(len(scene.real_rows), size=scene.count)
        return Composition(single_stage(scene.regime_part(copies=copies)))


CONDITIONS.register("uniform_twin", UniformTwin())
