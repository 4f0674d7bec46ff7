"""Objectives against their formulas, written out in numpy for one small batch."""

import numpy as np
import pytest
import torch
from scipy.special import expit, log_softmax

from services.classifier.objectives import OBJECTIVES, Counts, Objective
from services.classifier.solvers.objectives import element_weights
from services.classifier.stage_objective import read_objective
from services.domain.task import TaskType

MULTI, SINGLE = TaskType.MULTI_LABEL, TaskType.SINGLE_LABEL

Z = np.array([[0.5, -2.0, 3.0], [-1.0, 0.0, -4.0], [2.5, 1.0, -0.3], [-3.5, 0.2, 0.1]])
Y = np.array([[1, 0, 1], [0, 1, 0], [1, 1, 0], [0, 0, 1]], dtype=bool)
ONE = np.eye(3, dtype=bool)[[2, 0, 1, 1]]
# The batch is part of a training set of 40 documents, copies counted.
COUNTS = Counts(MULTI, np.array([20.0, 4.0, 1.0]), 40.0)
CLASSES = Counts(SINGLE, np.array([25.0, 10.0, 5.0]), 40.0)
P = expit(Z)
PLAIN = -np.where(Y, np.log(P), np.log(1 - P))


def losses(objective: Objective, truth: np.ndarray = Y, counts: Counts = COUNTS) -> np.ndarray:
    found = objective.losses(torch.tensor(Z), torch.tensor(truth.astype(float)), counts)
    return np.asarray(found.numpy())


def named(written: str, task_type: TaskType = MULTI) -> Objective:
    return read_objective(written, task_type)


def test_log_loss() -> None:
    assert losses(named("log_loss")) == pytest.approx(PLAIN, rel=1e-12)
    softmax = np.where(ONE, -log_softmax(Z, axis=1), 0)
    assert losses(named("log_loss", SINGLE), ONE, CLASSES) == pytest.approx(softmax, rel=1e-12)


def test_positive_weights() -> None:
    ratio = np.array([20 / 20, 36 / 4, 39 / 1])
    assert losses(named("positive_weights")) == pytest.approx(np.where(Y, ratio, 1) * PLAIN, rel=1e-12)
    root = np.where(Y, np.sqrt(ratio), 1) * PLAIN
    assert losses(named("positive_weights(power=0.5)")) == pytest.approx(root, rel=1e-12)


def test_class_balanced() -> None:
    def effective(n: np.ndarray) -> np.ndarray:
        return np.asarray((1 - 0.99**n) / 0.01)

    positive, negative = 1 / effective(COUNTS.positives), 1 / effective(40 - COUNTS.positives)
    scale = 2 / (positive + negative)
    expected = np.where(Y, positive * scale, negative * scale) * PLAIN
    assert losses(named("class_balanced(beta=0.99)")) == pytest.approx(expected, rel=1e-12)
    weights = 3 / effective(CLASSES.positives) / (1 / effective(CLASSES.positives)).sum()
    softmax = np.where(ONE, -weights * log_softmax(Z, axis=1), 0)
    assert losses(named("class_balanced(beta=0.99)", SINGLE), ONE, CLASSES) == pytest.approx(
        softmax, rel=1e-12
    )


def test_class_balanced_goes_from_log_loss_to_inverse_frequency() -> None:
    assert losses(named("class_balanced(beta=0)")) == pytest.approx(PLAIN, rel=1e-12)
    near_one = losses(named("class_balanced(beta=0.9999999)")) / PLAIN
    assert near_one[Y[:, 1], 1] / near_one[~Y[:, 1], 1] == pytest.approx(36 / 4, rel=1e-4)


def test_focal() -> None:
    truth_probability = np.where(Y, P, 1 - P)
    assert losses(named("focal")) == pytest.approx((1 - truth_probability) ** 2 * PLAIN, rel=1e-10)
    q = np.exp(log_softmax(Z, axis=1))
    softmax = np.where(ONE, -((1 - q) ** 2) * np.log(q), 0)
    assert losses(named("focal", SINGLE), ONE, CLASSES) == pytest.approx(softmax, rel=1e-10)


def test_asymmetric() -> None:
    q = np.maximum(P - 0.05, 0)
    expected = np.where(Y, -(1 - P) * np.log(P), -(q**4) * np.log(1 - q))
    assert losses(named("asymmetric")) == pytest.approx(expected, rel=1e-10, abs=1e-300)
    # Its probability is .018, below the margin.
    assert losses(named("asymmetric"))[1, 2] == 0


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=["float64", "float32"])
@pytest.mark.parametrize("clip", [0.0, 1e-12, 1e-8, 1e-7, 0.05, 0.5, 0.99])
def test_asymmetric_far_from_the_middle(clip: float, dtype: torch.dtype) -> None:
    """In 32 bits p - clip rounds to 1 from a logit of 17 on where the clip is small."""
    logits = torch.linspace(-40, 40, 161, dtype=dtype)[:, None].requires_grad_()
    for truth in (0.0, 1.0):
        targets = torch.full_like(logits, truth)
        found = named(f"asymmetric(clip={clip!r})").losses(logits, targets, COUNTS)
        (slope,) = torch.autograd.grad(found.sum(), logits)
        assert torch.isfinite(found).all() and torch.isfinite(slope).all()
        z = logits.detach().double().numpy()
        # 1 - q = (1 - p) + clip, where that is below 1.
        remaining = -np.log(np.minimum(expit(-z) + clip, 1)) if clip else np.logaddexp(0, z)
        q = np.maximum(expit(z) - clip, 0)
        expected = expit(-z) * np.logaddexp(0, -z) if truth else q**4 * remaining
        tolerance = 1e-9 if dtype is torch.float64 else 1e-4
        assert found.detach().numpy() == pytest.approx(expected, rel=tolerance, abs=1e-7)


def test_asymmetric_without_its_asymmetry_is_focal_loss() -> None:
    even = named("asymmetric(gamma_negative=2, gamma_positive=2, clip=0)")
    assert losses(even) == pytest.approx(losses(named("focal")), rel=1e-10)


def test_distribution_balanced() -> None:
    inverse = np.array([1 / 20, 1 / 4, 1 / 1])
    # Per document: the summed inverse counts of its own labels.
    expected_draws = np.array([1 / 20 + 1, 1 / 4, 1 / 20 + 1 / 4, 1])[:, None]
    weight = 0.1 + 1 / (1 + np.exp(-10 * (inverse / expected_draws - 0.2)))
    share = np.array([20, 4, 1]) / 40
    prior_logit = -np.log(1 / share - 1)
    m = Z + 0.05 * prior_logit
    expected = weight * np.where(Y, np.log1p(np.exp(-m)), np.log1p(np.exp(5 * m)) / 5)
    assert losses(named("distribution_balanced")) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("written", ["log_loss", "positive_weights", "class_balanced"])
def test_element_weights_are_the_factors_of_log_loss(written: str) -> None:
    weights = element_weights(named(written), Y, COUNTS)
    assert weights * PLAIN == pytest.approx(losses(named(written)), rel=1e-6)


def test_element_weights_of_one_label_are_those_of_documents() -> None:
    weights = element_weights(named("class_balanced", SINGLE), ONE, CLASSES)
    assert (weights == weights[:, :1]).all()
    assert weights[1, 0] < weights[2, 0] < weights[0, 0]


def test_copies_count() -> None:
    counts = Counts.of(MULTI, Y, np.array([2, 1, 0, 3], np.float32))
    assert counts.positives.tolist() == [2, 1, 5]
    assert counts.total == 6


def test_constants_read_back_in_any_spelling() -> None:
    assert named(" focal( gamma = 3 ) ") == named("focal(gamma=3.0)")
    assert named("focal()") == OBJECTIVES.get("focal")
