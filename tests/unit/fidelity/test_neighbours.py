"""Precision, recall, density and coverage: equal to their definitions, from one pass."""

import gc
import weakref

import numpy as np
import pytest

from services.evaluator.fidelity import Sample
from services.evaluator.fidelity.coverage import Coverage
from services.evaluator.fidelity.density import Density
from services.evaluator.fidelity.neighbours import NEIGHBOURS, nearest_distances, neighbourhood, radii
from services.evaluator.fidelity.once import once
from services.evaluator.fidelity.one_by_one import OneByOne
from services.evaluator.fidelity.precision import Precision
from services.evaluator.fidelity.recall import Recall
from tests.unit.fidelity.measured import measured

FOUR = (Precision(), Recall(), Density(), Coverage())


def around(seed: int, count: int, direction: int = 0, strength: float = 2.0) -> Sample:
    x = np.random.default_rng(seed).normal(size=(count, 6)) + strength * np.eye(6)[direction]
    return Sample((x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32), np.arange(count))


def value(metric: OneByOne, reference: Sample, corpus: Sample) -> float:
    found = measured(metric, reference, corpus)[0].value
    assert found is not None
    return found


def slow(reference: Sample, corpus: Sample) -> tuple[float, float, float, float]:
    """The four by their definitions, one pair of documents at a time."""
    x, y = reference.embeddings.astype(np.float64), corpus.embeddings.astype(np.float64)

    def radius(points: np.ndarray, i: int) -> float:
        distances = sorted(float(np.linalg.norm(points[i] - p)) for j, p in enumerate(points) if j != i)
        return distances[NEIGHBOURS - 1]

    real, ours = ([radius(points, i) for i in range(len(points))] for points in (x, y))
    apart = np.array([[float(np.linalg.norm(a - b)) for b in y] for a in x])
    inside_real = np.array([[apart[i, j] <= real[i] for j in range(len(y))] for i in range(len(x))])
    inside_ours = np.array([[apart[i, j] <= ours[j] for j in range(len(y))] for i in range(len(x))])
    return (
        float(inside_real.any(axis=0).mean()),
        float(inside_ours.any(axis=1).mean()),
        float(inside_real.sum() / (NEIGHBOURS * len(y))),
        float(np.mean([apart[i].min() <= real[i] for i in range(len(x))])),
    )


@pytest.mark.parametrize(("seed", "strength"), [(1, 2.0), (2, 0.5), (3, 4.0)])
def test_all_four_agree_with_their_definitions(seed: int, strength: float) -> None:
    reference, corpus = around(seed, 70), around(seed + 10, 55, strength=strength)
    found = tuple(value(metric, reference, corpus) for metric in FOUR)
    assert found == pytest.approx(slow(reference, corpus))


def test_tiles_join_without_a_seam() -> None:
    reference, corpus = around(4, 530), around(5, 12)
    assert value(Coverage(), reference, corpus) == pytest.approx(slow(reference, corpus)[3])


def test_copy_of_the_reference_covers_it_and_no_more() -> None:
    reference = around(6, 90)
    copy = reference.take(np.random.default_rng(6).permutation(90))
    # Each document lies in its own ball and in those of whom it is among the five nearest.
    assert [value(metric, reference, copy) for metric in FOUR] == pytest.approx([1, 1, 6 / 5, 1])


def test_other_end_of_the_space_has_nothing() -> None:
    reference, far = around(7, 60, strength=30.0), around(8, 60, strength=-30.0)
    assert [value(metric, reference, far) for metric in FOUR] == [0, 0, 0, 0]


def test_equal_law_reaches_the_expected_coverage_and_density() -> None:
    found = np.array(
        [
            [value(m, around(2 * i, 80), around(2 * i + 1, 80)) for m in (Density(), Coverage())]
            for i in range(60)
        ]
    )
    # Density has mean 1; coverage 1 - C(n + n - 1 - k, n) / C(2n - 1, n), which tends to 1 - 2**-5.
    missed = np.prod([(80 - i) / (160 - i) for i in range(1, NEIGHBOURS + 1)])
    expected = np.array([1.0, 1 - missed])
    assert (np.abs(found.mean(axis=0) - expected) < 3.5 * found.std(axis=0, ddof=1) / np.sqrt(60)).all()


def test_missing_half_lowers_recall_and_coverage_but_not_precision() -> None:
    one, two = around(9, 60, 0, 8.0), around(10, 60, 1, 8.0)
    both = Sample(np.concatenate([one.embeddings, two.embeddings]), np.arange(120))
    half = around(11, 60, 0, 8.0)
    assert value(Precision(), both, half) > 0.8
    assert value(Coverage(), both, half) < 0.6
    assert value(Recall(), both, half) < 0.6


def test_outlier_raises_precision_more_than_density() -> None:
    reference, far = around(12, 60, 0, 8.0), around(13, 60, 1, 8.0)
    outlier = Sample(np.concatenate([reference.embeddings, far.embeddings[:1]]), np.arange(61))
    corpus = far.take(np.arange(1, 60))
    assert value(Precision(), outlier, corpus) > 0.9
    assert value(Density(), outlier, corpus) < 0.5


def test_identical_documents_have_balls_of_radius_zero() -> None:
    same = Sample(np.tile(np.eye(4, dtype=np.float32)[0], (8, 1)), np.arange(8))
    assert radii(same).max() == 0
    assert [value(metric, same, same) for metric in FOUR] == pytest.approx([1, 1, 8 / 5, 1])


def test_whole_weights_count_as_copies() -> None:
    reference, corpus = around(14, 50), around(15, 40, strength=1.0)
    weights = np.r_[np.full(10, 3.0), np.ones(30)]
    weighted = Sample(corpus.embeddings, corpus.families, weights)
    inside = neighbourhood(reference, corpus).balls_around > 0
    assert value(Precision(), reference, weighted) == pytest.approx(inside @ weights / 60)


def test_six_documents_are_needed_on_either_side() -> None:
    for reference, corpus in ((around(1, 5), around(2, 20)), (around(1, 20), around(2, 5))):
        for metric in FOUR:
            (found,) = measured(metric, reference, corpus)
            assert found.value is None
            assert "5 documents, fewer than 6" in found.undefined_reason


def test_metrics_share_one_pass_over_a_pair() -> None:
    reference, corpus = around(16, 30), around(17, 30)
    first = neighbourhood(reference, corpus)
    for metric in FOUR:
        value(metric, reference, corpus)
    assert neighbourhood(reference, corpus) is first
    assert nearest_distances(corpus) is nearest_distances(corpus)
    assert neighbourhood(reference, around(17, 30)) is not first


def test_what_is_shared_is_forgotten_with_the_sample() -> None:
    computed = []

    @once
    def size(sample: Sample) -> np.ndarray:
        computed.append(len(sample))
        return np.zeros(len(sample))

    corpus = around(18, 12)
    kept = weakref.ref(size(corpus))
    size(corpus)
    assert computed == [12] and kept() is not None
    del corpus
    gc.collect()
    assert kept() is None
