"""The row twin with every copy's words disturbed: surface variety without new content.

What it gains over the row twin, any cheap noise gains; what synthesis gains over it, only new content can.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from flows.conditions import CONDITIONS, Composition, Role, Scene, added_part, single_stage
from flows.conditions.row_twin import draw_donors
from services.domain.corpus import Corpus
from services.domain.document import Document, Provenance
from services.generator.eda import augmented
from services.generator.neighbours import Neighbours, learn_neighbours


class EdaTwin:
    """Setting `strength`: the share of words concerned (.1)."""

    version = "1"
    role: Role = "control"
    needs_synthetic = True

    def compose(self, scene: Scene, rng: np.random.Generator, settings: Mapping[str, Any]) -> Composition:
        donors, without_donor = draw_donors(scene, rng)
        regime = [scene.real.corpus.documents[int(row)] for row in scene.real_rows]
        copies = _disturbed(
            [regime[donor] for donor in donors.tolist()],
            learn_neighbours([document.text for document in regime]),
            rng,
            float(settings.get("strength", 0.1)),
        )
        segment = scene.keep(Corpus(scene.real.corpus.task, copies))
        plan = single_stage(scene.regime_part(), added_part(segment, scene.count))
        return Composition(plan, {"without_donor_share": without_donor})


def _disturbed(
    donors: Sequence[Document], neighbours: Neighbours, rng: np.random.Generator, strength: float
) -> tuple[Document, ...]:
    """Return a copy of each donor in other words; it stays in its donor's family."""
    return tuple(
        Document(
            f"eda:{place}:{donor.id}",
            augmented(donor.text, rng, neighbours, strength),
            donor.labels,
            donor.family,
            donor.genre,
            Provenance("eda_twin", "eda", strategy="paraphrase", source_id=donor.id),
        )
        for place, donor in enumerate(donors)
    )


CONDITIONS.register("eda_twin", EdaTwin())
