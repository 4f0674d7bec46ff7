"""What every experiment promises: distinct cells, known arms, nothing without its control."""

import pytest

from flows.cells import Grid, batches
from flows.conditions import CONDITIONS
from flows.design import load_design, load_profile
from flows.experiments import EXPERIMENTS
from flows.stages.context import plan_study
from services.classifier.objectives import OBJECTIVES

DESIGN, PROFILE = load_design("full"), load_profile("embedded")
GRID = Grid(DESIGN, PROFILE, {})


@pytest.fixture(params=EXPERIMENTS.names())
def experiment(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_cells_are_distinct_and_their_conditions_exist(experiment: str) -> None:
    cells = GRID.cells(EXPERIMENTS.get(experiment).cells(DESIGN))
    assert len({cell.id for cell in cells}) == len(cells)
    assert {cell.arm.condition for cell in cells} <= set(CONDITIONS.names())


def test_an_arm_stands_beside_its_own_control(experiment: str) -> None:
    for contrast in EXPERIMENTS.get(experiment).contrasts(DESIGN):
        assert (contrast.treatment.regime, contrast.treatment.family) == (
            contrast.control.regime,
            contrast.control.family,
        )
        if contrast.kind == "gain_vs_control":
            assert contrast.control.arm.generator == contrast.treatment.arm.generator


def test_every_raw_gain_has_its_controlled_one() -> None:
    planned = plan_study(DESIGN, PROFILE, GRID).contrasts
    places = {
        kind: {
            (c.treatment.regime, c.treatment.family, c.treatment.arm.name) for c in planned if c.kind == kind
        }
        for kind in ("gain_vs_real", "gain_vs_control")
    }
    assert places["gain_vs_real"]
    assert places["gain_vs_real"] == places["gain_vs_control"]


def test_the_full_study_keeps_within_its_tasks_and_claims() -> None:
    plan = plan_study(DESIGN, PROFILE, GRID)
    tasks = 3 + 2 * DESIGN.replicates + len(batches(plan.cells))
    assert tasks <= 300
    assert sum(contrast.declared for contrast in plan.contrasts) == len(DESIGN.claimed_generators) <= 12
    assert len({contrast.name for contrast in plan.contrasts}) == len(plan.contrasts)


def test_cells_wanted_twice_run_once() -> None:
    plan = plan_study(DESIGN, PROFILE, GRID)
    alone = [GRID.cells(EXPERIMENTS.get(name).cells(DESIGN)) for name in DESIGN.experiments]
    assert len(plan.cells) < sum(map(len, alone))


def test_adding_an_arm_changes_no_other_cell() -> None:
    fewer = DESIGN.model_copy(
        update={
            "generators": DESIGN.generators[:-1],
            "claims": DESIGN.claims.model_copy(update={"generators": ("oracle",)}),
        }
    )
    before = {c.id for c in plan_study(fewer, PROFILE, Grid(fewer, PROFILE, {})).cells}
    after = {c.id for c in plan_study(DESIGN, PROFILE, GRID).cells}
    assert before < after


def test_raising_a_modules_version_changes_its_own_cells_only() -> None:
    plain = {c.id: c for c in plan_study(DESIGN, PROFILE, GRID).cells}
    raised = {c.id for c in plan_study(DESIGN, PROFILE, Grid(DESIGN, PROFILE, {"markov": "99"})).cells}
    changed = [cell for identifier, cell in plain.items() if identifier not in raised]
    assert changed
    assert {cell.arm.generator for cell in changed} == {"markov"}


def test_raising_an_objectives_version_changes_its_own_cells_only(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = {c.id: c for c in plan_study(DESIGN, PROFILE, GRID).cells}
    monkeypatch.setattr(type(OBJECTIVES.get("focal")), "version", 99)
    raised = {c.id for c in plan_study(DESIGN, PROFILE, Grid(DESIGN, PROFILE, {})).cells}
    changed = [cell for identifier, cell in plain.items() if identifier not in raised]
    assert changed
    assert {dict(cell.arm.settings).get("objective") for cell in changed} == {"focal"}
