"""The solvers against scikit-learn and against their own identities.

Tolerances: at decrement 1e-9 float32 leaves about 1e-3 on coefficients up to 6 and
less on probabilities. At the default tolerances half the squared Newton decrement,
which estimates the distance to the minimum, is at most 1e-4 of the null loss; real
gaps are a few times that.
"""

from collections.abc import Callable

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from services.classifier.linear import fit_softmax
from services.classifier.solvers.dense import fit_dense
from services.classifier.solvers.kernels import residuals
from services.classifier.solvers.newton import Settings, Solution
from services.classifier.solvers.sparse import fit_sparse

TIGHT = Settings(tolerance=1e-9, iterations=500, memory=10)

Fit = Callable[..., Solution]


def dense(
    features: np.ndarray, truth: np.ndarray, weights: np.ndarray, c: float, *settings: Settings
) -> Solution:
    return fit_dense(features, truth, weights[:, None], c, *settings)


def sparse(
    features: np.ndarray, truth: np.ndarray, weights: np.ndarray, c: float, *settings: Settings
) -> Solution:
    return fit_sparse(sp.csr_array(features), truth, weights, c, *settings)


def problem(n: int, d: int, labels: int = 6, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    features = np.maximum(rng.normal(size=(n, d)), 0) * (rng.random((n, d)) < 0.4)
    features[:, 0] += 0.1
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    margins = 6 * features @ rng.normal(size=(d, labels)) - np.linspace(0, 3, labels)
    truth = rng.random((n, labels)) < expit(margins)
    weights = rng.integers(1, 4, n)
    return features.astype(np.float32), truth, weights.astype(np.float32)


def reference(features: np.ndarray, truth: np.ndarray, weights: np.ndarray, c: float) -> LogisticRegression:
    model = LogisticRegression(C=c, tol=1e-10, max_iter=5000)
    return model.fit(features.astype(np.float64), truth, sample_weight=weights)


def objective(
    features: np.ndarray, y: np.ndarray, weights: np.ndarray, c: float, b: np.ndarray, b0: float
) -> float:
    margins = features.astype(np.float64) @ b.astype(np.float64) + b0
    return float(0.5 * b @ b + c * (weights * (np.logaddexp(0, margins) - y * margins)).sum())


@pytest.mark.parametrize("fit", [dense, sparse])
@pytest.mark.parametrize("shape", [(60, 90), (300, 40)], ids=["n<d", "n>d"])
def test_coefficients_are_those_of_scikit_learn(fit: Fit, shape: tuple[int, int]) -> None:
    features, truth, weights = problem(*shape)
    found = fit(features, truth, weights, 10.0, TIGHT)
    for j, y in enumerate(truth.T):
        model = reference(features, y, weights, 10.0)
        assert np.abs(found.slopes[0, j] - model.coef_[0]).max() < 5e-3
        ours = expit(features @ found.slopes[0, j] + found.intercepts[0, j])
        assert np.abs(ours - model.predict_proba(features)[:, 1]).max() < 1e-3


@pytest.mark.parametrize("fit", [dense, sparse])
@pytest.mark.parametrize("shape", [(60, 90), (300, 40)], ids=["n<d", "n>d"])
def test_default_tolerance_ends_within_half_a_percent_of_the_null_loss(
    fit: Fit, shape: tuple[int, int]
) -> None:
    features, truth, weights = problem(*shape)
    found = fit(features, truth, weights, 10.0)
    for j, y in enumerate(truth.T):
        model = reference(features, y, weights, 10.0)
        least = objective(features, y, weights, 10.0, model.coef_[0], model.intercept_[0])
        ours = objective(features, y, weights, 10.0, found.slopes[0, j], found.intercepts[0, j])
        share = np.average(y, weights=weights)
        null = -10.0 * weights.sum() * (share * np.log(share) + (1 - share) * np.log(1 - share))
        assert -1e-6 < (ours - least) / null < 0.005
    assert not found.unfinished.any()


@pytest.mark.parametrize("fit", [dense, sparse])
def test_weights_are_repeated_rows(fit: Fit) -> None:
    features, truth, weights = problem(80, 50)
    times = weights.astype(int)
    repeated = [np.repeat(array, times, axis=0) for array in (features, truth)]
    ones = np.ones(times.sum(), np.float32)
    weighted, written_out = fit(features, truth, weights, 10.0, TIGHT), fit(*repeated, ones, 10.0, TIGHT)
    assert np.abs(weighted.slopes - written_out.slopes).max() < 2e-3


@pytest.mark.parametrize("fit", [dense, sparse])
def test_k_copies_of_everything_are_k_times_c(fit: Fit) -> None:
    features, truth, _ = problem(80, 50)
    copies = fit(features, truth, np.full(80, 4, np.float32), 2.5, TIGHT)
    larger_c = fit(features, truth, np.ones(80, np.float32), 10.0, TIGHT)
    assert np.abs(copies.slopes - larger_c.slopes).max() < 2e-3


@pytest.mark.parametrize("fit", [dense, sparse])
def test_row_order_does_not_matter(fit: Fit) -> None:
    features, truth, weights = problem(80, 50)
    order = np.random.default_rng(1).permutation(80)
    straight = fit(features, truth, weights, 10.0, TIGHT)
    shuffled = fit(features[order], truth[order], weights[order], 10.0, TIGHT)
    assert np.abs(straight.slopes - shuffled.slopes).max() < 2e-3


@pytest.mark.parametrize("fit", [dense, sparse])
def test_constant_labels_have_constant_scores(fit: Fit) -> None:
    features, truth, weights = problem(40, 20, labels=3)
    truth[:, 0], truth[:, 2] = False, True
    found = fit(features, truth, weights, 10.0)
    assert found.constant.tolist() == [[True, False, True]]
    assert not found.slopes[0, [0, 2]].any()
    assert expit(found.intercepts[0, 0]) < 1e-8
    assert expit(found.intercepts[0, 2]) > 1 - 1e-6


@pytest.mark.parametrize("fit", [dense, sparse])
def test_same_input_gives_same_bits(fit: Fit) -> None:
    first, second = (fit(*problem(120, 60), 10.0) for _ in range(2))
    assert first.slopes.tobytes() == second.slopes.tobytes()


def test_folds_fitted_together_are_folds_fitted_alone() -> None:
    features, truth, weights = problem(200, 40)
    fold = np.arange(200) % 4
    stacked = np.stack([weights, *(np.where(fold == k, 0, weights) for k in range(4))], axis=1)
    together = fit_dense(features, truth, stacked.astype(np.float32), 10.0, TIGHT)
    for k in range(4):
        kept = fold != k
        alone = dense(features[kept], truth[kept], weights[kept], 10.0, TIGHT)
        assert np.abs(together.slopes[k + 1] - alone.slopes[0]).max() < 5e-3


def test_held_out_truth_changes_nothing_in_its_fold() -> None:
    features, truth, weights = problem(100, 30)
    stacked = np.stack([weights, np.where(np.arange(100) < 20, 0, weights)], axis=1).astype(np.float32)
    flipped = truth.copy()
    flipped[:20] = ~flipped[:20]
    fits = [fit_dense(features, t, stacked, 10.0, TIGHT) for t in (truth, flipped)]
    # Not to the bit: columns that finish earlier change the shapes of the products.
    assert np.abs(fits[0].slopes[1] - fits[1].slopes[1]).max() < 2e-3
    assert np.abs(fits[0].slopes[0] - fits[1].slopes[0]).max() > 0.5


def test_features_without_columns_leave_the_prior() -> None:
    _, truth, weights = problem(50, 5)
    found = sparse(np.zeros((50, 0), np.float32), truth, weights, 10.0)
    shares = weights @ truth / weights.sum()
    assert expit(found.intercepts[0]) == pytest.approx(shares, abs=1e-6)


def test_compiled_sigmoid_is_exact_to_float32() -> None:
    margins = np.linspace(-30, 30, 20001, dtype=np.float32)[:, None]
    still, out = np.zeros_like(margins), np.empty_like(margins)
    ones, step = np.ones_like(margins), np.zeros(1, np.float32)
    residuals(margins.copy(), still, step, still, ones, np.array([0, 1]), out)
    assert np.abs(out - expit(margins.astype(np.float64))).max() < 2e-7


def single_label_problem() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    features, truth, weights = problem(120, 20, labels=4)
    return features, np.eye(4, dtype=bool)[truth.argmax(axis=1)], weights


@pytest.mark.parametrize("as_matrix", [np.asarray, sp.csr_array])
def test_single_label_scores_are_scikit_learns(as_matrix: Callable[[np.ndarray], object]) -> None:
    features, truth, weights = single_label_problem()
    head = fit_softmax(as_matrix(features), truth, weights, 10.0)
    model = LogisticRegression(C=10.0, max_iter=1000, tol=1e-8).fit(features, truth.argmax(axis=1), weights)
    assert head.scores(features) == pytest.approx(model.predict_proba(features), abs=5e-3)


@pytest.mark.parametrize("present", [[2], [1, 3], [0, 1, 3]])
def test_absent_classes_are_scored_and_never_win(present: list[int]) -> None:
    features, truth, weights = single_label_problem()
    rows = np.isin(truth.argmax(axis=1), present)
    head = fit_softmax(features, truth, np.where(rows, weights, 0).astype(np.float32), 10.0)
    scores = head.scores(features)
    absent = [j for j in range(4) if j not in present]
    assert scores.sum(axis=1) == pytest.approx(1, abs=1e-5)
    assert scores[:, absent].max() < 1e-5
    assert head.constant >= len(absent)


def test_two_classes_score_as_one_binary_model() -> None:
    features, truth, weights = problem(100, 20, labels=1)
    two = np.concatenate([~truth, truth], axis=1)
    head = fit_softmax(features, two, weights, 10.0)
    binary = reference(features, truth[:, 0], weights, 10.0)
    assert head.scores(features) == pytest.approx(binary.predict_proba(features), abs=5e-3)
