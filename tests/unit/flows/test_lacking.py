"""What a profile does not offer is left out and said so; what a design does not excuse is an error."""

from typing import Any

import pytest

from flows.cells import Grid
from flows.design import Design, GeneratorDesign, Profile, load_design, load_profile
from flows.experiments import EXPERIMENTS
from flows.lacking import lacking, runnable
from flows.stages.context import StudyPlan, plan_study
from services.domain.errors import InvalidInputError

EMBEDDED, PAPER = load_profile("embedded"), load_design("paper")
LINEAR = "tfidf_linear"
# Of an endpoint nothing is asked before documents are: at planning its address may be anybody's.
SERVED = {
    g.name: {"backend": "endpoint", "parameters": {"url": "http://127.0.0.1:9", **g.parameters}}
    for g in PAPER.generators
    if not g.like
}
DOCUMENTS = {"kind": "simulated", "parameters": {}}


def profile(**values: Any) -> Profile:
    return Profile(**{"name": "machine", "services": {}, **values})


def planned(found: Profile, design: Design = PAPER) -> StudyPlan:
    part = runnable(design, found)
    return plan_study(part, found, Grid(part, found, {}))


def test_the_paper_is_declared_whole() -> None:
    assert PAPER.regimes == (165, 825, 1650, 16500)
    models = {str(g.parameters["model"]) for g in PAPER.generators}
    assert len(models) == 6
    for strategy in ("label_conditioned", "paraphrase"):
        written = [g for g in PAPER.generators if g.strategy == strategy and not g.genre]
        assert {g.parameters["model"] for g in written} == models
    assert {v.parameters["checkpoint"] for v in PAPER.variants.values()} == {
        "anferico/bert-for-patents",
        "answerdotai/ModernBERT-base",
    }
    assert len(PAPER.families) == 3
    wanted = {f"a_e{n}" for n in (1, 2, 3, 4, 5, 6, 10, 11)}
    assert {"_".join(name.split("_")[:2]) for name in PAPER.experiments} == wanted


def test_on_packages_alone_every_experiment_of_the_paper_says_what_it_needs() -> None:
    plan = planned(EMBEDDED)
    assert plan.is_empty
    assert set(plan.not_run) == {EXPERIMENTS.get(name).title for name in PAPER.experiments}
    assert all(reason.startswith("needs real documents (") for reason in plan.not_run.values())
    grid = plan.not_run[EXPERIMENTS.get("a_e1_grid").title]
    assert "language models for phi_3_5_mini" in grid
    assert "CUDA for bert_for_patents, modernbert" in grid


def test_with_endpoints_a_device_and_documents_the_paper_is_planned_whole() -> None:
    plan = planned(profile(generators=SERVED, offers=["cuda", "hub"], dataset=DOCUMENTS))
    assert not plan.not_run
    assert plan.experiments == PAPER.experiments
    assert sum(contrast.declared for contrast in plan.contrasts) == 12
    assert {cell.family for cell in plan.cells} == set(PAPER.families)
    assert {cell.arm.generator for cell in plan.cells} == {"", *(g.name for g in PAPER.generators)}


def test_without_a_device_the_linear_family_runs_alone_and_the_rest_says_why() -> None:
    plan = planned(profile(generators=SERVED, dataset=DOCUMENTS))
    assert {cell.family for cell in plan.cells} == {LINEAR}
    assert "needs CUDA" in plan.not_run["Main grid, in part"]
    assert "language model" not in plan.not_run["Main grid, in part"]
    assert not any(contrast.declared for contrast in plan.contrasts)
    # Mixes are of the claims' family, which cannot run.
    assert "bert_for_patents" in plan.not_run[EXPERIMENTS.get("a_e5_fixed_budget").title]


def test_with_documents_alone_what_needs_no_writer_runs() -> None:
    plan = planned(profile(dataset=DOCUMENTS, offers=["cuda", "hub"]))
    assert {cell.arm.generator for cell in plan.cells} == {""}
    assert {search.arm for search in plan.searches} == {"real_only"}
    assert "CUDA" not in str(plan.not_run)
    assert EXPERIMENTS.get("a_e4_fidelity_and_gain").title in plan.not_run


def test_a_missing_backend_stays_an_error_where_the_design_excuses_nothing() -> None:
    design = load_design("smoke").model_copy(update={"generators": (GeneratorDesign(name="oracl"),)})
    assert not lacking(design, EMBEDDED).parts
    with pytest.raises(InvalidInputError, match="'oracl' has no backend"):
        planned(EMBEDDED, design)


def test_another_model_than_the_designs_is_refused() -> None:
    other = {**SERVED, "gemma_2_9b": {"backend": "endpoint", "parameters": {"model": "google/gemma-2-2b-it"}}}
    with pytest.raises(InvalidInputError, match="serves 'google/gemma-2-2b-it'") as error:
        lacking(PAPER, profile(generators=other))
    assert error.value.field == "generators.gemma_2_9b.parameters.model"


def test_a_part_stands_for_the_whole_design() -> None:
    part = runnable(PAPER, EMBEDDED)
    assert part.digest == PAPER.digest
    assert part.whole is PAPER
    assert not part.generators and part.families == (LINEAR,)
    assert runnable(load_design("smoke"), EMBEDDED) == load_design("smoke")


def test_the_profiles_documents_are_for_designs_that_need_some() -> None:
    found = profile(dataset={"kind": "files", "parameters": {"paths": ["patents.jsonl"]}})
    assert runnable(PAPER, found).dataset.parameters == {"paths": ["patents.jsonl"]}
    assert runnable(PAPER, found).dataset.train == PAPER.dataset.train
    assert runnable(load_design("smoke"), found).dataset.kind == "simulated"
    own = PAPER.model_copy(
        update={"dataset": PAPER.dataset.model_copy(update={"parameters": {"paths": ["mine"]}})}
    )
    assert not lacking(own, EMBEDDED).dataset


def test_needs_leave_the_identity_of_cells_alone() -> None:
    smoke = load_design("smoke")
    wanted = EXPERIMENTS.get("a_e1_grid").cells(smoke)
    more = smoke.model_dump()
    more["dataset"]["needs"] = ["documents"]
    more["generators"][0]["needs"] = ["language_model"]
    other = Design(**more)
    assert Grid(smoke, EMBEDDED, {}).cells(wanted) == Grid(other, EMBEDDED, {}).cells(wanted)


def test_two_variants_of_a_family_are_trained_apart() -> None:
    variants = {
        name: {"family": LINEAR, "parameters": {"C": c}} for name, c in (("loose", 10.0), ("tight", 0.1))
    }
    design = Design(
        **{**load_design("smoke").model_dump(), "variants": variants, "families": (LINEAR, *variants)}
    )
    grid = Grid(design, EMBEDDED, {LINEAR: "1"})
    cells = [
        c for c in plan_study(design, EMBEDDED, grid).cells if c.replicate == 0 and c.arm.name == "real_only"
    ]
    here = {c.family: c.id for c in cells if c.regime == 60}
    assert set(here) == {LINEAR, "loose", "tight"} and len(set(here.values())) == 3
    raised = Grid(design, EMBEDDED, {LINEAR: "2"})
    assert all(raised.cell(_wanted(c), 0).id != c.id for c in cells)
    assert design.family_behind("loose") == LINEAR
    assert design.parameters_of("tight") == {"C": 0.1}


@pytest.mark.parametrize(
    ("variants", "words"),
    [
        ({LINEAR: {"family": "frozen_encoder"}}, "is a family already"),
        ({"bert": {"family": "fine_tuned"}}, "of no family 'fine_tuned'"),
        ({"bert": {"family": "fine_tuned_encoder"}}, "not among the families"),
    ],
)
def test_variants_that_make_no_sense_are_refused(variants: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Design(**{**load_design("smoke").model_dump(), "variants": variants})


def test_regimes_may_be_shares_of_the_pool() -> None:
    values = {**load_design("smoke").model_dump(), "regimes": [60, "1:12", "1:1"]}
    assert Design(**values).regimes == (60, 100, 1200)
    with pytest.raises(ValueError, match="regimes"):
        Design(**{**values, "regimes": [60, "10:1"]})


def _wanted(cell: Any) -> Any:
    from flows.cells import Wanted

    return Wanted(cell.regime, cell.arm, cell.family)
