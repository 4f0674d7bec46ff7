"""The classifier two-sample test: whole families in folds, refits, level and power."""

import numpy as np
import pytest

from services.evaluator.fidelity import Sample
from services.evaluator.fidelity.c2st import TwoSampleAccuracy
from services.evaluator.fidelity.c2st_p import TwoSamplePermutation
from services.evaluator.fidelity.telling_apart import FOLDS, cross_fitted, family_folds, permuted_accuracies


def sample(rng: np.random.Generator, count: int, shift: float = 0.0, per_family: int = 1) -> Sample:
    """Families of near copies around one direction."""
    centres = rng.normal(size=(-(-count // per_family), 8)) + shift * np.eye(8)[0]
    x = np.repeat(centres, per_family, axis=0)[:count] + 0.01 * rng.normal(size=(count, 8))
    unit = (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)
    # Codes do not meet: a family of one sample is none of another.
    return Sample(unit, np.arange(count) // per_family + int(rng.integers(1 << 40)))


def accuracy(reference: Sample, corpus: Sample, seed: int = 0) -> float:
    (found,) = TwoSampleAccuracy()(reference, [corpus], {}, [np.random.default_rng(seed)])
    assert found.value is not None
    return found.value


def test_folds_keep_families_whole_on_both_sides() -> None:
    rng = np.random.default_rng(1)
    real, written = rng.integers(0, 40, 200), rng.integers(20, 70, 150)
    folds = np.concatenate(family_folds(real, written, rng))
    families = np.concatenate([real, written])
    for family in np.unique(families):
        assert len(np.unique(folds[families == family])) == 1
    assert set(folds) == set(range(FOLDS))


def test_permuted_accuracy_is_that_of_a_refit() -> None:
    rng = np.random.default_rng(2)
    folds = np.repeat(np.arange(FOLDS), 8)
    x = rng.normal(size=(40, 6))
    sides = np.stack([rng.permuted(np.tile([-1.0, 1.0], (FOLDS, 4)), axis=1).ravel() for _ in range(12)])
    refitted = [((cross_fitted(x, side > 0, folds) > 0) == (side > 0)).mean() for side in sides]
    np.testing.assert_allclose(permuted_accuracies(x, sides, folds), refitted)


def test_equal_laws_are_told_apart_half_of_the_time() -> None:
    rng = np.random.default_rng(3)
    found = np.array([accuracy(sample(rng, 80), sample(rng, 80), i) for i in range(60)])
    assert abs(found.mean() - 0.5) < 3 * found.std(ddof=1) / np.sqrt(60)


def test_families_of_near_copies_are_no_head_start() -> None:
    rng = np.random.default_rng(4)
    found = np.array(
        [accuracy(sample(rng, 100, per_family=10), sample(rng, 100, per_family=10), i) for i in range(60)]
    )
    # Folds of documents would recognise the copies: near 0.8 in eight dimensions.
    assert abs(found.mean() - 0.5) < 3 * found.std(ddof=1) / np.sqrt(60)


def test_disjoint_laws_are_always_told_apart() -> None:
    rng = np.random.default_rng(5)
    assert accuracy(sample(rng, 60, 30.0), sample(rng, 60, -30.0)) == 1


def test_larger_side_is_cut_to_the_smaller() -> None:
    rng = np.random.default_rng(6)
    (found,) = TwoSampleAccuracy()(sample(rng, 300), [sample(rng, 40)], {}, [rng])
    assert found.sample_count == 40


def test_too_few_families_have_no_folds() -> None:
    rng = np.random.default_rng(7)
    (found,) = TwoSampleAccuracy()(sample(rng, 40), [sample(rng, 40, per_family=10)], {}, [rng])
    assert found.value is None
    assert found.undefined_reason == "4 families a side, fewer than 5"


@pytest.mark.parametrize("per_family", [1, 4])
def test_permutation_keeps_its_level(per_family: int) -> None:
    rng = np.random.default_rng(8)
    found = [
        TwoSamplePermutation()(sample(rng, 220), [sample(rng, 220 * per_family, 0.0, per_family)], {}, [rng])
        for _ in range(60)
    ]
    values = np.array([one.value for (one,) in found], dtype=np.float64)
    # Of 60 at 5 %, more than 8 have a chance of .01.
    assert (values < 0.05).sum() <= 8
    assert 0.35 < values.mean() < 0.65


def test_permutation_finds_another_law() -> None:
    rng = np.random.default_rng(9)
    (found,) = TwoSamplePermutation()(sample(rng, 250), [sample(rng, 250, 1.0)], {}, [rng])
    assert found.value == pytest.approx(0.001)
    assert found.estimates["accuracy"] > 0.6
    assert found.sample_count == 250


def test_no_p_value_under_200_families() -> None:
    rng = np.random.default_rng(10)
    (found,) = TwoSamplePermutation()(sample(rng, 300), [sample(rng, 398, per_family=2)], {}, [rng])
    assert found.value is None
    assert found.undefined_reason == "199 families a side, fewer than 200"


def test_no_p_value_where_families_do_not_hold_what_depends_on_each_other() -> None:
    rng = np.random.default_rng(11)
    written = sample(rng, 250)
    corpus = Sample(written.embeddings, written.families, None, "3 synthetic documents name no source")
    (found,) = TwoSamplePermutation()(sample(rng, 250), [corpus], {}, [rng])
    assert (found.value, found.undefined_reason) == (None, "3 synthetic documents name no source")
