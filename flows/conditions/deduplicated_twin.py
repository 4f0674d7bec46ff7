"""The row twin of what near-duplicate removal leaves: as many copies as there are distinct documents."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from flows.conditions import CONDITIONS, Composition, Role, Scene, single_stage
from flows.conditions.deduplicated import distinct_scene
from flows.conditions.row_twin import draw_donors


class DeduplicatedTwin:
    version = "1"
    role: Role = "control"
    needs_synthetic = True

    def compose(self, scene: Scene, rng: np.random.Generator, settings: Mapping[str, Any]) -> Composition:
        left, estimates = distinct_scene(scene)
        if not left.count:
            return Composition(single_stage(left.regime_part()), estimates)
        donors, without_donor = draw_donors(left, rng)
        plan = single_stage(left.regime_part(copies=donors))
        return Composition(plan, {"without_donor_share": without_donor, **estimates})


CONDITIONS.register("deduplicated_twin", DeduplicatedTwin())
