"""A small study through the four real services: repeated, interrupted, on real patents."""

import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from flows.design import Design, load_profile
from flows.run import StudyRun, open_run, run_everything, train_everything
from services.domain.errors import DataLossError, PreconditionError
from services.storage.store import Store

SMALL = {
    "name": "small",
    "seed": 11,
    "replicates": 2,
    "regimes": [60, 90],
    "synthetic_documents": 40,
    "families": ["tfidf_linear"],
    "encoder": "minilm",
    "folds": 3,
    "dataset": {"kind": "simulated", "train": 700, "test": 220, "reference": 60},
    "claims": {"regime": 60, "family": "tfidf_linear"},
    "generators": [
        {"name": "oracle", "label_source": "backend"},
        {"name": "markov", "scope": "regime", "regimes": [60]},
    ],
}


@contextmanager
def opened(folder: Path, monkeypatch: pytest.MonkeyPatch, **changes: object) -> Iterator[StudyRun]:
    monkeypatch.setenv("SYNTHTRIAL_STATE", str(folder / "state"))
    monkeypatch.setenv("SYNTHTRIAL_RESULTS", str(folder / "results"))
    design = Design(**{**SMALL, **changes})  # type: ignore[arg-type]
    with open_run(design, load_profile("embedded"), Store(folder / "store")) as run:
        yield run


def test_a_study_reports_and_a_second_run_trains_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(tmp_path, monkeypatch) as run:
        report = run_everything(run)
        first = (report.parent / "measurements.parquet").read_bytes()
        assert report.stat().st_size < 5_000_000
        again = run.with_study(run.study)
        again.load()
        again.write(0)
        again.write(1)
        assert again.batches() == []
        again.encode()
        for number in (0, 1):
            again.search(number)
        assert (again.report().parent / "measurements.parquet").read_bytes() == first
    _check_tables(report.parent)


def _check_tables(folder: Path) -> None:
    rejections = pd.read_parquet(folder / "rejections.parquet")
    accounted = rejections["accepted"] + rejections["rejected"] + rejections["failed"]
    assert (rejections["requested"] == accounted).all()
    claims = pd.read_parquet(folder / "claims.parquet")
    declared = claims[claims["declared"].astype(bool)]
    # Two replicates are too few for a verdict, and the table says so.
    assert set(declared["verdict"]) == {"not tested"}
    assert (claims.loc[~claims["declared"].astype(bool), "verdict"] == "exploratory").all()
    measurements = pd.read_parquet(folder / "measurements.parquet")
    undefined = measurements["value"].isna()
    assert (measurements.loc[undefined, "undefined_reason"] != "").all()
    assert set(measurements["cell_id"]) == set(pd.read_parquet(folder / "cells.parquet")["cell_id"])


def test_an_interrupted_study_goes_on_and_ends_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = {}
    for name in ("whole", "interrupted"):
        with opened(tmp_path / name, monkeypatch, encoder="", experiments=["a_e1_grid"]) as run:
            if name == "interrupted":
                run.load()
                run.write(0)
                run.write(1)
                run.train(run.batches()[1])
                run = run.with_study(run.study)
            train_everything(run)
            tables[name] = {cell.id: run.trained[cell.id].predictions for cell in run.plan.cells}
    assert tables["whole"] == tables["interrupted"]


def test_regimes_are_nested_and_twins_keep_every_real_document_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows.stages import training

    with opened(tmp_path, monkeypatch, encoder="", experiments=["a_e1_grid"]) as run:
        material = run.load()
        run.write(0)
        plans = {
            (cell.regime, cell.arm.name): training.compose(run.study, material, run.written, cell).plan
            for cell in run.plan.cells
            if cell.replicate == 0
        }
        test = run.study.corpus(material.test)
        train = run.study.corpus(material.train)
    assert not set(train.families) & set(test.families)
    small, large = plans[60, "real_only"].stages[0].parts[0], plans[90, "real_only"].stages[0].parts[0]
    assert set(small.rows) < set(large.rows)
    twin, arm = plans[60, "row_twin:oracle"].stages[0], plans[60, "synthesis:oracle"].stages[0]
    assert twin.document_count == arm.document_count == 100
    assert np.array_equal(twin.parts[0].rows, small.rows)
    assert twin.parts[0].weights.min() >= 1


def test_a_damaged_input_stops_the_study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(tmp_path, monkeypatch, encoder="", experiments=["a_e1_grid"]) as run:
        material = run.load()
        path = run.study.store.objects.path(material.train)
        path.write_bytes(path.read_bytes()[:-1] + b"\0")
        stopped = run.with_study(run.study)
        stopped.load()
        with pytest.raises(DataLossError, match="damaged"):
            stopped.train(stopped.batches()[0])
        assert not stopped.set_aside


def test_a_damaged_result_is_set_aside_and_computed_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(tmp_path, monkeypatch, encoder="", experiments=["a_e1_grid"], fidelity_metrics=[]) as run:
        report = run_everything(run)
        before = (report.parent / "measurements.parquet").read_bytes()
        damaged = run.trained[run.plan.cells[0].id].predictions
        run.study.store.objects.path(damaged).write_bytes(b"damaged")
        for key in (tmp_path / "store" / "keys").rglob("*.json"):
            if json.loads(key.read_text())["specification"].get("what") == "arm_comparison":
                key.unlink()
        again = run.with_study(run.study)
        assert (run_everything(again).parent / "measurements.parquet").read_bytes() == before
    assert again.set_aside == [damaged]
    assert list((tmp_path / "store" / "objects").rglob("*.corrupt"))


def test_a_budget_is_counted_before_anything_is_embedded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(tmp_path, monkeypatch, embedding_budget=100) as run:
        run.load()
        run.write(0)
        run.write(1)
        with pytest.raises(PreconditionError, match="more than its budget of 100"):
            run.encode()


@pytest.mark.realdata
def test_the_flow_runs_on_real_patents_with_a_learner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, realdata: Path
) -> None:
    rows = _lines(realdata / "patents_wipo_ewaste" / "data.jsonl.gz")[:2600]
    path = tmp_path / "ewaste.jsonl"
    path.write_text("\n".join(rows))
    dataset = {
        "kind": "files",
        "train": 800,
        "test": 500,
        "reference": 200,
        "parameters": {"paths": [str(path)], "minimum_label_documents": 20},
    }
    changes = {
        "dataset": dataset,
        "generators": [{"name": "markov", "scope": "regime", "regimes": [165]}],
        "regimes": [165, 330],
        "claims": {"regime": 165},
        "synthetic_documents": 165,
        "replicates": 5,
        "encoder": "",
        "experiments": ["a_e1_grid", "a_e2_controls"],
        "fidelity_metrics": [],
    }
    with opened(tmp_path / "first", monkeypatch, **changes) as run:
        report = run_everything(run)
    with opened(tmp_path / "again", monkeypatch, **changes) as run:
        again = pd.read_parquet(run_everything(run).parent / "claims.parquet")
    claims = pd.read_parquet(report.parent / "claims.parquet")
    for column in ("effect", "low95", "high95"):
        assert np.allclose(claims[column], again[column], rtol=0, atol=1e-6, equal_nan=True)
    (declared,) = claims[claims["declared"].astype(bool)].to_dict("records")
    assert declared["verdict"] in {"better", "worse", "equivalent", "negligible", "inconclusive"}
    assert declared["test_family_count"] >= 200 and declared["replicate_count"] == 5
    assert declared["low95"] <= declared["effect"] <= declared["high95"]
    over_real = claims["control"] == "real_only"
    ceiling = claims[(claims["kind"] == "ceiling") & (claims["regime"] == 165) & over_real]["effect"].item()
    # Labelling as many documents again must help on real patents.
    assert ceiling > 0.02
    _check_rejections(report.parent)


@pytest.mark.realdata
def test_a_published_corpus_is_studied_through_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, realdata: Path
) -> None:
    folder = realdata / "synth_kinit_ag_news"
    real = [
        json.loads(line)
        for name in ("real_train_pool.jsonl.gz", "real_test.jsonl.gz")
        for line in _lines(folder / name)[:1500]
    ]
    path = tmp_path / "real.jsonl"
    path.write_text("\n".join(json.dumps({**row, "id": f"real-{i}"}) for i, row in enumerate(real)))
    written = [json.loads(line) for line in _lines(folder / "synthetic.jsonl.gz")]
    mistral = [row for row in written if row["model"].startswith("mistral")]
    corpus = tmp_path / "mistral.jsonl"
    corpus.write_text("\n".join(json.dumps(row) for row in mistral[:1200]))
    dataset = {
        "kind": "files",
        "train": 1200,
        "test": 600,
        "reference": 200,
        "parameters": {"paths": [str(path)]},
    }
    generators = [
        {
            "name": "mistral",
            "backend": "corpus_file",
            "parameters": {"path": str(corpus)},
            "label_source": "backend",
        }
    ]
    with opened(
        tmp_path,
        monkeypatch,
        dataset=dataset,
        generators=generators,
        regimes=[80],
        claims={"regime": 80},
        synthetic_documents=60,
        replicates=5,
        encoder="",
        experiments=["a_e1_grid"],
        fidelity_metrics=[],
    ) as run:
        report = run_everything(run)
        corpora = [run.study.corpus(w.corpus) for w in run.written.values()]
    texts = [set(c.texts) for c in corpora]
    # Replicates share the file out: none sees another's documents.
    assert sum(map(len, texts)) == len(set().union(*texts))
    _check_rejections(report.parent)


def _lines(path: Path) -> list[str]:
    return gzip.decompress(path.read_bytes()).decode().splitlines()


def _check_rejections(folder: Path) -> None:
    rejections = pd.read_parquet(folder / "rejections.parquet")
    assert (
        rejections["requested"] == rejections["accepted"] + rejections["rejected"] + rejections["failed"]
    ).all()
