"""Squared MMD: equal to scikit-learn, unbiased, and honest about what it cannot say."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics.pairwise import rbf_kernel

from services.domain.errors import InvalidInputError
from services.evaluator.fidelity import Estimate, Sample
from services.evaluator.fidelity.bandwidth import median_bandwidth
from services.evaluator.fidelity.blocks import family_blocks, kernel_sums
from services.evaluator.fidelity.mmd2 import SquaredMmd, gamma_of

METRIC = SquaredMmd()


def sample(rng: np.random.Generator, count: int, shift: float = 0.0, dimensions: int = 16) -> Sample:
    x = rng.normal(size=(count, dimensions)) + shift
    return Sample((x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32), np.arange(count))


def measured(reference: Sample, *corpora: Sample) -> tuple[Estimate, ...]:
    return METRIC(reference, corpora, METRIC.settings(reference), [])


def unbiased(reference: Sample, corpus: Sample, bandwidth: float) -> float:
    x, y = reference.embeddings.astype(np.float64), corpus.embeddings.astype(np.float64)
    gamma = 1 / (2 * bandwidth**2)
    within = [k.sum() - np.trace(k) for k in (rbf_kernel(x, gamma=gamma), rbf_kernel(y, gamma=gamma))]
    n, m = len(x), len(y)
    return float(
        within[0] / (n * (n - 1)) + within[1] / (m * (m - 1)) - 2 * rbf_kernel(x, y, gamma=gamma).mean()
    )


@pytest.mark.parametrize("count", [2, 30, 257, 600])
def test_agrees_with_scikit_learn_at_three_bandwidths(count: int) -> None:
    rng = np.random.default_rng(count)
    reference, corpus = sample(rng, 300), sample(rng, count, 0.1)
    (found,) = measured(reference, corpus)
    bandwidth = found.estimates["bandwidth"]
    assert found.value == pytest.approx(unbiased(reference, corpus, bandwidth), abs=1e-6)
    for name, factor in (("mmd2_wide", 2**0.5), ("mmd2_narrow", 2**-0.5)):
        expected = unbiased(reference, corpus, bandwidth * factor)
        assert found.estimates[name] == pytest.approx(expected, abs=1e-6)


def test_is_zero_on_average_under_the_null() -> None:
    rng = np.random.default_rng(11)
    values = np.array([measured(sample(rng, 40), sample(rng, 30))[0].value for _ in range(200)])
    assert abs(values.mean()) < 3 * values.std(ddof=1) / np.sqrt(len(values))
    assert (values < 0).mean() > 0.3


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=15, deadline=None)
def test_order_of_documents_does_not_matter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    reference, corpus = sample(rng, 25), sample(rng, 20, 0.2)
    again = corpus.take(rng.permutation(20))
    assert measured(reference, again)[0].value == pytest.approx(
        measured(reference, corpus)[0].value, abs=1e-6
    )


def test_other_corpora_in_the_pass_change_nothing() -> None:
    rng = np.random.default_rng(2)
    reference, one, other = sample(rng, 60), sample(rng, 50, 0.1), sample(rng, 40, 0.5)
    assert measured(reference, one, other)[0] == measured(reference, one)[0]


def test_whole_weights_count_as_copies_that_never_meet_themselves() -> None:
    rng = np.random.default_rng(3)
    reference, corpus = sample(rng, 40), sample(rng, 20, 0.2)
    weights = np.r_[np.full(10, 2.0), np.ones(10)]
    (found,) = measured(reference, Sample(corpus.embeddings, corpus.families, weights))
    gamma = 1 / (2 * found.estimates["bandwidth"] ** 2)
    x, y = reference.embeddings.astype(np.float64), corpus.embeddings.astype(np.float64)
    own, real = rbf_kernel(y, gamma=gamma), rbf_kernel(x, gamma=gamma)
    np.fill_diagonal(own, 0)
    mass = weights.sum()
    expected = (real.sum() - 40) / (40 * 39) + weights @ own @ weights / (mass**2 - (weights**2).sum())
    expected -= 2 * (rbf_kernel(x, y, gamma=gamma) @ weights).sum() / (40 * mass)
    assert found.value == pytest.approx(expected, abs=1e-6)


def test_interval_covers_the_distance_of_the_populations() -> None:
    rng = np.random.default_rng(4)
    (truth,) = measured(sample(rng, 3000), sample(rng, 3000, 0.3))
    found = [measured(sample(rng, 150), sample(rng, 150, 0.3))[0].interval for _ in range(80)]
    covered = np.mean(
        [i is not None and truth.value is not None and i.low < truth.value < i.high for i in found]
    )
    assert covered >= 0.87


def test_families_widen_the_interval() -> None:
    rng = np.random.default_rng(5)
    reference, sources = sample(rng, 200), sample(rng, 40, 0.3)
    rows = np.repeat(np.arange(40), 5)
    grouped = Sample(sources.embeddings[rows], rows)
    alone = Sample(sources.embeddings[rows], np.arange(200))
    wide, narrow = (measured(reference, s)[0].interval for s in (grouped, alone))
    assert wide is not None and narrow is not None
    assert wide.high - wide.low > 1.3 * (narrow.high - narrow.low)


def test_blocks_keep_families_whole() -> None:
    families = np.random.default_rng(6).integers(0, 70, 400)
    blocks = family_blocks(families, 20)
    assert len(np.unique(blocks)) == 20
    for family in np.unique(families):
        assert len(np.unique(blocks[families == family])) == 1


def test_block_sums_add_up_whatever_the_blocks() -> None:
    rng = np.random.default_rng(7)
    one = sample(rng, 530)
    other = Sample(one.embeddings, np.arange(530) // 9)
    first, second = (kernel_sums(s, [s], 0.3) for s in (one, other))
    np.testing.assert_allclose(first[0].within.sum(axis=(1, 2)), second[0].within.sum(axis=(1, 2)), rtol=1e-6)
    np.testing.assert_allclose(first[1].cross.sum(axis=(1, 2)), second[1].cross.sum(axis=(1, 2)), rtol=1e-6)


def test_one_document_is_refused() -> None:
    rng = np.random.default_rng(8)
    with pytest.raises(InvalidInputError, match="two documents per corpus, not 10 and 1"):
        measured(sample(rng, 10), sample(rng, 1))


def test_identical_documents_have_a_defined_bandwidth() -> None:
    same = Sample(np.tile(np.eye(4, dtype=np.float32)[0], (5, 1)), np.arange(5))
    (found,) = measured(same, same)
    assert found.estimates["bandwidth"] == 1.0
    assert found.value == pytest.approx(0, abs=1e-6)


def test_bandwidth_is_the_median_distance() -> None:
    corners = np.array([[0, 0], [1, 0], [3, 0]], dtype=np.float32)
    assert median_bandwidth(corners) == pytest.approx(2.0)


@pytest.mark.parametrize("bandwidth", [0.0, -1.0, float("nan")])
def test_bandwidth_has_to_be_positive(bandwidth: float) -> None:
    with pytest.raises(InvalidInputError, match="positive"):
        gamma_of(bandwidth)
