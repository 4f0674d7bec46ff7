"""What every objective keeps, plug-ins included."""

import numpy as np
import pytest
import torch

from services.classifier.objectives import OBJECTIVES, Counts, Objective
from services.classifier.parameters import parameter_values, parameters_schema
from services.classifier.solvers.objectives import element_weights
from services.classifier.stage_objective import read_objective
from services.domain.errors import InvalidInputError
from services.domain.task import TaskType

PAIRS = [(name, t) for name in OBJECTIVES.names() for t in OBJECTIVES.get(name).types]
REFUSED = [(name, t) for name in OBJECTIVES.names() for t in TaskType if t not in OBJECTIVES.get(name).types]

defined = pytest.mark.parametrize(("name", "task_type"), PAIRS)


def batch(task_type: TaskType, rows: int = 12) -> tuple[torch.Tensor, torch.Tensor, Counts]:
    """Return logits, targets and counts; label 3 is in no document, and every document has a label."""
    rng = np.random.default_rng(0)
    truth = np.eye(4, dtype=bool)[rng.integers(0, 3, rows)]
    if task_type is TaskType.MULTI_LABEL:
        truth |= (rng.random((rows, 4)) < 0.3) & (np.arange(4) < 3)
    weights = rng.integers(1, 4, rows).astype(np.float32)
    return (
        torch.tensor(rng.normal(size=(rows, 4))),
        torch.tensor(truth.astype(float)),
        Counts.of(task_type, truth, weights),
    )


@pytest.mark.parametrize("name", OBJECTIVES.names())
def test_it_describes_itself(name: str) -> None:
    objective: Objective = OBJECTIVES.get(name)
    assert objective.description and objective.types
    assert objective.version >= 1
    schema = parameters_schema(type(objective))
    assert set(parameter_values(objective)) == set(schema["properties"])


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=["float64", "float32"])
@defined
def test_losses_are_finite_and_not_negative(name: str, task_type: TaskType, dtype: torch.dtype) -> None:
    logits, targets, counts = batch(task_type)
    for scale in (0, 1, 10, 1e4):
        leaf = (logits * scale).to(dtype).requires_grad_()
        losses = OBJECTIVES.get(name).losses(leaf, targets.to(dtype), counts)
        assert losses.shape == logits.shape
        assert (losses >= 0).all() and torch.isfinite(losses).all()
        (slope,) = torch.autograd.grad(losses.sum(), leaf)
        assert torch.isfinite(slope).all()


@defined
def test_slopes_are_those_of_the_losses(name: str, task_type: TaskType) -> None:
    logits, targets, counts = batch(task_type)
    leaf = logits.clone().requires_grad_()
    objective = OBJECTIVES.get(name)
    assert torch.autograd.gradcheck(lambda z: objective.losses(z, targets, counts), leaf)


@defined
def test_better_logits_cost_less(name: str, task_type: TaskType) -> None:
    _, targets, counts = batch(task_type)
    right = 6 * targets - 3
    objective = OBJECTIVES.get(name)
    costs = [objective.losses(factor * right, targets, counts).sum() for factor in (1, 0, -1)]
    assert costs[0] < costs[1] < costs[2]


@defined
def test_a_batch_costs_what_its_documents_cost(name: str, task_type: TaskType) -> None:
    logits, targets, counts = batch(task_type)
    objective = OBJECTIVES.get(name)
    whole = objective.losses(logits, targets, counts)
    parts = [objective.losses(logits[i : i + 1], targets[i : i + 1], counts) for i in range(len(logits))]
    assert torch.allclose(whole, torch.cat(parts), rtol=1e-12)


@defined
def test_it_keeps_the_logits_precision(name: str, task_type: TaskType) -> None:
    logits, targets, counts = batch(task_type)
    objective = OBJECTIVES.get(name)
    exact, single = (
        objective.losses(logits.to(d), targets.to(d), counts) for d in (torch.float64, torch.float32)
    )
    assert single.dtype is torch.float32
    assert torch.allclose(single.double(), exact, rtol=1e-4, atol=1e-6)


@defined
def test_reweighting_knows_no_logits(name: str, task_type: TaskType) -> None:
    logits, targets, counts = batch(task_type)
    objective = OBJECTIVES.get(name)
    plain = OBJECTIVES.get("log_loss").losses(logits, targets, counts)
    weights = element_weights(objective, targets.numpy().astype(bool), counts)
    said = objective.losses(logits, targets, counts).numpy()
    agrees = np.allclose(weights * plain.numpy(), said, rtol=1e-5, atol=1e-8)
    assert agrees is objective.reweights


@pytest.mark.parametrize("name", [name for name, t in PAIRS if t is TaskType.MULTI_LABEL])
def test_a_labels_loss_depends_on_its_own_logit(name: str) -> None:
    logits, targets, counts = batch(TaskType.MULTI_LABEL)
    objective = OBJECTIVES.get(name)
    moved = logits.clone()
    moved[:, 1] += 1
    before, after = (objective.losses(z, targets, counts) for z in (logits, moved))
    others = [0, 2, 3]
    assert torch.equal(before[:, others], after[:, others])
    assert not torch.equal(before[:, 1], after[:, 1])


@pytest.mark.parametrize("name", [name for name, t in PAIRS if t is TaskType.SINGLE_LABEL])
def test_a_document_of_one_label_pays_in_that_column(name: str) -> None:
    logits, targets, counts = batch(TaskType.SINGLE_LABEL)
    losses = OBJECTIVES.get(name).losses(logits, targets, counts)
    assert ((losses > 0) == (targets > 0)).all()


@pytest.mark.parametrize(("name", "task_type"), REFUSED)
def test_it_is_refused_where_it_is_not_defined(name: str, task_type: TaskType) -> None:
    with pytest.raises(InvalidInputError, match="is not defined for") as caught:
        read_objective(name, task_type)
    assert caught.value.field == "objective"
