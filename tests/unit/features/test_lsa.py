"""Latent semantics learn from training texts only."""

import numpy as np
import pytest

from services.domain.errors import InvalidInputError
from services.features.lsa import LsaModel, fit_lsa, lsa_from_arrays, lsa_to_arrays, transform_lsa

TRAINING = (
    "wheel chair with powered wheels",
    "powered wheel for a chair",
    "hearing aid with microphone",
    "microphone array for hearing",
    "braille display for reading",
    "reading aid with braille keys",
)


@pytest.fixture(scope="module")
def model() -> LsaModel:
    return fit_lsa(TRAINING, 4, np.random.default_rng(1))


def test_rows_have_unit_length(model: LsaModel) -> None:
    vectors = transform_lsa(model, TRAINING)
    assert vectors.shape == (6, 4)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


def test_texts_on_one_subject_are_nearer(model: LsaModel) -> None:
    similar = transform_lsa(model, TRAINING) @ transform_lsa(model, TRAINING).T
    assert similar[0, 1] > similar[0, 2:].max()


def test_unknown_terms_give_the_zero_vector(model: LsaModel) -> None:
    assert not transform_lsa(model, ["zygomorphic quux"]).any()


def test_same_stream_gives_the_same_space(model: LsaModel) -> None:
    again = fit_lsa(TRAINING, 4, np.random.default_rng(1))
    np.testing.assert_array_equal(again.components, model.components)


def test_arrays_hold_the_whole_model(model: LsaModel) -> None:
    again = lsa_from_arrays(lsa_to_arrays(model))
    np.testing.assert_array_equal(transform_lsa(again, TRAINING), transform_lsa(model, TRAINING))


def test_copies_of_a_text_teach_nothing() -> None:
    once = fit_lsa(TRAINING, 4, np.random.default_rng(1))
    twice = fit_lsa(TRAINING * 3, 4, np.random.default_rng(1))
    np.testing.assert_array_equal(once.components, twice.components)


@pytest.mark.parametrize("texts", [["a", "b"], ["one text"], ["wheel chair", "wheel chair"]])
def test_too_little_text_is_refused(texts: list[str]) -> None:
    with pytest.raises(InvalidInputError, match="LSA"):
        fit_lsa(texts, 4, np.random.default_rng(1))
