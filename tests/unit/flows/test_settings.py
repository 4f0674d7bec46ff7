"""The settings that every condition takes."""

import numpy as np
import pytest

from flows.conditions import Composition, single_stage
from flows.conditions.settings import WEIGHT_FACTOR, trained_as
from services.domain.errors import InvalidInputError
from services.domain.plan import Part, TrainingPlan


def composition() -> Composition:
    part = Part("real", np.arange(4), np.array([1, 2, 1, 4], dtype=np.float32), scored=True)
    return Composition(single_stage(part), {"without_donor_share": 0.5})


def test_without_settings_the_plan_is_the_same() -> None:
    assert trained_as({"share": 0.5}, composition()).plan.digest == composition().plan.digest


def test_an_objective_changes_the_loss_and_nothing_else() -> None:
    (stage,) = trained_as({"objective": "focal"}, composition()).plan.stages
    assert stage.objective == "focal"
    assert stage.document_count == 8


def test_a_budget_is_the_sum_of_all_weights_and_keeps_their_proportions() -> None:
    changed = trained_as({"budget": 24}, composition())
    (stage,) = changed.plan.stages
    assert stage.document_count == pytest.approx(24)
    assert stage.parts[0].weights.tolist() == [3, 6, 3, 12]
    assert changed.estimates == {"without_donor_share": 0.5, WEIGHT_FACTOR: 3.0}


def test_a_budget_of_nothing_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="positive number"):
        trained_as({"budget": 0}, composition())


def test_tuned_lists_strengths_and_leaves_weights_alone() -> None:
    changed = trained_as({"tuned": "0.25,1,4"}, composition())
    assert changed.plan.strengths == (0.25, 1.0, 4.0)
    assert TrainingPlan(changed.plan.stages).digest == composition().plan.digest
    assert changed.plan.digest != composition().plan.digest
    assert trained_as({"tuned": "1,4"}, composition()).plan.digest != changed.plan.digest


@pytest.mark.parametrize("written", ["weak", "1;4", "0,1", "1,1"])
def test_what_lists_no_factors_is_refused(written: str) -> None:
    with pytest.raises(InvalidInputError, match=r"factors on C|distinct positive"):
        trained_as({"tuned": written}, composition())
