"""The further controls of A-E2 and a shared stock, through the real services, from design to page."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from flows.experiments.a_e2_tuned import FACTORS
from flows.run import run_everything, train_everything
from services.domain.errors import PreconditionError
from tests.integration.test_study import opened

EXPERIMENTS = ["a_e1_grid", "a_e2_unlabelled", "a_e2_deduplicated", "a_e2_tuned"]
FURTHER = {
    "replicates": 3,
    "regimes": [60],
    "encoder": "",
    "fidelity_metrics": [],
    "experiments": EXPERIMENTS,
    "generators": [{"name": "oracle", "label_source": "backend"}, {"name": "copier"}],
}


def test_every_further_control_runs_and_stands_on_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(tmp_path, monkeypatch, **FURTHER) as run:
        report = run_everything(run)
        plans = {cell.arm.name: run.trained[cell.id] for cell in run.plan.cells if cell.replicate == 0}
    page = report.with_name("report.md").read_text()
    estimates = pd.read_parquet(report.with_name("estimates.parquet"))
    claims = pd.read_parquet(report.with_name("claims.parquet"))
    _check_unlabelled(page, estimates, claims)
    _check_deduplicated(page, estimates, claims)
    _check_tuned(page, estimates, claims)
    assert plans["pseudo_labels"].real_documents == 100
    assert (claims["effect"].notna() | (claims["note"] != "")).all()


def _check_unlabelled(page: str, estimates: pd.DataFrame, claims: pd.DataFrame) -> None:
    assert "Unlabelled real text with predicted labels" in page
    found = estimates[estimates["arm"] == "pseudo_labels"].groupby("estimate")["value"]
    assert (found.get_group("pseudo_documents") == 40).all()
    # Better than nothing, and far from the truth.
    assert 0.1 < found.get_group("pseudo_micro_f1").mean() < 0.95
    kinds = set(claims["kind"])
    assert {"pseudo_vs_real", "pseudo_vs_copies", "labels_vs_pseudo", "synthesis_vs_pseudo"} <= kinds


def _check_deduplicated(page: str, estimates: pd.DataFrame, claims: pd.DataFrame) -> None:
    assert "Effective n" in page
    counted = estimates[estimates["condition"] == "deduplicated"]
    left = counted[counted["estimate"] == "effective_documents"].groupby("generator")["value"]
    total = counted.groupby(["generator", "replicate"])["value"].sum()
    assert (total == 40).all()
    # The copier repeats real documents, the oracle hardly ever.
    assert left.get_group("copier").max() < 30 < left.get_group("oracle").min()
    measured = counted[counted["estimate"] == "near_real_documents"].groupby("generator")["value"].mean()
    assert measured["copier"] > measured["oracle"]
    assert "deduplicated_vs_control" in set(claims["kind"])


def _check_tuned(page: str, estimates: pd.DataFrame, claims: pd.DataFrame) -> None:
    assert "The headline, and the same with C tuned for each arm" in page
    chosen = estimates[estimates["estimate"] == "strength"]
    assert set(chosen["condition"]) == {"synthesis", "row_twin", "real_only"}
    assert set(chosen["value"]) <= set(FACTORS)
    companion = claims[claims["kind"] == "tuned_vs_tuned_control"]
    headline = claims[claims["kind"] == "gain_vs_control"]
    assert set(companion["generator"]) == {"oracle", "copier"}
    assert not companion["declared"].astype(bool).any()
    assert not np.allclose(companion["effect"].to_numpy(), headline["effect"].to_numpy())


def test_a_file_is_shared_out_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [
        f'{{"text": "row {i} of words{i} that nobody else{i} wrote", "labels": ["{{0}}"]}}' for i in range(90)
    ]
    path = tmp_path / "written.jsonl"
    generator = {
        "name": "file",
        "backend": "corpus_file",
        "label_source": "backend",
        "draws": "disjoint",
        "parameters": {"path": str(path)},
    }
    changes = {**FURTHER, "experiments": ["a_e1_grid"], "generators": [generator]}
    with opened(tmp_path, monkeypatch, **changes) as run:
        label = run.load().task.labels[0]
        path.write_text("\n".join(row.replace("{0}", label) for row in rows))
        with pytest.raises(PreconditionError, match=r"has 90 documents .* 3 replicates of 40 need 120"):
            train_everything(run)
    with opened(tmp_path, monkeypatch, **{**changes, "synthetic_documents": 30}) as run:
        train_everything(run)
        corpora = [set(run.study.corpus(w.corpus).texts) for w in run.corpora()]
    assert [len(texts) for texts in corpora] == [30, 30, 30]
    assert len(set().union(*corpora)) == 90
