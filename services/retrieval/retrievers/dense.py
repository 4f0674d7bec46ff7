"""Exact search by inner product."""

from typing import Any

import faiss
import numpy as np

from services.domain.errors import InvalidInputError
from services.retrieval.retrievers import RETRIEVERS, Floats, Items, Positions, Ranking, Searcher

# Two products that differ by less may be a tie that rounding broke.
ROUNDING = 1e-5
SPARE = 8
# Queries whose candidates are held in memory at a time.
QUERIES = 128


class DenseSearcher:
    """A flat index; its products find candidates, exact ones rank them.

    The products of FAISS depend in their last bits on how many queries come
    together, so candidates are ranked again in double precision. Where the last
    candidate could tie with the last rank, more are fetched.
    """

    def __init__(self, embeddings: Floats) -> None:
        self._embeddings = np.ascontiguousarray(embeddings, dtype=np.float32)
        self._index: Any = faiss.IndexFlatIP(embeddings.shape[1])
        self._index.add(self._embeddings)

    def search(self, queries: Items, depth: int) -> Ranking:
        """Return the documents with the largest inner products."""
        vectors = self._checked(queries.embeddings)
        depth = min(depth, len(self._embeddings))
        parts = [self._rank(vectors[i : i + QUERIES], depth) for i in range(0, len(vectors), QUERIES)]
        return Ranking(
            np.concatenate([np.empty((0, depth), np.int64), *(part.positions for part in parts)]),
            np.concatenate([np.empty((0, depth), np.float32), *(part.scores for part in parts)]),
        )

    def _rank(self, vectors: Floats, depth: int) -> Ranking:
        positions = np.full((len(vectors), depth), -1, dtype=np.int64)
        scores = np.full((len(vectors), depth), np.nan, dtype=np.float32)
        rows, count = np.arange(len(vectors)), min(depth + SPARE, len(self._embeddings))
        while len(rows) and depth:
            found, products = self._candidates(vectors[rows], count)
            positions[rows], scores[rows] = found[:, :depth], products[:, :depth]
            unsure = products[:, depth - 1] - products[:, -1] < ROUNDING
            rows = rows[unsure] if count < len(self._embeddings) else rows[:0]
            count = min(4 * count, len(self._embeddings))
        return Ranking(positions, scores)

    def _candidates(self, vectors: Floats, count: int) -> tuple[Positions, np.ndarray]:
        _, found = self._index.search(vectors, count)
        products = np.einsum(
            "qd,qkd->qk", vectors.astype(np.float64), self._embeddings[found].astype(np.float64)
        )
        order = np.lexsort((found, -products), axis=1)
        return np.take_along_axis(found, order, axis=1), np.take_along_axis(products, order, axis=1)

    def _checked(self, vectors: Floats | None) -> Floats:
        width = self._embeddings.shape[1]
        if vectors is None:
            raise InvalidInputError("dense search needs the queries' embeddings", field="query_embeddings")
        if vectors.ndim != 2 or vectors.shape[1] != width:
            raise InvalidInputError(
                f"queries have {vectors.shape[-1]} dimensions and the index has {width}: use one encoder for both",
                field="query_embeddings",
            )
        if not np.isfinite(vectors).all():
            row = int(np.argmax(~np.isfinite(vectors).all(axis=1)))
            raise InvalidInputError(
                f"query {row} has a value that is not finite", field=f"query_embeddings[{row}]"
            )
        return np.ascontiguousarray(vectors, dtype=np.float32)


class Dense:
    """Sentence embeddings and their inner products, without approximation."""

    version = "1"
    description = "Exact inner products of sentence embeddings (FAISS IndexFlatIP)."
    needs_embeddings = True

    def index(self, documents: Items) -> Searcher:
        """Return a flat index."""
        if documents.embeddings is None:
            raise InvalidInputError(
                "dense search needs embeddings for every segment", field="segments.embeddings"
            )
        return DenseSearcher(documents.embeddings)


RETRIEVERS.register("dense", Dense())
