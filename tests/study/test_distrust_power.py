"""The power that a page prints is that of the test that it ran."""

import numpy as np
import pytest

from services.evaluator.correlation.analysis import analyse_correlations
from services.evaluator.correlation.planning import (
    CorpusPoint,
    CorrelatedMetric,
    CorrelationSpec,
    Fidelity,
    RegimeGain,
)

CORPORA, RHO, STUDIES = 10, 0.7, 600


def study(rng: np.random.Generator, expected_sign: int) -> tuple[bool, float]:
    """Return whether a true inversion was found, and the power that stood beside it."""
    x = rng.normal(size=CORPORA)
    noise = np.sqrt(1 - RHO**2) * rng.normal(size=(2, CORPORA))
    gains = np.stack([RHO * x, -RHO * x]) + noise
    points = tuple(
        CorpusPoint(
            f"g{i}",
            "s",
            (Fidelity(float(x[i])),),
            tuple(RegimeGain(gain=float(g[i]), standard_error=0.0) for g in gains),
        )
        for i in range(CORPORA)
    )
    metrics = (CorrelatedMetric("m", expected_sign),)
    (found,) = analyse_correlations(
        CorrelationSpec(metrics, ("few", "many"), points, "few", "many")
    ).inversions
    assert found.power is not None
    return found.inverted, found.power


@pytest.mark.parametrize("expected_sign", [1, 0])
def test_the_printed_power_is_how_often_an_inversion_is_found(expected_sign: int) -> None:
    rng = np.random.default_rng(7)
    found = [study(rng, expected_sign) for _ in range(STUDIES)]
    share = np.mean([inverted for inverted, _ in found])
    assert found[0][1] == pytest.approx(share, abs=0.06)
