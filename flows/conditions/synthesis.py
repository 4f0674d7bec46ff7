"""The regime's real documents and the generator's."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from flows.conditions import CONDITIONS, Composition, Role, Scene, single_stage
from services.domain.plan import Part


class Synthesis:
    version = "1"
    role: Role = "treatment"
    needs_synthetic = True

    def compose(self, scene: Scene, rng: np.random.Generator, settings: Mapping[str, Any]) -> Composition:
        written = scene.written()
        rows = np.arange(scene.count, dtype=np.int64)
        part = Part(written.sha256, rows, np.ones(scene.count, dtype=np.float32), scored=False)
        return Composition(single_stage(scene.regime_part(), part))


CONDITIONS.register("synthesis", Synthesis())
