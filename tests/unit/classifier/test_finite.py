"""What is no number ends a linear fit with an error, and never passes for its end."""

from collections.abc import Callable

import numpy as np
import pytest
import scipy.sparse as sp

from services.classifier.families.frozen_encoder import EncoderParameters
from services.classifier.families.tfidf_linear import TfidfParameters
from services.classifier.objectives import OBJECTIVES
from services.classifier.parameters import read_parameters
from services.classifier.solvers.dense import fit_dense
from services.classifier.solvers.objectives import Under
from services.classifier.solvers.sparse import fit_sparse
from services.domain.errors import InvalidInputError, PreconditionError

ROWS = 40
TRUTH = np.random.default_rng(1).random((ROWS, 3)) < 0.4
FEATURES = np.random.default_rng(2).normal(size=(ROWS, 6)).astype(np.float32)


def weights(value: float = 1.0) -> np.ndarray:
    return np.full(ROWS, value, np.float32)


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e30])
def test_dense_features_without_end_are_refused(value: float) -> None:
    broken = FEATURES.copy()
    broken[3, 2] = value
    with pytest.raises(PreconditionError, match="a sum of squared features of a linear model is"):
        fit_dense(broken, TRUTH, weights()[:, None], 1.0)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_sparse_features_without_end_are_refused(value: float) -> None:
    broken = FEATURES.copy()
    broken[3, 2] = value
    with pytest.raises(PreconditionError, match="of the loss of a linear model is"):
        fit_sparse(sp.csr_array(broken), TRUTH, weights(), 1.0)


@pytest.mark.parametrize("method", [None, "focal", "asymmetric", "class_balanced"])
@pytest.mark.parametrize("fit", ["sparse", "dense"])
def test_weights_whose_sum_has_no_end_are_refused_under_every_objective(method: str | None, fit: str) -> None:
    chosen = {} if method is None else {"method": Under(OBJECTIVES.get(method))}
    solve: Callable[[], object] = (
        (lambda: fit_sparse(sp.csr_array(FEATURES), TRUTH, weights(3e38), 1.0, **chosen))  # type: ignore[arg-type]
        if fit == "sparse"
        else (lambda: fit_dense(FEATURES, TRUTH, weights(3e38)[:, None], 1.0, **chosen))  # type: ignore[arg-type]
    )
    with pytest.raises(PreconditionError, match="scale them, features to unit length and C to about 1"):
        solve()


def test_the_largest_strength_still_fits() -> None:
    for strength in (1e-9, 1e9):
        found = fit_dense(FEATURES, TRUTH, weights()[:, None], strength)
        assert np.isfinite(found.slopes).all() and np.isfinite(found.intercepts).all()


@pytest.mark.parametrize("family", [TfidfParameters, EncoderParameters])
@pytest.mark.parametrize("strength", [1e-10, 1e10, 1e300])
def test_a_strength_beyond_32_bits_is_refused(family: type[TfidfParameters], strength: float) -> None:
    with pytest.raises(InvalidInputError, match=r"C has to be above 0, from 1e-09 to 1e\+09, not") as caught:
        read_parameters(family, {"C": strength}, "family")
    assert caught.value.field == "parameters.C"


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), 10**400])
def test_numbers_without_end_are_refused_whoever_reads_them(value: float) -> None:
    with pytest.raises(InvalidInputError, match="'C' is a finite number") as caught:
        read_parameters(TfidfParameters, {"C": value}, "tfidf_linear")
    assert caught.value.field == "parameters.C"


def test_endless_ngrams_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="ngrams has to be above 0, from 1 to 5, not 1e"):
        read_parameters(TfidfParameters, {"ngrams": 10**9}, "tfidf_linear")
