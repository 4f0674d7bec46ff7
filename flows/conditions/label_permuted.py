"""The synthetic corpus with its label sets dealt out anew: what is left is text without labels' meaning."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from flows.conditions import CONDITIONS, Composition, Role, Scene, added_part, single_stage
from services.domain.corpus import Corpus


class LabelPermuted:
    version = "1"
    role: Role = "control"
    needs_synthetic = True

    def compose(self, scene: Scene, rng: np.random.Generator, settings: Mapping[str, Any]) -> Composition:
        written = scene.written().corpus
        documents = written.documents[: scene.count]
        dealt = rng.permutation(len(documents))
        permuted = tuple(
            replace(document, labels=documents[other].labels)
            for document, other in zip(documents, dealt.tolist(), strict=True)
        )
        segment = scene.keep(Corpus(written.task, permuted))
        return Composition(single_stage(scene.regime_part(), added_part(segment, scene.count)))


CONDITIONS.register("label_permuted", LabelPermuted())
