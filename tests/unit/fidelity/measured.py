"""Metrics called as the service calls them, on samples at hand."""

import numpy as np

from services.evaluator.fidelity import Estimate, FidelityMetric, Sample


def measured(metric: FidelityMetric, reference: Sample, *corpora: Sample) -> tuple[Estimate, ...]:
    """Measure corpora, each with a generator of its own."""
    rngs = [np.random.default_rng(i) for i in range(len(corpora))]
    return metric(reference, corpora, metric.settings(reference), rngs)
