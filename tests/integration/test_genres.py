"""Genres in the index, embedded in some replicates only."""

from pathlib import Path

import pandas as pd
import pytest

from flows.design import Design, load_design, load_profile
from flows.run import open_run, run_everything
from services.storage.store import Store

REPLICATES, EMBEDDED = 3, 2
STANDARD = {"name": "oracle", "label_source": "backend"}
NEWS = {**STANDARD, "name": "news", "like": "oracle", "genre": "news", "embedded_replicates": EMBEDDED}
CLAIMS = {**STANDARD, "name": "claims_only", "like": "oracle", "genre": "claim", "embedded": False}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run a study of three genres and return its folder."""
    folder = tmp_path_factory.mktemp("genres")
    values = {
        **load_design("smoke").model_dump(),
        "name": "genres",
        "replicates": REPLICATES,
        "encoder": "lsa",
        "families": ("tfidf_linear",),
        "regimes": (60,),
        "experiments": ("a_e1_grid", "a_e10_retrieval", "a_e11_genres"),
        "fidelity_metrics": ("mmd2",),
        "generators": (STANDARD, NEWS, CLAIMS),
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SYNTHTRIAL_STATE", str(folder / "state"))
        patch.setenv("SYNTHTRIAL_RESULTS", str(folder / "results"))
        with open_run(Design(**values), load_profile("embedded"), Store(folder / "store")) as run:
            return run_everything(run).parent


def test_a_genre_is_searched_in_the_replicates_in_which_it_is_embedded(results: Path) -> None:
    found = pd.read_parquet(results / "retrieval.parquet")
    replicates = found[found["metric"] == "ndcg@10"].set_index(["reading", "arm"])["replicate_count"]
    for reading in ("real_only", "all"):
        assert replicates[reading, "synthesis:oracle"] == replicates[reading, "real_only"] == REPLICATES
        assert replicates[reading, "synthesis:news"] == replicates[reading, "row_twin:news"] == EMBEDDED
    assert "claims_only" not in set(found["generator"])


def test_a_genre_is_compared_with_its_twin_and_with_the_standard_over_shared_replicates(
    results: Path,
) -> None:
    found = pd.read_parquet(results / "claims.parquet")
    news = found[(found["generator"] == "news") & (found["score"] == "ndcg@10")]
    controls = {
        (row["kind"], row["control"]) for row in news.to_dict("records") if row["arm"] == "synthesis:news"
    }
    assert controls == {
        ("retrieval", "real_only"),
        ("retrieval", "row_twin:news"),
        ("retrieval_vs_other", "synthesis:oracle"),
    }
    assert set(news["replicate_count"]) == {EMBEDDED}
    assert not found[(found["kind"] == "retrieval_vs_other")]["declared"].any()


def test_fidelity_is_measured_where_there_are_embeddings(results: Path) -> None:
    found = pd.read_parquet(results / "fidelity.parquet")
    assert found["generator"].value_counts().to_dict() == {"oracle": REPLICATES, "news": EMBEDDED}


def test_the_page_shows_both_readings_and_how_many_replicates_they_rest_on(results: Path) -> None:
    section = (results / "report.md").read_text().split("## Genres: ")[1].split("\n## ")[0]
    for reading in ("real documents scored only", "all documents scored"):
        assert f"nDCG@10 of real test documents as queries, {reading}" in section
    lines = [line for line in section.splitlines() if line.startswith("| news |") and "queries" in line]
    assert len(lines) == 2
    assert all(f"{EMBEDDED} replicates" in line for line in lines)
    assert "only some replicates" in section
