"""Remote clique and Chamfer on examples small enough to compute by hand."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from services.evaluator.fidelity import Estimate, Sample
from services.evaluator.fidelity.chamfer import Chamfer
from services.evaluator.fidelity.clustering import family_interval
from services.evaluator.fidelity.neighbours import nearest_distances
from services.evaluator.fidelity.remote_clique import RemoteClique
from tests.unit.fidelity.measured import measured

RIGHT_ANGLE = Sample(np.array([[1, 0], [1, 0], [0, 1]], dtype=np.float32), np.arange(3))


def one(metric: RemoteClique | Chamfer, corpus: Sample) -> Estimate:
    return measured(metric, corpus, corpus)[0]


def random_sample(count: int) -> Sample:
    x = np.random.default_rng(count).normal(size=(count, 8))
    return Sample((x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32), np.arange(count))


def test_remote_clique_is_the_mean_over_pairs() -> None:
    # Pairs: 0, 1, 1.
    assert one(RemoteClique(), RIGHT_ANGLE).value == pytest.approx(2 / 3)


def test_chamfer_is_the_mean_nearest_distance() -> None:
    # Nearest: 0, 0, 1.
    assert one(Chamfer(), RIGHT_ANGLE).value == pytest.approx(1 / 3)


def test_both_agree_with_scipy() -> None:
    corpus = random_sample(530)
    distances = cdist(corpus.embeddings, corpus.embeddings, "cosine")
    assert one(RemoteClique(), corpus).value == pytest.approx(distances.sum() / (530 * 529), abs=1e-6)
    np.fill_diagonal(distances, np.inf)
    np.testing.assert_allclose(nearest_distances(corpus)[:, 0], distances.min(axis=1), atol=1e-6)


def test_copies_have_no_chamfer_distance() -> None:
    corpus = random_sample(20)
    twice = Sample(np.concatenate([corpus.embeddings] * 2), np.arange(40))
    assert one(Chamfer(), twice).value == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("metric", [RemoteClique(), Chamfer()])
def test_interval_holds_the_value(metric: RemoteClique | Chamfer) -> None:
    found = one(metric, random_sample(50))
    assert found.interval is not None and found.value is not None
    assert found.interval.low < found.value < found.interval.high


def test_remote_clique_interval_is_as_wide_as_its_spread() -> None:
    rng = np.random.default_rng(9)
    values, widths = [], []
    for _ in range(200):
        x = rng.normal(size=(60, 3)) + np.eye(3)[0]
        corpus = Sample((x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32), np.arange(60))
        found = one(RemoteClique(), corpus)
        assert found.interval is not None and found.value is not None
        values.append(found.value)
        widths.append(found.interval.high - found.interval.low)
    assert np.mean(widths) / 4 == pytest.approx(np.std(values), rel=0.15)


def test_one_family_has_no_interval() -> None:
    assert family_interval(0.5, np.array([0.1, -0.1]), np.zeros(2, dtype=np.int64)) is None
