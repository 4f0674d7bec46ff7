"""What single experiments ask for."""

from pathlib import Path
from typing import Any

import pytest

from flows.cells import Grid
from flows.design import Design, GeneratorDesign, load_design, load_profile
from flows.experiments import EXPERIMENTS

PROFILE = load_profile("embedded")


def design(**changes: Any) -> Design:
    return Design(**{**load_design("smoke").model_dump(), "families": ("tfidf_linear",), **changes})


def generator(name: str, **settings: Any) -> dict[str, Any]:
    return GeneratorDesign(name=name, **settings).model_dump()


def test_remedies_keep_to_the_regimes_documents_but_for_oversampling() -> None:
    contrasts = EXPERIMENTS.get("a_e3_remedies").contrasts(design())
    remedies = [c for c in contrasts if c.kind == "remedy"]
    assert {c.treatment.arm.settings["objective"] for c in remedies} >= {"focal", "asymmetric"}
    assert {(c.treatment.arm.condition, c.control.arm.name) for c in remedies} == {("real_only", "real_only")}
    assert {c.treatment.regime for c in remedies} == {60, 120}


def test_a_mix_needs_a_regime_as_large_as_its_budget() -> None:
    mixing = EXPERIMENTS.get("a_e5_fixed_budget")
    assert mixing.requires(design(), PROFILE) == ""
    assert "at least 200" in mixing.requires(design(synthetic_documents=200), PROFILE)


def test_a_share_of_one_is_the_same_cell_for_every_generator() -> None:
    cells = EXPERIMENTS.get("a_e5_fixed_budget").cells(design())
    assert sum(cell.arm.settings["share"] == 1 for cell in cells) == 1


def test_paraphrases_grow_no_further_than_were_written() -> None:
    scaling = EXPERIMENTS.get("a_e6_paraphrase")
    assert "paraphrase" in scaling.requires(design(), PROFILE)
    writer = generator(
        "eda", strategy="paraphrase", scope="regime", regimes=(60,), documents=300, backend="eda"
    )
    planned = scaling.contrasts(
        design(generators=[*design().model_dump()["generators"], writer], claims={"regime": 60})
    )
    assert [c.treatment.arm.settings["documents"] for c in planned] == [60, 120, 300]
    assert [c.control.arm.settings["documents"] for c in planned] == [60, 120, 300]


@pytest.mark.parametrize(
    ("changes", "found"), [({}, 1), ({"label_source": "empirical"}, 0), ({"like": ""}, 0)]
)
def test_genres_are_compared_only_where_nothing_else_differs(changes: dict[str, str], found: int) -> None:
    news = generator("news", **{"like": "oracle", "genre": "news", "label_source": "backend", **changes})
    both = design(generators=[generator("oracle", label_source="backend"), news], claims={"regime": 60})
    genres = EXPERIMENTS.get("a_e11_genres")
    assert len([c for c in genres.contrasts(both) if c.kind == "genre_vs_standard"]) == found
    assert bool(genres.requires(both, PROFILE)) == (not found)


def test_a_generator_like_another_has_its_backend_and_parameters() -> None:
    news = GeneratorDesign(name="news", like="noisy", genre="news")
    assert PROFILE.behind(news) == PROFILE.behind(GeneratorDesign(name="noisy"))


def test_what_is_not_embedded_has_no_arm_in_families_that_read_embeddings() -> None:
    both = design(
        families=("tfidf_linear", "frozen_encoder"), generators=[generator("oracle", embedded=False)]
    )
    assert both.families_of(both.generators[0]) == ("tfidf_linear",)


def test_a_generator_has_arms_in_the_families_it_lists_alone() -> None:
    both = design(
        families=("tfidf_linear", "frozen_encoder"),
        generators=[generator("oracle", families=("tfidf_linear",))],
    )
    assert both.families_of(both.generators[0]) == ("tfidf_linear",)
    grid = EXPERIMENTS.get("a_e1_grid").cells(both)
    assert {w.family for w in grid} == {"tfidf_linear"}


def test_new_keys_leave_the_identity_of_old_cells_alone() -> None:
    plain = design()
    wanted = EXPERIMENTS.get("a_e1_grid").cells(plain)
    more = plain.model_dump()
    more["generators"][0].update(embedded=False, families=("tfidf_linear",))
    assert {c.id for c in Grid(plain, PROFILE, {}).cells(wanted)} == {
        c.id for c in Grid(Design(**more), PROFILE, {}).cells(wanted)
    }


def test_fewer_replicates_are_shared_by_all_arms_of_a_contrast() -> None:
    from flows.cells import Arm, Wanted

    grid = Grid(design(), PROFILE, {})
    few, all_ = (Wanted(60, Arm("real_only"), "tfidf_linear", n) for n in (2, 0))
    assert list(grid.replicates(few, all_)) == [0, 1]
    assert len(grid.cells([few])) == 2
    assert len(grid.cells([few, all_])) == 5


def test_what_a_replicate_gets_of_a_file_depends_on_how_many_replicates_there_are(tmp_path: Path) -> None:
    (tmp_path / "made.jsonl").write_text("{}\n")
    filed = generator("filed", backend="corpus_file", parameters={"path": str(tmp_path / "made.jsonl")})
    claims = {"regime": 60, "family": "tfidf_linear", "generators": ("filed",)}
    few, more = (design(generators=[filed], replicates=n, claims=claims, illustrative=None) for n in (3, 4))
    wanted = EXPERIMENTS.get("a_e1_grid").cells(few)
    first = {c.id for c in Grid(few, PROFILE, {}).cells(wanted)}
    shared = first & {c.id for c in Grid(more, PROFILE, {}).cells(wanted)}
    # Real documents alone are the same cells.
    assert len(shared) == len(first) // 3
