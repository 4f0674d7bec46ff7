"""Weights of documents and labels, all columns at once against one model each."""

from typing import NamedTuple

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.linear_model import LogisticRegression

from services.classifier.solvers.dense import rotate
from services.classifier.solvers.kernels import residuals, slopes
from services.classifier.solvers.newton import Settings, Solution, minimise
from services.classifier.solvers.sparse import lay_out
from services.classifier.solvers.weighting import Weighting, elementwise, shared
from tests.unit.classifier.test_solvers import objective, problem

C = 10.0
GROUPS, LABELS = 2, 6


class Made(NamedTuple):
    features: np.ndarray
    truth: np.ndarray
    groups: np.ndarray
    elements: np.ndarray

    @property
    def weighting(self) -> Weighting:
        return elementwise(self.truth, self.groups, self.elements)

    def own(self, group: int, label: int) -> np.ndarray:
        """Return what one column weighs documents by."""
        return np.asarray(self.groups[:, group] * self.elements[:, group, label])

    def solved(self, kind: str, settings: Settings) -> Solution:
        base = self.groups.max(axis=1)
        if kind == "dense":
            design = rotate(self.features, base)
            return design.unrotate(minimise(design, self.truth, self.weighting, C, settings))
        laid = lay_out(sp.csr_array(self.features), base)
        return minimise(laid, self.truth, self.weighting, C, settings)


@pytest.fixture(scope="module")
def made() -> Made:
    features, truth, weights = problem(200, 60, LABELS)
    groups = np.stack([weights, np.where(np.arange(200) < 50, 0, weights)], axis=1).astype(np.float32)
    # Labels differ a hundredfold in what they weigh.
    scale = np.geomspace(0.1, 10, LABELS)
    elements = np.random.default_rng(3).uniform(0.5, 2, (200, GROUPS, LABELS)) * scale
    return Made(features, truth, groups, elements.astype(np.float32))


def test_every_column_counts_its_own_weights(made: Made) -> None:
    weighting, base = made.weighting, made.groups.max(axis=1).sum()
    for g in range(GROUPS):
        for j in range(LABELS):
            own, column = made.own(g, j), g * LABELS + j
            assert weighting.totals[g, j] == pytest.approx(own.sum())
            assert weighting.positives[g, j] == pytest.approx(own[made.truth[:, j]].sum())
            largest = np.maximum(made.own(0, j), made.own(1, j)).sum()
            assert weighting.wholes[column] == pytest.approx(largest, rel=1e-5)
            assert weighting.shares[column] == pytest.approx(largest / base, rel=1e-5)


def test_columns_reach_the_kernels_in_order(made: Made) -> None:
    rng = np.random.default_rng(1)
    shape = (200, GROUPS * LABELS)
    margins, direction = (rng.normal(size=shape).astype(np.float32) for _ in range(2))
    step = rng.random(shape[1]).astype(np.float32)
    truth = np.tile(made.truth, GROUPS).astype(np.float32)
    kept = np.array([0, 3, 5, 6, 11])

    def asked(weighting: Weighting) -> list[np.ndarray]:
        out = np.empty((200, len(kept)), np.float32)
        some = [np.ascontiguousarray(x[..., kept]) for x in (margins, direction, step, truth)]
        own = weighting.weights.kept(kept)
        weights = (own.weights, own.starts)
        return [*slopes(*some, *weights), *residuals(*some, *weights, out), out]

    even = elementwise(made.truth, made.groups, np.ones_like(made.elements))
    for one, other in zip(asked(shared(made.truth, made.groups)), asked(even), strict=True):
        assert one == pytest.approx(other, rel=1e-5, abs=1e-4)
    p = 1 / (1 + np.exp(-(margins + step * direction)[:, kept].astype(np.float64)))
    own = np.stack([made.own(c // LABELS, c % LABELS) for c in kept], axis=1)
    assert asked(made.weighting)[-1] == pytest.approx(own * (p - truth[:, kept]), rel=1e-4, abs=1e-4)


@pytest.mark.parametrize("kind", ["dense", "sparse"])
def test_all_labels_and_groups_at_once_are_one_model_each(made: Made, kind: str) -> None:
    """As in a study each ends within a few times its tolerance of the minimum; to the end, at it."""
    loose, tight = made.solved(kind, Settings(1e-4)), made.solved(kind, Settings(1e-9, 500, 10))
    assert not loose.unfinished.any() and not tight.unfinished.any()
    for g in range(GROUPS):
        for j in range(LABELS):
            own, y = made.own(g, j), made.truth[:, j]
            model = LogisticRegression(C=C, tol=1e-10, max_iter=5000)
            model.fit(made.features.astype(np.float64), y, sample_weight=own)
            least = objective(made.features, y, own, C, model.coef_[0], model.intercept_[0])
            rate = own[y].sum() / own.sum()
            null = -C * own.sum() * (rate * np.log(rate) + (1 - rate) * np.log(1 - rate))
            for found, most in ((loose, 5e-4), (tight, 1e-6)):
                value = objective(made.features, y, own, C, found.slopes[g, j], found.intercepts[g, j])
                assert (value - least) / null < most


@pytest.mark.parametrize("kind", ["dense", "sparse"])
def test_a_start_metric_of_its_own_weights_saves_steps(made: Made, kind: str) -> None:
    """18 and 39 of them; with the design's metric for all labels 46 and more than 79."""
    steps = 22 if kind == "dense" else 50
    assert not made.solved(kind, Settings(1e-6, steps)).unfinished.any()
