"""Pairs of documents whose embeddings are nearer than unrelated real ones ever are."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from services.domain.corpus import Corpus
from services.evaluator.fidelity import Codes, Doubles, Floats
from services.evaluator.leakage import Calibration, Pair

TILE_ROWS = 512
QUANTILE = 0.999


def unit(embeddings: Floats) -> Floats:
    """Return rows of length one; a zero row stays zero, and is nobody's neighbour above a positive cosine."""
    lengths = np.linalg.norm(embeddings.astype(np.float64), axis=1, keepdims=True)
    return (embeddings / np.where(lengths > 0, lengths, 1)).astype(np.float32)


def related(corpus: Corpus, repeating: Iterable[tuple[str, str]]) -> Codes:
    """Return groups of documents of one family or with the same words, transitively, shape (n,).

    Args:
        corpus: The documents.
        repeating: Pairs of identifiers that say the same.
    """
    row = {identifier: i for i, identifier in enumerate(corpus.ids)}
    first: dict[str, int] = {}
    edges = [(i, first.setdefault(family, i)) for i, family in enumerate(corpus.families)]
    edges += [(row[one], row[other]) for one, other in repeating]
    one, other = np.array(edges, dtype=np.int64).T
    graph = coo_array((np.ones(len(edges)), (one, other)), shape=(len(row), len(row)))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)


def calibrate(vectors: Floats, groups: Codes, quantile: float = QUANTILE) -> Calibration:
    """Return the quantile of real documents' cosines to their nearest real document of another group.

    Of unrelated documents about one in a thousand has a neighbour beyond it in a
    corpus of this size; in a larger corpus more have. Below 1/(1 - quantile)
    documents it is the largest cosine seen.

    Args:
        vectors: Shape (n, d), unit rows, of two groups at least.
        groups: Shape (n,). Documents of one group may be near for a reason.
        quantile: In (0, 1).
    """
    nearest = _nearest_of_others(vectors, groups)
    threshold = float(np.quantile(nearest, quantile, method="higher"))
    return Calibration(threshold, quantile, len(vectors))


def neighbour_pairs(
    left: Floats, right: Floats, names: tuple[Sequence[str], Sequence[str]], threshold: float
) -> Iterator[Pair]:
    """Yield all pairs whose cosine exceeds the threshold.

    Args:
        left: Shape (n, d), unit rows.
        right: Shape (m, d), unit rows.
        names: Identifiers of both.
        threshold: In [-1, 1].
    """
    for start in range(0, len(left), TILE_ROWS):
        cosines = left[start : start + TILE_ROWS] @ right.T
        for i, j in np.argwhere(cosines > threshold).tolist():
            yield Pair(names[0][start + i], names[1][j], float(cosines[i, j]))


def _nearest_of_others(vectors: Floats, groups: Codes) -> Doubles:
    nearest = np.empty(len(vectors))
    for start in range(0, len(vectors), TILE_ROWS):
        rows = slice(start, start + TILE_ROWS)
        cosines = vectors[rows] @ vectors.T
        cosines[groups[rows, None] == groups[None, :]] = -np.inf
        nearest[rows] = cosines.max(axis=1)
    return nearest
