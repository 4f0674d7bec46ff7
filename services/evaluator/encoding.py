"""Results as plain JSON values, for the store and for worker processes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from services.domain.measurement import Interval, Measurement
from services.evaluator.planning import ArmComparison, ContrastResult, WorthResult


def measurement_to_json(measurement: Measurement) -> dict[str, Any]:
    """Return a measurement as a JSON value."""
    return {**asdict(measurement), "estimates": dict(measurement.estimates)}


def measurement_from_json(value: Mapping[str, Any]) -> Measurement:
    """Read what `measurement_to_json` wrote."""
    return Measurement(**{**value, "interval": _interval(value["interval"])})


def comparison_to_json(comparison: ArmComparison) -> dict[str, Any]:
    """Return a comparison as a JSON value."""
    return {
        "contrasts": [asdict(result) for result in comparison.contrasts],
        "worths": [asdict(result) for result in comparison.worths],
    }


def comparison_from_json(value: Mapping[str, Any]) -> ArmComparison:
    """Read what `comparison_to_json` wrote."""
    return ArmComparison(
        tuple(_contrast(result) for result in value["contrasts"]),
        tuple(WorthResult(**result) for result in value["worths"]),
    )


def _contrast(value: Mapping[str, Any]) -> ContrastResult:
    intervals = {name: _interval(value[name]) for name in ("interval95", "interval90")}
    return ContrastResult(**{**value, **intervals})


def _interval(value: Mapping[str, Any] | None) -> Interval | None:
    return None if value is None else Interval(**value)
