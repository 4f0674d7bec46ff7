"""Rounding a linear map to int8: steps, smoothing, and how far the result may be."""

import numpy as np

from services.features.quantisation import (
    STEPS,
    Int8Linear,
    Spread,
    quantise,
    spreads_from_arrays,
    spreads_to_arrays,
)

RNG = np.random.default_rng(7)
INPUTS = RNG.standard_normal((200, 32)).astype(np.float32)
# One channel as large as MiniLM's outliers.
INPUTS[:, 5] *= 15
WEIGHT = RNG.standard_normal((16, 32)).astype(np.float32)
BIAS = RNG.standard_normal(16).astype(np.float32)
SEEN = Spread(INPUTS.min(axis=0), INPUTS.max(axis=0))


def applied(linear: Int8Linear, inputs: np.ndarray) -> np.ndarray:
    """The rounded map, step by step."""
    step = (linear.high - linear.low) / STEPS
    stepped = np.clip(np.rint((inputs / linear.smoothing - linear.low) / step), 0, STEPS) * step + linear.low
    return np.asarray(stepped @ (linear.weight * linear.scale).T + linear.bias)


def error(spread: Spread) -> float:
    exact = INPUTS @ WEIGHT.T + BIAS
    return float(np.abs(applied(quantise(WEIGHT, BIAS, spread), INPUTS) - exact).mean() / exact.std())


def test_rounded_map_is_near_the_exact_one() -> None:
    assert error(SEEN) < 0.01


def test_smoothing_is_what_keeps_small_channels_exact() -> None:
    widest = np.abs(INPUTS).max()
    alike = Spread(np.full(32, -widest, np.float32), np.full(32, widest, np.float32))
    assert error(SEEN) < error(alike) / 2


def test_zero_is_a_step() -> None:
    linear = quantise(WEIGHT, BIAS, Spread(np.full(32, -0.37, np.float32), np.full(32, 2.9, np.float32)))
    below = -linear.low / ((linear.high - linear.low) / STEPS)
    assert abs(below - round(below)) < 1e-6
    np.testing.assert_allclose(applied(linear, np.zeros((1, 32), np.float32))[0], BIAS, atol=1e-5)


def test_channel_that_was_never_on_does_no_harm() -> None:
    spread = Spread(SEEN.smallest.copy(), SEEN.largest.copy())
    spread.smallest[3] = spread.largest[3] = 0
    linear = quantise(WEIGHT, BIAS, spread)
    assert np.isfinite(linear.smoothing).all() and np.isfinite(linear.scale).all()


def test_spreads_survive_being_written() -> None:
    again = spreads_from_arrays(spreads_to_arrays({"0.attend": SEEN}))
    np.testing.assert_allclose(again["0.attend"].largest, SEEN.largest, rtol=1e-3)
    np.testing.assert_allclose(again["0.attend"].smallest, SEEN.smallest, rtol=1e-3)
