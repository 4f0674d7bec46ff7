"""Everything that can be measured here."""

from services.evaluator import scoring
from services.evaluator.fidelity import METRICS
from services.evaluator.planning import Measurables, MetricInfo
from services.features.encoders import ENCODERS


def list_measurables() -> Measurables:
    """Return all metrics by name, and all encoders; the first call imports every metric's module."""
    found = [
        MetricInfo(name, False, description, 1, "predictions")
        for name, description in scoring.DESCRIPTIONS.items()
    ]
    for name in METRICS.names():
        metric = METRICS.get(name)
        found.append(
            MetricInfo(name, metric.lower_is_better, metric.description, metric.minimum_count, "fidelity")
        )
    return Measurables(tuple(sorted(found, key=lambda metric: metric.name)), ENCODERS.names())
