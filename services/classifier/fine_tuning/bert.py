"""BERT over tokens without padding, with weights that may be copies of the model's."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from services.classifier.fine_tuning.affine import affine
from services.classifier.fine_tuning.network import unfrozen
from services.classifier.fine_tuning.varlen import Segments, attend

Parameters = tuple[nn.Parameter, ...]

# Flash attention takes heads of multiples of so many numbers, up to so many.
HEAD_STEP = 8
WIDEST_HEAD = 256


class Layer(NamedTuple):
    """Weights of a layer; what is multiplied at once lies one below the other."""

    attention: Tensor
    attention_bias: Tensor
    gathered: Tensor
    gathered_bias: Tensor
    gain: Tensor
    shift: Tensor
    up: Tensor
    up_bias: Tensor
    down: Tensor
    down_bias: Tensor
    last_gain: Tensor
    last_shift: Tensor


def unpackable(model: Any) -> str:
    """Return why a model has no packed form here; empty if it has one."""
    config = model.config
    if config.model_type != "bert":
        return f"{config.model_type} has no packed form"
    if config.is_decoder or getattr(config, "add_cross_attention", False):
        return "a decoder has no packed form"
    if getattr(config, "position_embedding_type", None) not in (None, "absolute"):
        return f"{config.position_embedding_type} positions have no packed form"
    width = config.hidden_size // config.num_attention_heads
    if width % HEAD_STEP or width > WIDEST_HEAD:
        return f"heads of {width} numbers have no packed form"
    return ""


class PackedBert:
    """The forward pass.

    Args:
        model: A BERT, whose lower layers may be frozen.
        dtype: Of hidden states and products; embeddings are summed in float32.
    """

    def __init__(self, model: Any, dtype: torch.dtype) -> None:
        self._embeddings, self._dtype = model.embeddings, dtype
        self._layers: list[Any] = [unfrozen(layer) for layer in model.encoder.layer]
        self._heads = int(model.config.num_attention_heads)
        self._epsilon = float(model.config.layer_norm_eps)
        self._activation: Callable[[Tensor], Tensor] = self._layers[0].intermediate.intermediate_act_fn

    def __len__(self) -> int:
        """Return how many layers there are."""
        return len(self._layers)

    @property
    def embeddings(self) -> list[nn.Parameter]:
        """The weights that are used as they are."""
        return list(self._embeddings.parameters())

    def sources(self, first: int, end: int) -> list[Parameters]:
        """Return what makes up each tensor of each `Layer`, as parameters to be put one below the other."""
        return [source for layer in self._layers[first:end] for source in _sources(layer)]

    def embedded(self, ids: Tensor, positions: Tensor) -> Tensor:
        """Return the embeddings of tokens, shape (tokens, width)."""
        table = self._embeddings
        words = functional.embedding(ids, table.word_embeddings.weight)
        places = functional.embedding(positions, table.position_embeddings.weight)
        total = words + table.token_type_embeddings.weight[0] + places
        norm = table.LayerNorm
        return functional.layer_norm(total, total.shape[1:], norm.weight, norm.bias, self._epsilon).to(
            self._dtype
        )

    def through(self, hidden: Tensor, weights: Sequence[Tensor], segments: Segments) -> Tensor:
        """Return the output of some layers.

        Args:
            hidden: Shape (tokens, width), the input of the first.
            weights: Of the layers, in the order of `sources`.
            segments: Of the tokens.
        """
        size, ones = len(Layer._fields), hidden.new_ones(1, len(hidden))
        for start in range(0, len(weights), size):
            hidden = self._layer(hidden, Layer(*weights[start : start + size]), segments, ones)
        return hidden

    def _layer(self, hidden: Tensor, layer: Layer, segments: Segments, ones: Tensor) -> Tensor:
        tokens, width = hidden.shape
        projected = affine(hidden, layer.attention, layer.attention_bias, ones)
        query, key, value = projected.view(tokens, 3, self._heads, -1).unbind(1)
        seen = attend(query, key, value, segments).reshape(tokens, width)
        seen = affine(seen, layer.gathered, layer.gathered_bias, ones)
        hidden = self._norm(hidden + seen, layer.gain, layer.shift)
        inner = self._activation(affine(hidden, layer.up, layer.up_bias, ones))
        inner = affine(inner, layer.down, layer.down_bias, ones)
        return self._norm(hidden + inner, layer.last_gain, layer.last_shift)

    def _norm(self, hidden: Tensor, gain: Tensor, shift: Tensor) -> Tensor:
        return functional.layer_norm(hidden, hidden.shape[1:], gain, shift, self._epsilon)


def _sources(layer: Any) -> list[Parameters]:
    own, gathered = layer.attention.self, layer.attention.output
    projections = (own.query, own.key, own.value)
    up, down = layer.intermediate.dense, layer.output
    singles = (gathered.dense, gathered.LayerNorm, up, down.dense, down.LayerNorm)
    return [
        tuple(p.weight for p in projections),
        tuple(p.bias for p in projections),
        *((tensor,) for module in singles for tensor in (module.weight, module.bias)),
    ]
