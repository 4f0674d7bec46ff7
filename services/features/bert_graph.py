"""The forward pass of a small BERT as an OpenVINO graph: no torch in the process.

Linear maps are rounded to int8 where their inputs' spreads are given; the rest
stays in the precision the graph is compiled for. The tables of words and positions
stand in front of the graph, so that several compiled shapes share them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from services.features.openvino_runtime import op, ov
from services.features.quantisation import Floats, Int8Linear, Spread, quantise

LAYER_NORM_EPSILON = 1e-12
NORM_EPSILON = 1e-24
# Added to the attention of padding; finite, because a row of minus infinities has no softmax.
MASKED = 1e4
PROJECTIONS = ("query", "key", "value")

Weights = Mapping[str, Floats]


@dataclass(slots=True)
class _Builder:
    """Weights, the spreads of rounded inputs, and what stood in front of each linear map."""

    weights: Weights
    heads: int
    spreads: Mapping[str, Spread]
    inputs: dict[str, Any] = field(default_factory=dict)


class Embedder:
    """Looks up words and positions: what goes into the graphs."""

    def __init__(self, weights: Weights) -> None:
        self._words = weights["embeddings.word_embeddings.weight"]
        # Every token has segment 0, so its vector is part of the position's.
        self._positions = (
            weights["embeddings.position_embeddings.weight"]
            + weights["embeddings.token_type_embeddings.weight"][0]
        )

    def __call__(self, ids: npt.NDArray[np.int64]) -> Floats:
        """Return shape (n, length, hidden) for token ids of shape (n, length)."""
        return np.asarray(self._words[ids] + self._positions[: ids.shape[1]], dtype=np.float32)


def int8_graph(weights: Weights, heads: int, spreads: Mapping[str, Spread]) -> ov.Model:
    """Return the rounded encoder.

    Its inputs are an `Embedder`'s vectors, (n, length, hidden), and the mask of real tokens,
    (n, length), float32, at least one per row; its output is (n, hidden), rows of unit length.
    """
    embedded, mask, vectors = _encoder(_Builder(weights, heads, spreads))
    return ov.Model([vectors], [embedded, mask], "int8")


def observed_graph(weights: Weights, heads: int) -> tuple[ov.Model, tuple[str, ...]]:
    """Return the encoder in float32 and the names of its outputs after the first.

    They are the inputs of the linear maps, of shape (n, length, channels).
    """
    builder = _Builder(weights, heads, {})
    embedded, mask, vectors = _encoder(builder)
    return ov.Model([vectors, *builder.inputs.values()], [embedded, mask], "observed"), tuple(builder.inputs)


def _encoder(builder: _Builder) -> tuple[Any, Any, Any]:
    width = builder.weights["embeddings.LayerNorm.weight"].size
    embedded = op.parameter([-1, -1, width], np.float32, name="embedded")
    mask = op.parameter([-1, -1], np.float32, name="mask")
    masked = op.multiply(op.subtract(mask, _floats(1)), _floats(MASKED))
    bias = op.unsqueeze(masked, _ints(1, 2))
    hidden = _norm(builder, embedded, "embeddings.LayerNorm")
    count = sum(name.endswith(".attention.self.query.weight") for name in builder.weights)
    for i in range(count):
        hidden = _layer(builder, i, hidden, bias)
    return embedded, mask, _unit_mean(hidden, mask)


def _layer(builder: _Builder, i: int, hidden: Any, bias: Any) -> Any:
    prefix = f"encoder.layer.{i}."
    seen = _attention(builder, i, hidden, bias)
    attended = _linear(builder, f"{i}.context", seen, f"{prefix}attention.output.dense")
    hidden = _norm(builder, op.add(hidden, attended), f"{prefix}attention.output.LayerNorm")
    widened = op.gelu(_linear(builder, f"{i}.widen", hidden, f"{prefix}intermediate.dense"), "erf")
    narrowed = _linear(builder, f"{i}.narrow", widened, f"{prefix}output.dense")
    return _norm(builder, op.add(hidden, narrowed), f"{prefix}output.LayerNorm")


def _attention(builder: _Builder, i: int, hidden: Any, bias: Any) -> Any:
    width = builder.weights["embeddings.LayerNorm.weight"].size
    names = [f"encoder.layer.{i}.attention.self.{name}" for name in PROJECTIONS]
    mixed = _linear(builder, f"{i}.attend", hidden, *names)
    parts = op.split(mixed, op.constant(np.int64(2)), len(PROJECTIONS))
    query, key, value = (_by_head(part, builder.heads, width) for part in parts.outputs())
    seen = op.scaled_dot_product_attention(query, key, value, bias)
    return op.reshape(op.transpose(seen, _ints(0, 2, 1, 3)), _ints(0, 0, width), True)


def _by_head(x: Any, heads: int, width: int) -> Any:
    """Return shape (n, heads, length, width / heads)."""
    return op.transpose(op.reshape(x, _ints(0, 0, heads, width // heads), True), _ints(0, 2, 1, 3))


def _linear(builder: _Builder, name: str, x: Any, *parts: str) -> Any:
    """Apply one map, or several at once whose outputs lie side by side."""
    weight = np.concatenate([builder.weights[f"{part}.weight"] for part in parts])
    bias = np.concatenate([builder.weights[f"{part}.bias"] for part in parts])
    builder.inputs[name] = x
    if name in builder.spreads:
        return _int8_linear(x, quantise(weight, bias, builder.spreads[name]))
    return op.add(op.matmul(x, op.constant(weight), False, True), op.constant(bias))


def _int8_linear(x: Any, linear: Int8Linear) -> Any:
    smoothed = op.multiply(x, op.constant(1 / linear.smoothing))
    ends = (_floats(linear.low), _floats(linear.high))
    stepped = op.fake_quantize(smoothed, *ends, *ends, 256)
    weight = op.multiply(op.convert(op.constant(linear.weight), np.float32), op.constant(linear.scale))
    return op.add(op.matmul(stepped, weight, False, True), op.constant(linear.bias))


def _norm(builder: _Builder, x: Any, name: str) -> Any:
    centred = op.mvn(x, _ints(-1), True, LAYER_NORM_EPSILON, "INSIDE_SQRT")
    scaled = op.multiply(centred, op.constant(builder.weights[f"{name}.weight"]))
    return op.add(scaled, op.constant(builder.weights[f"{name}.bias"]))


def _unit_mean(hidden: Any, mask: Any) -> Any:
    # The sum has the direction of the mean.
    total = op.reduce_sum(op.multiply(hidden, op.unsqueeze(mask, _ints(2))), _ints(1), False)
    return op.normalize_l2(total, _ints(1), NORM_EPSILON, "add")


def _ints(*values: int) -> Any:
    return op.constant(np.array(values, dtype=np.int64))


def _floats(value: float) -> Any:
    return op.constant(np.float32(value))
