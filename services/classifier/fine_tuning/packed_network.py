"""A network in packed form, as it trains and as it scores."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from services.classifier.fine_tuning.bert import PackedBert
from services.classifier.fine_tuning.copies import Copies
from services.classifier.fine_tuning.graphs import Inputs
from services.classifier.fine_tuning.network import Network
from services.classifier.fine_tuning.varlen import Segments, means


class PackedNetwork:
    """The same weights as a network, which stay in float32, and copies of the layers' for products.

    Args:
        network: Over a BERT.
        dtype: Of products.
    """

    def __init__(self, network: Network, dtype: torch.dtype) -> None:
        self._network, self._bert, self.dtype = network, PackedBert(network.model, dtype), dtype
        self._lower = Copies(self._bert.sources(0, network.freeze), dtype)
        self._upper = Copies(self._bert.sources(network.freeze, len(self._bert)), dtype)
        self._lower.refresh()

    @property
    def trained(self) -> Mapping[str, Tensor]:
        return self._network.trained

    @property
    def leaves(self) -> Sequence[Tensor]:
        return [*self._upper.tensors, *self._direct]

    @property
    def _direct(self) -> list[Tensor]:
        """What is trained and used as it is."""
        body = [] if self._network.freeze else self._bert.embeddings
        return [*body, self._network.slopes, self._network.intercepts]

    def refresh(self) -> None:
        """Make the copies of what is trained anew."""
        self._upper.refresh()

    def give_back(self, gradients: Sequence[Tensor]) -> None:
        count = len(self._upper.tensors)
        self._upper.give_back(gradients[:count])
        for tensor, gradient in zip(self._direct, gradients[count:], strict=True):
            # The optimiser wants gradients laid out like what they belong to.
            tensor.grad = gradient.contiguous()

    def states(self, ids: Tensor, positions: Tensor, segments: Segments) -> Tensor:
        """Return what the frozen layers make of tokens, shape (tokens, width)."""
        with torch.no_grad():
            return self._bert.through(self._bert.embedded(ids, positions), self._lower.tensors, segments)

    def logits(self, inputs: Inputs) -> Tensor:
        """Return logits of all segments, shape (segments, labels), float32."""
        hidden = inputs.source
        if not self._network.freeze:
            hidden = self._bert.embedded(hidden, inputs.positions)
        hidden = self._bert.through(hidden, self._upper.tensors, inputs.segments)
        return self._network.head(means(hidden, inputs.segments))
