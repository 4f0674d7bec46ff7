"""A product with a bias, whose gradient is a product as well."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional


def affine(hidden: Tensor, weight: Tensor, bias: Tensor, ones: Tensor) -> Tensor:
    """Return `hidden @ weight.T + bias`.

    Torch sums the gradient of a bias over tokens by a kernel of its own, which takes a GPU several times
    as long as the product with a row of ones.

    Args:
        hidden: Shape (tokens, inputs).
        weight: Shape (outputs, inputs).
        bias: Shape (outputs,).
        ones: Shape (1, tokens).
    """
    apply: Any = _Affine.apply
    found: Tensor = apply(hidden, weight, bias, ones)
    return found


class _Affine(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, hidden: Tensor, weight: Tensor, bias: Tensor, ones: Tensor) -> Tensor:
        ctx.save_for_backward(hidden, weight, ones)
        return functional.linear(hidden, weight, bias)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> tuple[Tensor | None, ...]:
        (gradient,) = gradients
        hidden, weight, ones = ctx.saved_tensors
        of_hidden = gradient @ weight if ctx.needs_input_grad[0] else None
        if not ctx.needs_input_grad[1]:
            return of_hidden, None, None, None
        return of_hidden, gradient.T @ hidden, (ones @ gradient)[0], None
