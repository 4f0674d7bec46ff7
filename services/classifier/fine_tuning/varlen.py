"""Attention within segments of tokens that lie one behind the other."""

import itertools
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

KERNEL = "varlen_attn"


class Segments(NamedTuple):
    """Where segments lie.

    Args:
        bounds: Shape (segments + 1,), int32: where each begins, and the end.
        longest: Tokens of a segment, at most.
    """

    bounds: Tensor
    longest: int


def has_kernel() -> bool:
    """Return whether this torch has attention over segments of different lengths."""
    try:
        from torch.nn.attention import varlen
    except ImportError:
        return False
    return hasattr(varlen, KERNEL)


def attend(query: Tensor, key: Tensor, value: Tensor, segments: Segments) -> Tensor:
    """Return what every token gathers from those of its segment, shape (tokens, heads, width of a head).

    In bfloat16 on a CUDA device one kernel does it; elsewhere one segment comes after the other.

    Args:
        query: Shape (tokens, heads, width of a head).
        key: As `query`.
        value: As `query`.
        segments: That hold all tokens.
    """
    if query.is_cuda and query.dtype is torch.bfloat16:
        from torch.nn.attention.varlen import varlen_attn

        bounds, longest = segments
        found = varlen_attn(query, key, value, bounds, bounds, longest, longest)
        assert isinstance(found, Tensor)
        return found
    return _one_by_one(query, key, value, segments)


def _one_by_one(query: Tensor, key: Tensor, value: Tensor, segments: Segments) -> Tensor:
    bounds = segments.bounds.tolist()
    found = []
    for start, end in itertools.pairwise(bounds):
        one, other, third = (tensor[start:end].transpose(0, 1)[None] for tensor in (query, key, value))
        found.append(functional.scaled_dot_product_attention(one, other, third)[0].transpose(0, 1))
    return torch.cat(found)


def means(hidden: Tensor, segments: Segments) -> Tensor:
    """Return the mean of each segment, shape (segments, width), float32.

    A segment's mean does not depend on where it lies.

    Args:
        hidden: Shape (tokens, width).
        segments: None of them empty.
    """
    lengths = segments.bounds.diff().long()
    found: Tensor = torch.segment_reduce(hidden.float(), "mean", lengths=lengths, axis=0, unsafe=True)
    return found
