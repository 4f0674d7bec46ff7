"""The second solver: where the first one ends, and at rest."""

from collections.abc import Callable

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from scipy.special import expit

from services.classifier.linear import Head, fit_softmax, fit_softmax_under, heads_of
from services.classifier.objectives import OBJECTIVES, Counts, Objective
from services.classifier.solvers.dense import fit_dense, rotate
from services.classifier.solvers.newton import CONSTANT_LOGIT, Settings, Solution, solve
from services.classifier.solvers.objectives import Under
from services.classifier.solvers.sparse import fit_sparse
from services.classifier.stage_objective import read_objective
from services.domain.task import TaskType
from tests.unit.classifier.test_solvers import problem, single_label_problem

TIGHT = Settings(tolerance=1e-10, iterations=1000, memory=10)
C = 10.0
SHAPED = [name for name in OBJECTIVES.names() if not OBJECTIVES.get(name).reweights]
REWEIGHTED = ["positive_weights", "class_balanced"]

Fit = Callable[..., Solution]


def dense(features: np.ndarray, truth: np.ndarray, weights: np.ndarray, method: Fit) -> Solution:
    return fit_dense(features, truth, weights[:, None], C, TIGHT, method=method)


def sparse(features: np.ndarray, truth: np.ndarray, weights: np.ndarray, method: Fit) -> Solution:
    return fit_sparse(sp.csr_array(features), truth, weights, C, TIGHT, method=method)


def under(name: str) -> Under:
    return Under(read_objective(name, TaskType.MULTI_LABEL), TIGHT)


def cost_and_slope(
    head: Head, features: np.ndarray, truth: np.ndarray, weights: np.ndarray, objective: Objective
) -> tuple[float, np.ndarray]:
    """Return |b|²/2 + C·Σ w·loss and its gradient, by autograd from the definition."""
    x, y = torch.tensor(features, dtype=torch.float64), torch.tensor(truth.astype(float))
    table = torch.tensor(np.column_stack([head.slopes, head.intercepts]), dtype=torch.float64)
    table.requires_grad_()
    counts = Counts.of(head.type, truth, weights)
    elements = objective.losses(x @ table[:, :-1].T + table[:, -1], y, counts)
    cost = table[:, :-1].square().sum() / 2 + C * (torch.tensor(weights)[:, None] * elements).sum()
    (slope,) = torch.autograd.grad(cost, table)
    return cost.item(), slope.numpy()


@pytest.mark.parametrize("fit", [dense, sparse])
@pytest.mark.parametrize("shape", [(60, 90), (300, 40)], ids=["n<d", "n>d"])
def test_log_loss_from_zero_ends_where_the_first_solver_ends(fit: Fit, shape: tuple[int, int]) -> None:
    features, truth, weights = problem(*shape)

    def from_zero(design, truth, weights, strength, settings):  # type: ignore[no-untyped-def]
        labels = truth.shape[1]
        zero = np.zeros((1, labels, len(design.diagonal)), np.float32)
        start = Solution(zero, zero[..., 0], np.zeros((1, labels), bool), np.zeros(1, np.int64))
        return under("log_loss").improve(design, truth, weights, strength, start)

    first, second = (heads_of(fit(features, truth, weights, method))[0] for method in (solve, from_zero))
    assert second.scores(features) == pytest.approx(first.scores(features), abs=1e-3)
    assert second.unfinished == 0


@pytest.mark.parametrize("fit", [dense, sparse])
@pytest.mark.parametrize("name", SHAPED)
def test_it_ends_at_rest_and_below_its_start(fit: Fit, name: str) -> None:
    features, truth, weights = problem(300, 40)
    method = under(name)
    start = heads_of(fit(features, truth, weights, solve))[0]
    end = heads_of(fit(features, truth, weights, method))[0]
    before, steep = cost_and_slope(start, features, truth, weights, method.objective)
    after, flat = cost_and_slope(end, features, truth, weights, method.objective)
    assert after < before
    assert np.linalg.norm(flat) < 2e-3 * np.linalg.norm(steep)
    assert end.unfinished == 0


@pytest.mark.parametrize("fit", [dense, sparse])
@pytest.mark.parametrize("name", REWEIGHTED)
def test_reweighted_log_loss_is_solved_by_the_convex_solver(fit: Fit, name: str) -> None:
    features, truth, weights = problem(300, 40)
    method = under(name)
    start = heads_of(fit(features, truth, weights, solve))[0]
    end = heads_of(fit(features, truth, weights, method))[0]
    _, steep = cost_and_slope(start, features, truth, weights, method.objective)
    _, flat = cost_and_slope(end, features, truth, weights, method.objective)
    assert np.linalg.norm(flat) < 2e-3 * np.linalg.norm(steep)


def test_integer_weights_of_positives_are_repeated_documents() -> None:
    """Where a quarter is positive, balancing is to train on every positive three times."""
    features, _, _ = problem(80, 30)
    truth = (np.arange(80) % 4 == 0)[:, None]
    times = np.where(truth[:, 0], 3, 1)
    balanced = dense(features, truth, np.ones(80, np.float32), under("positive_weights"))
    repeated = dense(
        np.repeat(features, times, axis=0),
        np.repeat(truth, times, axis=0),
        np.ones(times.sum(), np.float32),
        solve,
    )
    assert np.abs(balanced.slopes - repeated.slopes).max() < 2e-3


def test_folds_count_for_themselves() -> None:
    features, truth, weights = problem(200, 40)
    held_out = np.where(np.arange(200) < 60, 0, weights).astype(np.float32)
    for name in ("focal", "distribution_balanced", "positive_weights"):
        both = fit_dense(features, truth, np.stack([weights, held_out], axis=1), C, TIGHT, method=under(name))
        alone = dense(features[60:], truth[60:], weights[60:], under(name))
        scores = [expit(features @ s.slopes[-1].T + s.intercepts[-1]) for s in (both, alone)]
        assert np.abs(scores[0] - scores[1]).max() < 5e-3


def test_weights_are_repeated_rows() -> None:
    features, truth, weights = problem(80, 50)
    more, labels = (np.repeat(array, weights.astype(int), axis=0) for array in (features, truth))
    ones = np.ones(len(more), np.float32)
    for name in (*SHAPED, *REWEIGHTED):
        weighted = dense(features, truth, weights, under(name))
        assert np.abs(weighted.slopes - dense(more, labels, ones, under(name)).slopes).max() < 5e-3


@pytest.mark.parametrize("name", [*SHAPED, *REWEIGHTED])
def test_constant_labels_stay_constant(name: str) -> None:
    features, truth, weights = problem(40, 20, labels=3)
    truth[:, 0], truth[:, 2] = False, True
    found = dense(features, truth, weights, under(name))
    assert found.constant.tolist() == [[True, False, True]]
    assert not found.slopes[0, [0, 2]].any()
    assert np.abs(found.intercepts[0, [0, 2]]) == pytest.approx(CONSTANT_LOGIT)


@pytest.mark.parametrize("name", SHAPED)
def test_same_input_gives_same_bits(name: str) -> None:
    first, second = (dense(*problem(120, 60), under(name)) for _ in range(2))
    assert first.slopes.tobytes() == second.slopes.tobytes()


@pytest.mark.parametrize("as_matrix", [np.asarray, sp.csr_array])
def test_softmax_focal_loss_ends_at_rest(as_matrix: Callable[[np.ndarray], object]) -> None:
    features, truth, weights = single_label_problem()
    objective = read_objective("focal", TaskType.SINGLE_LABEL)
    start = fit_softmax(features, truth, weights, C)
    end = fit_softmax_under(as_matrix(features), truth, weights, C, objective)
    before, steep = cost_and_slope(start, features, truth, weights, objective)
    after, flat = cost_and_slope(end, features, truth, weights, objective)
    assert after < before
    assert np.linalg.norm(flat) < 5e-2 * np.linalg.norm(steep)
    assert end.scores(features).sum(axis=1) == pytest.approx(1, abs=1e-5)


def test_softmax_reweighting_is_scikit_learns_class_weight() -> None:
    from sklearn.linear_model import LogisticRegression

    features, truth, weights = single_label_problem()
    objective = read_objective("class_balanced(beta=0.9999999)", TaskType.SINGLE_LABEL)
    ours = fit_softmax_under(features, truth, weights, C, objective)
    inverse = 1 / (weights @ truth)
    classes = dict(enumerate(inverse / inverse.mean()))
    theirs = LogisticRegression(C=C, max_iter=1000, tol=1e-8, class_weight=classes)
    theirs.fit(features, truth.argmax(axis=1), weights)
    assert ours.scores(features) == pytest.approx(theirs.predict_proba(features), abs=5e-3)


def test_rotation_is_undone() -> None:
    features, truth, weights = problem(50, 80)
    design = rotate(features, weights)
    found = solve(design, truth, weights[:, None], C, TIGHT)
    outside = design.unrotate(found)
    inside = design.margins(found.slopes[0]) + found.intercepts[0]
    assert features @ outside.slopes[0].T + outside.intercepts[0] == pytest.approx(inside, abs=1e-4)
