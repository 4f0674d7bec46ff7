"""Nearest neighbours: one pass over the distances of two samples serves all metrics that ask for them.

Distances are 1 - cosine, which ranks vectors of unit length as Euclidean distance
does. A document's ball reaches to the fifth nearest other document of its own
sample. Distances are never stored, only what the metrics read off them.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from services.evaluator.fidelity import Codes, Floats, Sample
from services.evaluator.fidelity.once import once, once_together

# Naeem et al. (2020) recommend it.
NEIGHBOURS = 5
TILE_ROWS = 512
# The same distance comes out of two products a rounding apart.
ROUNDING = np.float32(1e-6)


class Neighbourhood(NamedTuple):
    """How a corpus of n and a reference of r documents lie to each other.

    Args:
        balls_around: Shape (n,). The reference balls that hold each corpus document.
        nearest: Shape (r,). Distance of each reference document to the nearest
            of the corpus.
        held: Shape (r,). Whether a corpus ball holds the reference document.
    """

    balls_around: Codes
    nearest: Floats
    held: npt.NDArray[np.bool_]


@once
def nearest_distances(sample: Sample) -> Floats:
    """Return each document's distances to its nearest other documents, ascending.

    Shape (n, 5), fewer columns where there are fewer other documents.
    """
    x, count = sample.embeddings, min(NEIGHBOURS, len(sample) - 1)
    nearest = np.empty((len(x), count), dtype=np.float32)
    for rows in _tiles(len(x)):
        similarity = x[rows] @ x.T
        # A document is not its own neighbour.
        similarity[np.arange(len(similarity)), np.arange(rows.start, rows.stop)] = -np.inf
        largest = np.partition(similarity, len(x) - count, axis=1)[:, len(x) - count :]
        nearest[rows] = 1 - np.sort(largest, axis=1)[:, ::-1]
    # Copies come out a rounding below zero.
    return np.maximum(nearest, 0)


def radii(sample: Sample) -> Floats:
    """Return how far each document's ball reaches, shape (n,); takes six documents."""
    return nearest_distances(sample)[:, NEIGHBOURS - 1]


@once_together
def neighbourhood(reference: Sample, corpus: Sample) -> Neighbourhood:
    """Compare all documents of a corpus with all of the reference, six or more each."""
    balls = np.zeros(len(corpus), dtype=np.int64)
    nearest = np.empty(len(reference), dtype=np.float32)
    held = np.empty(len(reference), dtype=bool)
    real_reach, reach = radii(reference) + ROUNDING, radii(corpus) + ROUNDING
    for rows in _tiles(len(reference)):
        distances = 1 - reference.embeddings[rows] @ corpus.embeddings.T
        balls += (distances <= real_reach[rows, None]).sum(axis=0)
        nearest[rows] = distances.min(axis=1)
        held[rows] = (distances <= reach).any(axis=1)
    return Neighbourhood(balls, np.maximum(nearest, 0), held)


def _tiles(count: int) -> Iterator[slice]:
    for start in range(0, count, TILE_ROWS):
        yield slice(start, min(start + TILE_ROWS, count))
