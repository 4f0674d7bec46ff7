"""Fréchet distance: known Gaussians, the textbook formula, and its bias."""

import numpy as np
import pytest
from scipy.linalg import sqrtm

from services.evaluator.fidelity import Sample
from services.evaluator.fidelity.frechet import FrechetDistance, frechet_parts, moments
from tests.unit.fidelity.measured import measured

METRIC = FrechetDistance()


def exact(rng: np.random.Generator, count: int, mean: np.ndarray, root: np.ndarray) -> np.ndarray:
    """Documents whose sample mean is `mean` and whose sample covariance is `root.T @ root`."""
    x = rng.normal(size=(count, len(mean)))
    x -= x.mean(axis=0)
    whitened = x @ np.linalg.inv(np.linalg.cholesky(np.cov(x.T))).T
    return np.asarray(whitened @ root + mean)


def parts(one: np.ndarray, other: np.ndarray) -> tuple[float, float]:
    return frechet_parts(*(moments(x, np.ones(len(x))) for x in (one, other)))


def test_shifted_gaussian_lies_the_squared_shift_away() -> None:
    rng = np.random.default_rng(1)
    one = exact(rng, 60, np.zeros(3), np.eye(3))
    other = exact(rng, 80, np.array([3.0, 4.0, 0.0]), np.eye(3))
    assert parts(one, other) == pytest.approx((25.0, 0.0), abs=1e-9)


def test_scaled_gaussian_lies_the_squared_difference_of_scales_away() -> None:
    rng = np.random.default_rng(2)
    one = exact(rng, 60, np.zeros(2), np.diag([1.0, 2.0]))
    other = exact(rng, 50, np.zeros(2), np.diag([4.0, 1.0]))
    assert parts(one, other) == pytest.approx((0.0, 9.0 + 1.0), abs=1e-9)


def test_agrees_with_the_matrix_root() -> None:
    rng = np.random.default_rng(3)
    one, other = rng.normal(size=(90, 7)) @ rng.normal(size=(7, 7)), rng.normal(size=(70, 7)) + 0.5
    first, second = np.cov(one.T), np.cov(other.T)
    expected = np.trace(first + second - 2 * np.real(sqrtm(first @ second)))
    assert parts(one, other)[1] == pytest.approx(expected, rel=1e-6)


def test_fewer_documents_than_dimensions_are_no_trouble() -> None:
    rng = np.random.default_rng(4)
    one, other = rng.normal(size=(20, 50)), rng.normal(size=(25, 50))
    assert parts(one, other)[1] > 0
    assert sum(parts(one, one[::-1])) == pytest.approx(0, abs=1e-9)


def test_chance_alone_makes_a_distance_that_falls_with_the_count() -> None:
    rng = np.random.default_rng(5)

    def between_equals(count: int) -> float:
        one, other = (Sample(rng.normal(size=(count, 8)).astype(np.float32), np.arange(count)) for _ in "ab")
        found = measured(METRIC, one, other)[0].value
        assert found is not None
        return found

    assert between_equals(40) > 2 * between_equals(400) > 0


def test_value_is_the_sum_of_its_parts() -> None:
    rng = np.random.default_rng(6)
    one, other = (Sample(rng.normal(size=(30, 4)).astype(np.float32), np.arange(30)) for _ in "ab")
    (found,) = measured(METRIC, one, other)
    assert found.value == pytest.approx(found.estimates["means"] + found.estimates["covariances"])


def test_whole_weights_count_as_copies() -> None:
    rng = np.random.default_rng(7)
    x, weights = rng.normal(size=(30, 4)), rng.integers(1, 4, 30)
    copied = moments(np.repeat(x, weights, axis=0), np.ones(weights.sum()))
    weighted = moments(x, weights.astype(np.float64))
    assert sum(frechet_parts(copied, weighted)) == pytest.approx(0, abs=1e-9)
