"""The generator's documents and nothing real.

With no real document to tune a threshold on, scores at a tuned threshold are
undefined; those at .5 and without threshold are not.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from flows.conditions import CONDITIONS, Composition, Role, Scene, added_part, single_stage


class SyntheticOnly:
    version = "1"
    role: Role = "mix"
    needs_synthetic = True

    def compose(self, scene: Scene, rng: np.random.Generator, settings: Mapping[str, Any]) -> Composition:
        return Composition(single_stage(added_part(scene.written(), scene.count)))


CONDITIONS.register("synthetic_only", SyntheticOnly())
