"""Encoders: one module each, found by scanning this folder."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from services.domain.registry import Registry

Embeddings = npt.NDArray[np.float32]
Arrays = dict[str, np.ndarray]


@runtime_checkable
class Encoder(Protocol):
    """Turns texts into vectors of unit length.

    A vector depends on its text and on the revision alone: not on the texts
    beside it, their order or their number.
    """

    @property
    def description(self) -> str:
        """One or two sentences for a person who chooses."""

    @property
    def revision(self) -> str:
        """Names everything a vector depends on: algorithm, weights, dtype, length cut."""

    @property
    def dimensions(self) -> int:
        """Columns of every matrix."""

    def encode(self, texts: Sequence[str]) -> Embeddings:
        """Return shape (n, dimensions), rows of unit length."""


@runtime_checkable
class Truncating(Protocol):
    """An encoder that knows which texts it does not read to the end; the store notes their number."""

    def count_truncated(self, texts: Sequence[str]) -> int:
        """Return how many texts are longer than what is kept of them."""


@runtime_checkable
class FittedEncoder(Protocol):
    """Learns from training texts before it encodes."""

    @property
    def description(self) -> str:
        """One or two sentences for a person who chooses."""

    @property
    def revision(self) -> str:
        """Names the algorithm and its parameters, without what was learned."""

    def fit(self, texts: Sequence[str]) -> Arrays:
        """Learn from texts that no test document is among."""

    def restore(self, learned: Arrays, digest: str) -> Encoder:
        """Return the encoder of what was learned; `digest` enters its revision."""


ENCODERS: Registry[Encoder | FittedEncoder] = Registry("encoders", __name__)
