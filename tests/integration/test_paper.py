"""The patent study on Python packages alone: a report that says what each experiment needs."""

from pathlib import Path

import pytest

from flows.design import Design, Profile, load_design, load_profile
from flows.run import open_run, run_everything
from services.storage.store import Store
from synthtrial.planning import plan


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNTHTRIAL_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("SYNTHTRIAL_RESULTS", str(tmp_path / "results"))


def report(design: Design, profile: Profile, folder: Path) -> tuple[str, int]:
    with open_run(design, profile, Store(folder / "store")) as run:
        page = run_everything(run)
        assert run.verdicts() is not None
        return page.with_suffix(".md").read_text(), len(run.trained)


def test_the_plan_of_the_paper_lists_what_is_missing(tmp_path: Path) -> None:
    planned = plan("paper", store=tmp_path / "store")
    assert not planned.cells
    lines = [line for line in planned.summary() if line.startswith("Not run: ")]
    assert len(lines) == len(load_design("paper").experiments)
    assert all("needs real documents" in line for line in lines)


def test_a_study_that_lacks_everything_ends_with_a_report_that_says_so(tmp_path: Path) -> None:
    page, cells = report(load_design("paper"), load_profile("embedded"), tmp_path)
    assert not cells
    assert page.count("not run: needs real documents") >= len(load_design("paper").experiments)
    assert "CUDA for bert\\_for\\_patents, modernbert" in page
    assert "No synthetic document was written" in page
    assert "Nothing stands in for what was not run" in page


def test_a_study_runs_on_the_part_that_its_profile_offers(tmp_path: Path) -> None:
    smoke = load_design("smoke").model_dump()
    absent = {"name": "gpt", "needs": ["language_model"], "parameters": {"model": "owner/name"}}
    values = {
        **smoke,
        "name": "partly",
        "experiments": ["a_e1_grid"],
        "fidelity_metrics": [],
        "encoder": "",
        "families": ["tfidf_linear", "bert"],
        "variants": {"bert": {"family": "fine_tuned_encoder", "needs": ["cuda"]}},
        "replicates": 2,
        "generators": [*smoke["generators"], absent],
        "dataset": {**smoke["dataset"], "needs": ["documents"]},
    }
    profile = load_profile("embedded").model_dump() | {"dataset": {"kind": "simulated", "parameters": {}}}
    page, cells = report(Design(**values), Profile(**profile), tmp_path)
    assert cells
    assert "not run: needs language models for gpt (" in page
    assert "; CUDA for bert (" in page
