"""The median heuristic: a bandwidth that comes from the reference alone."""

import numpy as np

from services.evaluator.fidelity import Doubles, Floats

# Pairs of this many documents decide the median well beyond its use.
DOCUMENTS = 1000


def median_bandwidth(embeddings: Floats | Doubles) -> float:
    """Return the median distance of two documents, in embedding units.

    Uses at most a thousand documents at equal steps. Where more than half of the
    pairs coincide the median is zero, and the answer is 1: the scale of vectors
    of unit length.

    Source: Gretton et al. (2012), JMLR 13:723-773, section 8.
    """
    rows = np.linspace(0, len(embeddings) - 1, min(len(embeddings), DOCUMENTS)).astype(np.int64)
    x = embeddings[rows].astype(np.float64)
    norms = np.square(x).sum(axis=1)
    squares = norms[:, None] + norms[None, :] - 2 * (x @ x.T)
    median = float(np.median(squares[np.triu_indices(len(x), k=1)]))
    # Equal vectors differ by rounding.
    return float(np.sqrt(median)) if median > 1e-9 else 1.0
