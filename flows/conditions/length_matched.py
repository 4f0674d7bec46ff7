"""Synthetic documents cut to the lengths of real ones: does the generator gain by saying more?"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from flows.conditions import CONDITIONS, Composition, Role, Scene, added_part, single_stage
from services.domain.corpus import Corpus


class LengthMatched:
    """Each synthetic text keeps at most as many words as a real document drawn for it."""

    version = "1"
    role: Role = "treatment"
    needs_synthetic = True

    def compose(self, scene: Scene, rng: np.random.Generator, settings: Mapping[str, Any]) -> Composition:
        written, real = scene.written().corpus, scene.real.corpus
        lengths = [max(1, len(real.documents[int(row)].text.split())) for row in scene.real_rows]
        limits = rng.choice(lengths, size=scene.count)
        cut = tuple(
            replace(document, text=" ".join(document.text.split()[:limit]))
            for document, limit in zip(written.documents, limits.tolist(), strict=False)
        )
        shortened = sum(a.text != b.text for a, b in zip(cut, written.documents, strict=False))
        part = added_part(scene.keep(Corpus(written.task, cut)), scene.count)
        return Composition(
            single_stage(scene.regime_part(), part), {"shortened_share": shortened / scene.count}
        )


CONDITIONS.register("length_matched", LengthMatched())
