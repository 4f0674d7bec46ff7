"""A training set of fixed size, some of it real: what the best mix is when the budget is given."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from flows.conditions import CONDITIONS, Composition, Role, Scene, added_part, single_stage
from services.domain.errors import InvalidInputError, PreconditionError
from services.domain.plan import Part


class BudgetMix:
    """Setting `share`: the real part of all documents, from 0 to 1 (.5).

    Real documents are the beginning of the regime's random order, without
    replacement, so that a larger share holds all of a smaller one's. A share of 0
    leaves nothing real to tune a threshold on: scores at a tuned threshold are
    then undefined.
    """

    version = "1"
    role: Role = "mix"
    needs_synthetic = True

    def compose(self, scene: Scene, rng: np.random.Generator, settings: Mapping[str, Any]) -> Composition:
        real = real_count(float(settings.get("share", 0.5)), scene.count, len(scene.real_rows))
        parts = []
        if real:
            rows = scene.real_rows[:real]
            parts.append(Part(scene.real.sha256, rows, np.ones(real, dtype=np.float32), scored=True))
        if real < scene.count:
            parts.append(added_part(scene.written(), scene.count - real))
        return Composition(single_stage(*parts))


def real_count(share: float, budget: int, available: int) -> int:
    """Return how many real documents a mix holds.

    Raises:
        InvalidInputError: The share is not between 0 and 1.
        PreconditionError: The regime has fewer.
    """
    if not 0 <= share <= 1:
        raise InvalidInputError(f"a share of real documents lies between 0 and 1, not {share}", field="share")
    real = round(share * budget)
    if real > available:
        raise PreconditionError(
            f"a share of {share:g} of {budget} documents needs {real} real ones, and the regime has {available}; "
            "take a larger regime, a smaller budget or a smaller share",
            field="share",
        )
    return real


CONDITIONS.register("budget_mix", BudgetMix())
