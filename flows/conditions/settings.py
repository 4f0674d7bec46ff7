"""Settings that every condition takes, applied to the plan it composed."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flows.conditions import Composition
from services.domain.errors import InvalidInputError
from services.domain.plan import Stage, TrainingPlan

WEIGHT_FACTOR = "weight_factor"


def trained_as(settings: Mapping[str, Any], composition: Composition) -> Composition:
    """Return a composition under an arm's `objective`, `budget` and `tuned`; without them nothing changes.

    A budget is the sum of all weights, in documents: for a convex loss, weights
    times k are C times k, which is what k copies of every document do. `tuned` lists
    such factors, "0.25,1,4", and out-of-fold scores choose one for this arm alone.
    """
    stages = composition.plan.stages
    if "objective" in settings:
        stages = tuple(replace(stage, objective=str(settings["objective"])) for stage in stages)
    estimates = dict(composition.estimates)
    if "budget" in settings:
        factor = _factor(float(settings["budget"]), sum(stage.document_count for stage in stages))
        stages = tuple(_scaled(stage, factor) for stage in stages)
        estimates[WEIGHT_FACTOR] = factor
    return Composition(TrainingPlan(stages, _strengths(settings)), estimates)


def _strengths(settings: Mapping[str, Any]) -> tuple[float, ...]:
    written = str(settings.get("tuned", ""))
    try:
        return tuple(float(factor) for factor in written.split(",") if factor)
    except ValueError:
        raise InvalidInputError(
            f'tuned lists factors on C, such as "0.25,1,4", not {written!r}', field="tuned"
        ) from None


def _factor(budget: float, documents: float) -> float:
    if not budget > 0:
        raise InvalidInputError(f"a budget is a positive number of documents, not {budget}", field="budget")
    return budget / documents


def _scaled(stage: Stage, factor: float) -> Stage:
    return replace(stage, parts=tuple(replace(part, weights=part.weights * factor) for part in stage.parts))
