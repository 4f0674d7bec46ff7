"""Search by shared labels."""

import numpy as np
from numba import njit

from services.domain.errors import InvalidInputError
from services.domain.labels import Masks
from services.retrieval.qrels import overlaps
from services.retrieval.retrievers import RETRIEVERS, Floats, Items, Positions, Ranking, Searcher


class JaccardSearcher:
    """Label masks, scanned once per query."""

    def __init__(self, masks: Masks) -> None:
        self._masks = np.ascontiguousarray(masks)

    def search(self, queries: Items, depth: int) -> Ranking:
        """Return the documents whose label sets overlap most with each query's."""
        if queries.masks.shape[1] != self._masks.shape[1]:
            raise InvalidInputError("queries and documents have labels of different tasks", field="queries")
        depth = min(depth, len(self._masks))
        positions = np.full((len(queries), depth), -1, dtype=np.int64)
        scores = np.full((len(queries), depth), -1.0)
        if depth:
            _scan(np.ascontiguousarray(queries.masks), self._masks, positions, scores)
        return Ranking(positions, scores.astype(np.float32))


class Jaccard:
    """The upper bound of what a search for labels can find."""

    version = "1"
    description = "Jaccard similarity of label sets; ties go to the earlier document."
    needs_embeddings = False

    def index(self, documents: Items) -> Searcher:
        """Return the masks, ready to scan."""
        return JaccardSearcher(documents.masks)


@njit(nogil=True, cache=True)
def _scan(queries: Masks, documents: Masks, positions: Positions, scores: Floats) -> None:
    similarity = np.empty(len(documents))
    last = positions.shape[1] - 1
    for query in range(len(queries)):
        overlaps(queries[query], documents, similarity)
        for j in range(len(documents)):
            # Strictly greater: an equal one that came earlier stays.
            if similarity[j] <= scores[query, last]:
                continue
            place = last
            while place > 0 and scores[query, place - 1] < similarity[j]:
                scores[query, place] = scores[query, place - 1]
                positions[query, place] = positions[query, place - 1]
                place -= 1
            scores[query, place] = similarity[j]
            positions[query, place] = j


RETRIEVERS.register("jaccard", Jaccard())
