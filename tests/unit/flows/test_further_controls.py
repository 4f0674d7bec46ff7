"""The further controls of A-E2: which arms they ask for, and what stays as it was."""

from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from flows.cells import Arm, Cell, Grid
from flows.conditions.settings import trained_as
from flows.design import Design, GeneratorDesign, load_design, load_profile
from flows.experiments import EXPERIMENTS
from flows.experiments.a_e2_tuned import FACTORS, TUNED
from flows.report.inputs import ReportInput
from flows.stages.context import plan_study
from flows.stages.estimates import estimates_table
from flows.stages.training import Trained
from services.domain.errors import InvalidInputError
from tests.unit.flows.test_settings import composition
from tests.unit.report.example import example_report

PROFILE = load_profile("embedded")
FURTHER = ("a_e2_unlabelled", "a_e2_deduplicated", "a_e2_tuned")


def design(**changes: Any) -> Design:
    smoke = load_design("smoke").model_dump()
    claims = {"regime": 60, "family": "tfidf_linear", "generators": ("oracle",)}
    return Design(**{**smoke, "claims": claims, "experiments": ("a_e1_grid", "a_e2_controls"), **changes})


def ids(asked: Design) -> set[str]:
    return {cell.id for cell in plan_study(asked, PROFILE, Grid(asked, PROFILE, {})).cells}


@pytest.mark.parametrize("name", FURTHER)
def test_they_add_cells_and_change_none(name: str) -> None:
    before = ids(design())
    assert before < ids(design(experiments=("a_e1_grid", "a_e2_controls", name)))


def test_what_they_cost_in_cells_of_one_replicate() -> None:
    one = {"replicates": 1, "experiments": ("a_e1_grid", "a_e2_controls")}
    before = len(ids(design(**one)))
    added = {
        name: len(ids(design(**{**one, "experiments": (*one["experiments"], name)}))) - before  # type: ignore[misc]
        for name in FURTHER
    }
    # Unlabelled: the arm, and copies drawn evenly. The others: two for each claimed generator; and R*.
    assert added == {"a_e2_unlabelled": 2, "a_e2_deduplicated": 2, "a_e2_tuned": 3}


def test_new_keys_of_a_generator_leave_its_cells_alone_unless_it_shares_a_stock() -> None:
    plain = design()
    (first, *others) = plain.model_dump()["generators"]
    changed = [
        design(generators=[{**first, **keys}, *others]) for keys in ({"over": 2.0}, {"draws": "disjoint"})
    ]
    assert ids(changed[0]) == ids(plain)
    moved = ids(plain) - ids(changed[1])
    cells = plan_study(plain, PROFILE, Grid(plain, PROFILE, {})).cells
    assert {cell.arm.generator for cell in cells if cell.id in moved} == {"oracle"}


def test_a_stock_is_not_shared_between_regimes() -> None:
    made = GeneratorDesign(name="m", backend="markov", scope="regime", regimes=(60,), draws="disjoint")
    with pytest.raises(ValueError, match='draws "disjoint" share out one stock'):
        design(generators=[made.model_dump()], claims={"regime": 60})


def test_unlabelled_text_needs_a_pool_and_folds() -> None:
    unlabelled = EXPERIMENTS.get("a_e2_unlabelled")
    assert unlabelled.requires(design(), PROFILE) == ""
    assert "pool of 1260" in unlabelled.requires(design(synthetic_documents=1200), PROFILE)
    assert "at least 3 folds" in unlabelled.requires(design(folds=2), PROFILE)
    dear = design(families=("fine_tuned_encoder",), claims={"regime": 60, "family": "fine_tuned_encoder"})
    for name in ("a_e2_unlabelled", "a_e2_tuned"):
        assert "needs a family" in EXPERIMENTS.get(name).requires(dear, PROFILE)


def test_every_arm_is_tuned_among_the_same_factors_and_beside_its_plain_self() -> None:
    contrasts = EXPERIMENTS.get("a_e2_tuned").contrasts(design())
    assert {c.kind for c in contrasts} == {"tuned_vs_tuned_control", "tuned_vs_tuned_real", "tuning"}
    (companion,) = [c for c in contrasts if c.kind == "tuned_vs_tuned_control"]
    assert (companion.treatment.arm.condition, companion.control.arm.condition) == ("synthesis", "row_twin")
    assert companion.treatment.arm.settings == companion.control.arm.settings == TUNED
    assert trained_as(TUNED, composition()).plan.strengths == FACTORS
    tuning = {c.treatment.arm.condition: c.control.arm.settings for c in contrasts if c.kind == "tuning"}
    assert tuning == {"synthesis": {}, "row_twin": {}, "real_only": {}}
    assert not any(c.declared for c in contrasts)


def tables(estimates: dict[str, pd.DataFrame]) -> ReportInput:
    return replace(example_report(), findings=estimates)


def cell(arm: Arm, replicate: int) -> Cell:
    return Cell(f"{arm.name}/{replicate}", 60, arm, "tfidf_linear", replicate)


def trained(one: Cell, **estimates: float) -> Trained:
    return Trained(one.id, "", "", 60, 0, 60, estimates, [])


def test_chosen_factors_are_summed_up_over_replicates() -> None:
    arm = Arm("synthesis", "oracle", TUNED)
    cells = [cell(arm, r) for r in range(3)]
    chosen = dict(zip((c.id for c in cells), (0.3, 1.0, 30.0), strict=True))
    found = estimates_table(cells, {c.id: trained(c, strength=chosen[c.id]) for c in cells})
    (row,) = EXPERIMENTS.get("a_e2_tuned").analyse(tables(found), None)["tuned_strengths"].to_dict("records")  # type: ignore[arg-type]
    assert (row["median"], row["least"], row["most"]) == (1.0, 0.3, 30.0)
    assert (row["at_edge"], row["replicate_count"]) == (2, 3)
    assert row["condition"] == "synthesis" and row["generator"] == "oracle"


def test_nothing_counted_leaves_no_table() -> None:
    assert estimates_table([], {}) == {}
    assert EXPERIMENTS.get("a_e2_tuned").analyse(tables({}), None) == {}  # type: ignore[arg-type]
    for name in FURTHER:
        assert EXPERIMENTS.get(name).section(tables({})) is None


def test_what_lists_no_factors_never_reaches_a_plan() -> None:
    with pytest.raises(InvalidInputError, match="factors on C"):
        trained_as({"tuned": "some"}, composition())
