"""Fréchet distance of two clouds of embeddings, read as Gaussians."""

from typing import NamedTuple

import numpy as np

from services.evaluator.fidelity import METRICS, Doubles, Estimate, Sample
from services.evaluator.fidelity.once import once
from services.evaluator.fidelity.one_by_one import OneByOne


class FrechetDistance(OneByOne):
    """Squared 2-Wasserstein distance of the Gaussians with the samples' moments.

    |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)), in squared embedding units, zero
    or more. Covariances of few documents differ by chance, so that the value falls
    with their number and compares at equal n only; the floor says what chance
    alone makes of it. Sees means and covariances, nothing else. There is no
    interval: the bias is larger than the spread, and a bootstrap adds to it.

    Source: Dowson & Landau (1982), J. Multivar. Anal. 12:450-455; Heusel et al.
    (2017), NeurIPS 30; on the bias Chong & Forsyth (2020), CVPR.
    """

    description = (
        "Fréchet distance: squared difference of means plus a distance of covariances of embeddings. "
        "Biased upwards in small corpora, so it is measured at a common number of documents."
    )
    version = 1
    lower_is_better = True
    minimum_count = 20
    depends_on_count = True
    has_scale = True

    def estimate(self, reference: Sample, corpus: Sample) -> Estimate:
        """Measure a corpus."""
        parts = frechet_parts(_moments(reference), _moments(corpus))
        return Estimate(parts.means + parts.covariances, len(corpus), estimates=parts._asdict())


class Moments(NamedTuple):
    """A mean, shape (d,), and a factor A of the covariance AᵀA, shape (r, d)."""

    mean: Doubles
    factor: Doubles


class Parts(NamedTuple):
    """What the distance is the sum of."""

    means: float
    covariances: float


def moments(embeddings: np.ndarray, mass: Doubles) -> Moments:
    """Return mean and unbiased covariance of weighted documents, shapes (n, d) and (n,)."""
    x = embeddings.astype(np.float64)
    mean = mass @ x / mass.sum()
    scaled = np.sqrt(mass / (mass.sum() - 1))[:, None] * (x - mean)
    return Moments(mean, np.asarray(np.linalg.qr(scaled, mode="r")))


def frechet_parts(one: Moments, other: Moments) -> Parts:
    """Return the two parts of the distance, zero or more each."""
    means = float(np.square(one.mean - other.mean).sum())
    # The trace of the root of a product is the sum of singular values of its factors' product.
    root = np.linalg.svd(one.factor @ other.factor.T, compute_uv=False).sum()
    covariances = float(np.square(one.factor).sum() + np.square(other.factor).sum() - 2 * root)
    # Equal covariances come out a rounding below zero.
    return Parts(means, max(covariances, 0.0))


@once
def _moments(sample: Sample) -> Moments:
    return moments(sample.embeddings, sample.mass)


METRICS.register("frechet", FrechetDistance())
