"""Retrievers: one module each, found by scanning this folder."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from services.domain.labels import Masks
from services.domain.registry import Registry

Floats = npt.NDArray[np.float32]
Positions = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Items:
    """Documents or queries, as far as a retriever may look at them.

    Args:
        texts: One each.
        masks: Shape (n, words), label sets.
        embeddings: Shape (n, d), finite; None where none were given.
    """

    texts: tuple[str, ...]
    masks: Masks
    embeddings: Floats | None

    def __len__(self) -> int:
        return len(self.masks)


@dataclass(frozen=True, slots=True)
class Ranking:
    """One list per query, best first; ties go to the earlier position.

    Args:
        positions: Shape (queries, depth); -1 beyond the end of a list.
        scores: Shape (queries, depth), not rising; NaN beyond the end.
    """

    positions: Positions
    scores: Floats


class Searcher(Protocol):
    """A built index."""

    def search(self, queries: Items, depth: int) -> Ranking:
        """Return the best `depth` documents, at most as many as there are."""


class Retriever(Protocol):
    """Builds an index of documents.

    Attributes:
        version: Raised whenever rankings change.
        description: One or two sentences for a person who chooses.
        needs_embeddings: Whether documents and queries must come with embeddings.
    """

    version: str
    description: str
    needs_embeddings: bool

    def index(self, documents: Items) -> Searcher:
        """Return an index over all documents, in their order."""


RETRIEVERS: Registry[Retriever] = Registry("retrievers", __name__)
