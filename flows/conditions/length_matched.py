"""Synthetic documents cut to the lengths of real ones: does the generator gain by saying more?"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from flows.conditions import CONDITIONS, Composition, Role, Scene, added_part, single_stage
from services.domain.corpus import Corpus


class LengthMatched:
    """Synthetic texts are cut to lengths drawn from the regime's, the longest to the longest.

    Cut at a length drawn for it alone, a text would get the shorter of two lengths, and
    texts of real length would be shortened.
    """

    version = "2"
    role: Role = "treatment"
    needs_synthetic = True

    def compose(self, scene: Scene, rng: np.random.Generator, settings: Mapping[str, Any]) -> Composition:
        written, real = scene.written().corpus, scene.real.corpus
        lengths = [max(1, len(real.documents[int(row)].text.split())) for row in scene.real_rows]
        documents = written.documents[: scene.count]
        limits = np.empty(scene.count, np.int64)
        own = np.array([len(document.text.split()) for document in documents])
        limits[np.argsort(own, kind="stable")] = np.sort(rng.choice(lengths, size=scene.count))
        cut = tuple(
            replace(document, text=_cut(document.text, limit))
            for document, limit in zip(documents, limits.tolist(), strict=True)
        )
        shortened = sum(a.text != b.text for a, b in zip(cut, documents, strict=True))
        part = added_part(scene.keep(Corpus(written.task, cut)), scene.count)
        return Composition(
            single_stage(scene.regime_part(), part), {"shortened_share": shortened / scene.count}
        )


def _cut(text: str, limit: int) -> str:
    words = text.split()
    return text if len(words) <= limit else " ".join(words[:limit])


CONDITIONS.register("length_matched", LengthMatched())
