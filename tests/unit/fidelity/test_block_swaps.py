"""Swapping blocks: what a permutation of documents computes, exact under the null, and cheap."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics.pairwise import rbf_kernel

from services.domain.errors import InvalidInputError
from services.evaluator.fidelity import Estimate, Sample
from services.evaluator.fidelity.block_swaps import arrangements, swap_gram, swap_p_values, swap_statistics
from services.evaluator.fidelity.blocks import POWERS, family_blocks, kernel_sums
from services.evaluator.fidelity.mmd2 import SquaredMmd
from services.evaluator.fidelity.mmd2_swap_p import MmdBlockSwap

GAMMA = 0.3
METRIC = MmdBlockSwap()


def sample(rng: np.random.Generator, count: int, shift: float = 0.0) -> Sample:
    x = rng.normal(size=(count, 16)) + shift
    return Sample((x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32), np.arange(count))


def swapped(reference: Sample, *corpora: Sample) -> tuple[Estimate, ...]:
    rngs = [np.random.default_rng(5) for _ in corpora]
    return METRIC(reference, corpora, METRIC.settings(reference), rngs)


def test_statistics_are_quadratic_forms_of_the_whole_kernel() -> None:
    rng = np.random.default_rng(0)
    reference, corpus = sample(rng, 130), sample(rng, 130, 0.1)
    base, sums = kernel_sums(reference, [corpus], GAMMA)
    signs = arrangements(50, 20, rng)
    found = swap_statistics(swap_gram(base, sums), signs)
    both = np.concatenate([reference.embeddings, corpus.embeddings]).astype(np.float64)
    blocks = family_blocks(corpus.families)
    signed = np.concatenate([signs[:, blocks], -signs[:, blocks]], axis=1)
    for h, power in enumerate(POWERS):
        kernel = rbf_kernel(both, gamma=GAMMA * power)
        np.fill_diagonal(kernel, 0)
        np.testing.assert_allclose(found[h], np.einsum("pi,ij,pj->p", signed, kernel, signed), atol=1e-3)


def test_two_blocks_by_hand() -> None:
    # The differences of the two pairs of blocks have lengths 1 and 2 and one inner product, 1.
    gram = np.array([[[1.0, 1.0], [1.0, 4.0]]])
    signs = np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, -1.0]])
    np.testing.assert_allclose(swap_statistics(gram, signs), [[7.0, 3.0, 7.0]])
    assert swap_p_values(np.array([[7.0, 3.0, 7.0]])) == pytest.approx([2 / 3])


def test_the_first_arrangement_swaps_nothing() -> None:
    signs = arrangements(50, 999, np.random.default_rng(1))
    assert signs.shape == (1000, 50)
    assert (signs[0] == 1).all() and (np.abs(signs) == 1).all()
    assert abs(signs[1:].mean()) < 0.02


def test_blocks_of_unequal_size_do_not_change_places() -> None:
    rng = np.random.default_rng(2)
    base, sums = kernel_sums(sample(rng, 130), [sample(rng, 131)], GAMMA)
    with pytest.raises(InvalidInputError, match="50 blocks of 130 documents stand against 50 of 131"):
        swap_gram(base, sums)


def test_rejects_one_true_null_in_twenty() -> None:
    rng = np.random.default_rng(3)
    p = np.array([found.value for _ in range(25) for found in swapped(sample(rng, 60), *_corpora(rng, 60))])
    # 200 tests: five standard errors either way.
    assert 0.0 <= (p <= 0.05).mean() <= 0.05 + 5 * np.sqrt(0.05 * 0.95 / 200)
    assert abs(p.mean() - 0.5) < 5 * np.sqrt(1 / 12 / 25)


def _corpora(rng: np.random.Generator, count: int) -> list[Sample]:
    return [sample(rng, count) for _ in range(8)]


def test_finds_a_shift_of_the_mean() -> None:
    rng = np.random.default_rng(4)
    found = swapped(sample(rng, 200), *(sample(rng, 200, 0.25) for _ in range(5)))
    assert all(one.value is not None and one.value <= 0.05 for one in found)


def test_copies_within_a_family_prove_nothing() -> None:
    rng = np.random.default_rng(5)
    reference, corpus = sample(rng, 60), sample(rng, 60)
    copied = corpus.take(np.repeat(np.arange(60), 4))
    assert swapped(reference, copied) == swapped(reference, corpus)


def test_the_longer_side_gives_as_many_families_as_the_other_has() -> None:
    rng = np.random.default_rng(6)
    reference, short, long = sample(rng, 70), sample(rng, 40), sample(rng, 90)
    assert [found.sample_count for found in swapped(reference, short, long)] == [40, 70]
    assert swapped(reference, short, long)[0] == swapped(reference, short)[0]


def test_the_distance_beside_it_is_that_of_the_documents_tested() -> None:
    rng = np.random.default_rng(7)
    reference, corpus = sample(rng, 80), sample(rng, 80, 0.1)
    (found,) = swapped(reference, corpus)
    measure = SquaredMmd()
    (distance,) = measure(reference, [corpus], measure.settings(reference), [])
    assert found.estimates["mmd2"] == distance.value
    assert found.estimates["mmd2_wide"] == distance.estimates["mmd2_wide"]


def test_there_is_no_p_without_exchangeable_families() -> None:
    rng = np.random.default_rng(8)
    reference = sample(rng, 60)
    shared = replace(sample(rng, 60), not_exchangeable="3 families stand in the reference as well")
    few, unknown = swapped(reference, sample(rng, 19), shared)
    assert few.value is None and few.undefined_reason == "19 families a side, fewer than 20"
    assert unknown.value is None and unknown.undefined_reason == shared.not_exchangeable
