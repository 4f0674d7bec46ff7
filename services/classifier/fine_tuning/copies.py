"""Copies of weights in the precision of products: made by one kernel, and their gradients taken back by another."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class Copies:
    """Copies of parameters, some put one below the other.

    Args:
        sources: What makes up each copy, alike but for the first dimension; all of them are
            trained, or none.
        dtype: Of the copies.
    """

    def __init__(self, sources: Sequence[tuple[nn.Parameter, ...]], dtype: torch.dtype) -> None:
        self.tensors = [_room(parts, dtype) for parts in sources]
        self._parameters: list[Tensor] = [parameter for parts in sources for parameter in parts]
        self._sizes = [[len(part) for part in parts] for parts in sources]

    @torch.no_grad()
    def refresh(self) -> None:
        """Copy the parameters as they are now."""
        if self._parameters:
            torch._foreach_copy_(self._apart(self.tensors), self._parameters)

    @torch.no_grad()
    def give_back(self, gradients: Sequence[Tensor]) -> None:
        """Let the copies' gradients be those of the parameters, in their precision."""
        found = [torch.empty_like(parameter) for parameter in self._parameters]
        if found:
            torch._foreach_copy_(found, self._apart(gradients))
        for parameter, gradient in zip(self._parameters, found, strict=True):
            parameter.grad = gradient

    def _apart(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        return [
            part
            for tensor, sizes in zip(tensors, self._sizes, strict=True)
            for part in torch.split(tensor.detach(), sizes)
        ]


def _room(parts: tuple[nn.Parameter, ...], dtype: torch.dtype) -> Tensor:
    size = (sum(len(part) for part in parts), *parts[0].shape[1:])
    room = torch.empty(size, dtype=dtype, device=parts[0].device)
    return room.requires_grad_(parts[0].requires_grad)
