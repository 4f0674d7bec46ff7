"""The forward pass of a small BERT, from its weights alone."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

LAYER_NORM_EPSILON = 1e-12
# Added to the attention of padding; finite, because a row of minus infinities has no softmax.
MASKED = -1e4


@dataclass(frozen=True, slots=True)
class Affine:
    """Weight and bias of a linear map or of a layer norm."""

    weight: Tensor
    bias: Tensor


@dataclass(frozen=True, slots=True)
class Layer:
    """One transformer block."""

    projections: Affine
    attended: Affine
    attended_norm: Affine
    widen: Affine
    narrow: Affine
    output_norm: Affine


@dataclass(frozen=True, slots=True)
class Bert:
    """Weights of an encoder with `heads` attention heads per layer."""

    words: Tensor
    positions: Tensor
    embedding_norm: Affine
    layers: tuple[Layer, ...]
    heads: int


def load_bert(weights: Mapping[str, Tensor], heads: int, dtype: torch.dtype) -> Bert:
    """Arrange weights named as in a BERT checkpoint.

    Tables stay in float32; what multiplies is converted to `dtype`.
    """
    count = sum(name.endswith(".attention.self.query.weight") for name in weights)
    # Every token has segment 0, so its vector is part of the position's.
    positions = (
        weights["embeddings.position_embeddings.weight"]
        + weights["embeddings.token_type_embeddings.weight"][0]
    )
    return Bert(
        weights["embeddings.word_embeddings.weight"],
        positions,
        _affine(weights, "embeddings.LayerNorm", torch.float32),
        tuple(_layer(weights, f"encoder.layer.{i}.", dtype) for i in range(count)),
        heads,
    )


@torch.inference_mode()
def mean_embeddings(bert: Bert, tokens: Tensor, mask: Tensor) -> Tensor:
    """Return the unit-length mean of the last hidden states.

    Args:
        bert: The weights.
        tokens: Shape (n, length), int64.
        mask: Shape (n, length), true where there is a token; at least one per row.

    Returns:
        Shape (n, hidden), float32.
    """
    dtype = bert.layers[0].widen.weight.dtype
    embedded = bert.words[tokens] + bert.positions[: tokens.shape[1]]
    hidden = _norm(embedded, bert.embedding_norm).to(dtype)
    bias = torch.where(mask, 0.0, MASKED).to(dtype)[:, None, None, :]
    for layer in bert.layers:
        hidden = _forward(layer, hidden, bias, bert.heads)
    kept = mask[:, :, None].float()
    return functional.normalize((hidden.float() * kept).sum(1) / kept.sum(1), dim=1)


def _forward(layer: Layer, hidden: Tensor, bias: Tensor, heads: int) -> Tensor:
    rows, length, width = hidden.shape
    mixed = _linear(hidden, layer.projections).view(rows, length, 3, heads, width // heads)
    query, key, value = mixed.permute(2, 0, 3, 1, 4)
    seen = functional.scaled_dot_product_attention(query, key, value, attn_mask=bias)
    seen = _linear(seen.transpose(1, 2).reshape(rows, length, width), layer.attended)
    hidden = _norm(hidden + seen, layer.attended_norm)
    widened = functional.gelu(_linear(hidden, layer.widen))
    return _norm(hidden + _linear(widened, layer.narrow), layer.output_norm)


def _linear(x: Tensor, affine: Affine) -> Tensor:
    return functional.linear(x, affine.weight, affine.bias)


def _norm(x: Tensor, affine: Affine) -> Tensor:
    return functional.layer_norm(x, x.shape[-1:], affine.weight, affine.bias, LAYER_NORM_EPSILON)


def _layer(weights: Mapping[str, Tensor], prefix: str, dtype: torch.dtype) -> Layer:
    parts = [_affine(weights, f"{prefix}attention.self.{name}", dtype) for name in ("query", "key", "value")]
    # One product instead of three.
    projections = Affine(torch.cat([p.weight for p in parts]), torch.cat([p.bias for p in parts]))
    return Layer(
        projections,
        _affine(weights, f"{prefix}attention.output.dense", dtype),
        _affine(weights, f"{prefix}attention.output.LayerNorm", dtype),
        _affine(weights, f"{prefix}intermediate.dense", dtype),
        _affine(weights, f"{prefix}output.dense", dtype),
        _affine(weights, f"{prefix}output.LayerNorm", dtype),
    )


def _affine(weights: Mapping[str, Tensor], name: str, dtype: torch.dtype) -> Affine:
    weight, bias = weights[f"{name}.weight"], weights[f"{name}.bias"]
    return Affine(weight.to(dtype).contiguous(), bias.to(dtype).contiguous())
