"""The default control: every real row once, and a copy per synthetic row.

A control drawn entirely with replacement would lose real documents that the
treatment keeps, and lose to it for that reason alone.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from flows.conditions import CONDITIONS, Composition, Role, Rows, Scene, single_stage


class RowTwin:
    """Setting `new_real`: how many copies give way to new real documents (0).

    The twins of one corpus are nested: a larger `new_real` keeps a subset of
    the same copies.
    """

    version = "1"
    role: Role = "control"
    needs_synthetic = True

    def compose(self, scene: Scene, rng: np.random.Generator, settings: Mapping[str, Any]) -> Composition:
        new_real = int(settings.get("new_real", 0))
        donors, without_donor = draw_donors(scene, rng)
        kept = donors[: scene.count - new_real]
        parts = [scene.regime_part(copies=kept)]
        if new_real:
            parts.append(scene.new_part(new_real))
        return Composition(single_stage(*parts), {"without_donor_share": without_donor})


def draw_donors(scene: Scene, rng: np.random.Generator) -> tuple[Rows, float]:
    """Draw the real document that stands in for each synthetic one.

    A document's named source is its donor; without one, a document of the
    regime with the same label set, drawn uniformly; where there is none, any
    document of the regime.

    Returns:
        Positions within the regime, shape (count,), and the share of rows for
        which no document had the label set.
    """
    regime = [scene.real.corpus.documents[int(row)] for row in scene.real_rows]
    by_id = {document.id: i for i, document in enumerate(regime)}
    by_labels: dict[frozenset[str], list[int]] = {}
    for i, document in enumerate(regime):
        by_labels.setdefault(frozenset(document.labels), []).append(i)
    donors = np.empty(scene.count, dtype=np.int64)
    without = 0
    for k, written in enumerate(scene.written().corpus.documents[: scene.count]):
        source = written.provenance.source_id if written.provenance else ""
        candidates = by_labels.get(frozenset(written.labels), [])
        if source in by_id:
            donors[k] = by_id[source]
        elif candidates:
            donors[k] = candidates[rng.integers(len(candidates))]
        else:
            donors[k] = rng.integers(len(regime))
            without += 1
    return rng.permutation(donors), without / scene.count


CONDITIONS.register("row_twin", RowTwin())
