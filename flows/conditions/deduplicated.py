"""The synthetic corpus without near-duplicates: how much of it is said only once?

Screening removes them before training, but for simulators, whose copies are part of
what they plant. This arm is smaller by what it removes, and says by how much.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np

from flows.conditions import CONDITIONS, Composition, Role, Rows, Scene, Segment, single_stage
from services.domain.plan import Part
from services.features.near_duplicates import TextIndex, prepare
from services.generator.near_duplicates import repeats

EFFECTIVE, OF_REAL, OF_SYNTHETIC = "effective_documents", "near_real_documents", "near_synthetic_documents"


class Deduplicated:
    """Leaves out synthetic documents that repeat one of the regime's, or an earlier one of their own corpus."""

    version = "1"
    role: Role = "treatment"
    needs_synthetic = True

    def compose(self, scene: Scene, rng: np.random.Generator, settings: Mapping[str, Any]) -> Composition:
        kept, estimates = distinct_rows(scene)
        parts = [scene.regime_part()]
        if len(kept):
            ones = np.ones(len(kept), dtype=np.float32)
            parts.append(Part(scene.written().sha256, kept, ones, scored=False))
        return Composition(single_stage(*parts), estimates)


def distinct_rows(scene: Scene) -> tuple[Rows, dict[str, float]]:
    """Return the synthetic rows that say something new, ascending, and how many there are of which kind.

    Returns:
        Rows among the first `count`, and `effective_documents` (what is left of them), `near_real_documents`
        and `near_synthetic_documents` (what they repeated); the three sum to `count`.
    """
    written = scene.written().corpus
    documents = scene.real.corpus.documents
    repeated = _repeated(
        tuple((d.id, d.text) for d in written.documents[: scene.count]),
        tuple((documents[row].id, documents[row].text) for row in scene.real_rows.tolist()),
    )
    groups = [group for group in repeated if group]
    near_real = groups.count("real")
    kept = np.array([row for row, group in enumerate(repeated) if not group], dtype=np.int64)
    return kept, {
        EFFECTIVE: float(len(kept)),
        OF_REAL: float(near_real),
        OF_SYNTHETIC: float(len(groups) - near_real),
    }


def distinct_scene(scene: Scene) -> tuple[Scene, dict[str, float]]:
    """Return a scene whose corpus is what `distinct_rows` leaves of it, and the same counts.

    Where nothing is left, `count` is 0 and the corpus stays.
    """
    kept, estimates = distinct_rows(scene)
    if not len(kept):
        return replace(scene, count=0), estimates
    left = Segment(scene.written().sha256, scene.written().corpus.take(kept))
    return replace(scene, synthetic=left, count=len(kept)), estimates


# The arm and its twin, in every family, ask for the same corpus in turn.
@lru_cache(maxsize=16)
def _repeated(candidates: tuple[tuple[str, str], ...], real: tuple[tuple[str, str], ...]) -> tuple[str, ...]:
    """Return what each candidate repeats: "real", "synthetic" or nothing."""
    known = TextIndex(prepare("real", real))
    return tuple(match.group if match else "" for match in repeats(candidates, known, growing=False))


CONDITIONS.register("deduplicated", Deduplicated())
