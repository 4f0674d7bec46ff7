"""Static int8 for linear maps: what stands in front of each is seen once, on fixed texts.

A few channels of a BERT's hidden states are ten times as large as the rest, and
one step size for all would leave the rest no digits. So each channel is divided
by its own smoothing factor, and the weights that meet it are multiplied by it
(Xiao et al., 2023), before both are rounded: activations to 256 steps between
the extremes seen, weights to 255 steps per output.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

# Raised whenever a rounded value changes.
QUANTISATION_VERSION = 1
# How much of an activation's spread goes over to the weights: 0 none, 1 all.
SMOOTHING = 0.8
# Texts are more various than those that were calibrated on.
MARGIN = 1.05
STEPS = 255
LARGEST_WEIGHT = 127
TINY = 1e-5


@dataclass(frozen=True, slots=True)
class Spread:
    """Extremes of each input channel of a linear map, shape (channels,), over calibration texts."""

    smallest: Floats
    largest: Floats


@dataclass(frozen=True, slots=True)
class Int8Linear:
    """A linear map whose input and weight are rounded.

    Args:
        weight: Shape (outputs, channels), int8; times `scale` it is the smoothed weight.
        scale: Shape (outputs, 1).
        bias: Shape (outputs,), not rounded.
        smoothing: Shape (channels,); the input is divided by it.
        low: Where the steps of the smoothed input begin; zero is one of them.
        high: Where they end, `STEPS` later.
    """

    weight: npt.NDArray[np.int8]
    scale: Floats
    bias: Floats
    smoothing: Floats
    low: float
    high: float


def quantise(weight: Floats, bias: Floats, spread: Spread) -> Int8Linear:
    """Round a linear map, weight of shape (outputs, channels), for inputs of some spread."""
    smoothing = _smoothing(weight, spread)
    smoothed = weight * smoothing
    scale = np.maximum(np.abs(smoothed).max(axis=1, keepdims=True), TINY) / LARGEST_WEIGHT
    rounded = np.rint(smoothed / scale).astype(np.int8)
    low, high = _steps(
        float((spread.smallest / smoothing).min()) * MARGIN,
        float((spread.largest / smoothing).max()) * MARGIN,
    )
    return Int8Linear(rounded, scale.astype(np.float32), bias, smoothing, low, high)


def spreads_from_arrays(arrays: Mapping[str, np.ndarray]) -> dict[str, Spread]:
    """Return the spreads that `spreads_to_arrays` wrote."""
    names = dict.fromkeys(name.rsplit(".", 1)[0] for name in arrays)
    return {
        name: Spread(
            arrays[f"{name}.smallest"].astype(np.float32), arrays[f"{name}.largest"].astype(np.float32)
        )
        for name in names
    }


def spreads_to_arrays(spreads: Mapping[str, Spread]) -> dict[str, np.ndarray]:
    """Return spreads as arrays; three digits are enough for a range."""
    found = {}
    for name, spread in spreads.items():
        found[f"{name}.smallest"] = spread.smallest.astype(np.float16)
        found[f"{name}.largest"] = spread.largest.astype(np.float16)
    return found


def _smoothing(weight: Floats, spread: Spread) -> Floats:
    activation = np.maximum(np.maximum(-spread.smallest, spread.largest), TINY)
    opposite = np.maximum(np.abs(weight).max(axis=0), TINY)
    factors = activation**SMOOTHING / opposite ** (1 - SMOOTHING)
    # Around one, so that sizes stay readable.
    return np.asarray(factors / np.exp(np.log(factors).mean()), dtype=np.float32)


def _steps(smallest: float, largest: float) -> tuple[float, float]:
    """Return the ends of the steps, moved by less than one so that zero is a step."""
    smallest, largest = min(smallest, 0.0), max(largest, TINY)
    step = (largest - smallest) / STEPS
    below = round(-smallest / step)
    return -below * step, (STEPS - below) * step
