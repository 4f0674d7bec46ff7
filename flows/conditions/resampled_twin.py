"""The paper's control: as many rows as the treatment, all drawn with replacement.

It loses about e^(-n_aug / n_real) of the real documents, so a treatment that
adds nothing still beats it. Kept beside the row twin, never instead of it.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from flows.conditions import CONDITIONS, Composition, Role, Scene, single_stage
from services.domain.plan import Part


class ResampledTwin:
    version = "1"
    role: Role = "control"
    needs_synthetic = False

    def compose(self, scene: Scene, rng: np.random.Generator, settings: Mapping[str, Any]) -> Composition:
        size = len(scene.real_rows) + scene.count
        counts = np.bincount(rng.integers(len(scene.real_rows), size=size), minlength=len(scene.real_rows))
        kept = np.flatnonzero(counts)
        part = Part(scene.real.sha256, scene.real_rows[kept], counts[kept].astype(np.float32), scored=True)
        return Composition(single_stage(part), {"lost_share": 1 - len(kept) / len(scene.real_rows)})


CONDITIONS.register("resampled_twin", ResampledTwin())
