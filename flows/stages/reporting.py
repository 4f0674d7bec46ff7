"""Compare, measure, write the tables and render the report."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from flows import results as tables
from flows.datasets import DATASETS
from flows.environment import describe_environment
from flows.report.columns import empty_table
from flows.report.inputs import GeneratorInfo, NotRun, ReportInput
from flows.report.rendering import claims_of, render_report
from flows.run import StudyRun
from flows.stages import measuring, searching
from flows.truth import planted_truth
from services.domain.artifact import ArtifactRef
from services.evaluator.planning import ContrastSpec
from services.generator.simulation.dials import presets
from services.storage.files import replace

RETRIEVAL_SCORE = "ndcg@10"


def write(run: StudyRun) -> Path:
    """Write a study's folder of results and return the path of its report."""
    report = assemble(run)
    rendered = render_report(report)
    design = run.study.design
    folder = run.results / f"{design.name}-{design.digest[:16]}"
    _write_tables(run, report, folder)
    replace(folder / "report.html", rendered.html.encode())
    replace(folder / "report.md", rendered.markdown.encode())
    _point_latest(run.results, folder)
    return folder / "report.html"


def assemble(run: StudyRun) -> ReportInput:
    """Return everything a report shows, computed from what the stages stored."""
    study, plan = run.study, run.plan
    material = run.loaded
    contrasts, worths = measuring.compare(study, material, plan, run.trained)
    shares = measuring.without_donor(study, plan, run.trained)
    written = run.corpora()
    fidelity = measuring.measure_fidelity(study, material, written, run.embeddings, lambda done, total: None)
    searched = [found for number in sorted(run.searched) for found in run.searched[number]]
    table = pd.concat(
        [tables.contrasts_table(contrasts, shares), retrieval_contrasts(run, searched)], ignore_index=True
    )
    truth, truth_note = planted_truth(study.design, study.grid)
    return ReportInput(
        design=_design_facts(run),
        environment=describe_environment(run),
        profile=study.profile.name,
        generators=_generators(run),
        cells=tables.cells_table(study.design, plan.cells),
        measurements=tables.measurements_table(study.design, plan.cells, run.trained),
        contrasts=table,
        worths=_or_empty("worths", tables.worths_table(worths.worths if worths else ())),
        fidelity=_or_empty("fidelity", tables.fidelity_table(fidelity)),
        retrieval=_or_empty("retrieval", retrieval_means(tables.retrieval_table(searched))),
        rejections=_or_empty("rejections", tables.rejections_table(written)),
        rejection_reasons=_or_empty("rejection_reasons", tables.rejection_reasons_table(written)),
        rejection_examples=_or_empty("rejection_examples", tables.rejection_examples_table(written)),
        planted_truth=_or_empty("planted_truth", truth),
        truth_note=truth_note,
        not_run=_not_run(run),
    )


def verdict_rows(run: StudyRun) -> list[dict[str, Any]]:
    """Return the declared claims as rows for a dashboard."""
    design = run.study.design
    path = run.results / f"{design.name}-{design.digest[:16]}" / "claims.parquet"
    claims = pd.read_parquet(path)
    columns = ["generator", "regime", "classifier_family", "effect", "low95", "high95", "verdict"]
    shown = claims[claims["declared"].astype(bool)][columns]
    return [{str(name): value for name, value in row.items()} for row in shown.round(4).to_dict("records")]


def retrieval_contrasts(run: StudyRun, searched: Sequence[searching.Searched]) -> pd.DataFrame:
    """Compare each generator's index with its row twin's, query by query."""
    by_place: dict[tuple[str, str], list[searching.Searched]] = {}
    for found in searched:
        by_place.setdefault((found.reading, found.arm), []).append(found)
    specs = [
        (reading, arm, control, _search_contrast(reading, arm, control, by_place))
        for reading, arm in by_place
        for control in _search_controls(arm)
    ]
    if not specs:
        return empty_table("contrasts")
    material = run.loaded
    truth = ArtifactRef.stored(material.test, material.test_count)
    answer = run.study.clients.evaluator.compare_arms(
        truth, [spec for *_, spec in specs], (), run.study.design.margin
    )
    rows = [
        {
            "kind": "retrieval",
            "regime": max(run.study.design.regimes),
            "arm": arm,
            "control": control,
            "generator": arm.partition(":")[2],
            "classifier_family": "",
            "score": RETRIEVAL_SCORE,
            "declared": False,
            "reading": reading,
        }
        | tables.contrast_values(result)
        for (reading, arm, control, _), result in zip(specs, answer.contrasts, strict=True)
    ]
    return pd.DataFrame(rows)


def retrieval_means(table: pd.DataFrame) -> pd.DataFrame:
    """Return means over replicates with their 95 % t interval; undefined replicates are counted out."""
    rows = []
    for (reading, arm, generator, metric), group in (
        table.groupby(["reading", "arm", "generator", "metric"], sort=False) if len(table) else ()
    ):
        values = group["value"].dropna().to_numpy(dtype=float)
        rows.append(
            {
                "reading": reading,
                "arm": arm,
                "generator": generator,
                "metric": metric,
                **_mean_interval(values),
                "query_count": int(group["sample_count"].min()),
                "replicate_count": len(values),
                "undefined_reason": "" if len(values) else str(group["undefined_reason"].iloc[0]),
            }
        )
    return pd.DataFrame(rows)


def _mean_interval(values: np.ndarray) -> dict[str, float | None]:
    if not len(values):
        return {"value": None, "low": None, "high": None}
    mean = float(values.mean())
    if len(values) < 2:
        return {"value": mean, "low": None, "high": None}
    half = float(stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values)))
    return {"value": mean, "low": mean - half, "high": mean + half}


def _search_controls(arm: str) -> list[str]:
    condition, _, generator = arm.partition(":")
    if condition == "synthesis":
        return [f"row_twin:{generator}", "real_only"]
    return ["real_only"] if condition in ("new_real", "row_twin") else []


def _search_contrast(
    reading: str, arm: str, control: str, by_place: dict[tuple[str, str], list[searching.Searched]]
) -> ContrastSpec:
    def arrays(name: str) -> tuple[ArtifactRef, ...]:
        found = sorted(by_place[reading, name], key=lambda searched: searched.replicate)
        return tuple(ArtifactRef.stored(searched.per_query) for searched in found)

    name = f"retrieval|{reading}|{arm}|{control}"
    return ContrastSpec(name, arrays(arm), arrays(control), declared=False, score=RETRIEVAL_SCORE)


def _design_facts(run: StudyRun) -> dict[str, Any]:
    design, material = run.study.design, run.loaded
    test = run.study.corpus(material.test)
    # What the design declares, also where none of its experiments tests it.
    claims = design.claims
    declared = [f"{name} at {claims.regime}, {claims.family}" for name in design.claimed_generators]
    return {
        "name": design.name,
        "digest": design.digest,
        "task_type": material.task.type.value,
        "label_count": len(material.task.labels),
        "regimes": list(design.regimes),
        "replicates": design.replicates,
        "synthetic_documents": design.synthetic_documents,
        "train_pool_documents": material.train_count,
        "test_documents": material.test_count,
        "test_families": len(set(test.families)),
        "reference_documents": material.reference_count,
        "classifier_families": list(design.families),
        "margin": design.margin,
        "declared": declared,
        "seed": design.seed,
        "folds": design.folds,
        "validation": "out of fold, inside the regime",
        "primary_score": "micro_f1",
        "dataset": design.dataset.kind,
        "dataset_is_simulated": DATASETS.get(design.dataset.kind).simulated,
    }


def _generators(run: StudyRun) -> tuple[GeneratorInfo, ...]:
    backends = {backend.name: backend for backend in run.study.clients.generator.list_backends()}
    found = []
    for generator in run.study.design.generators:
        behind = run.study.profile.behind(generator)
        backend = backends[behind.backend]
        preset = str(behind.parameters.get("preset", ""))
        found.append(
            GeneratorInfo(
                generator.name,
                behind.backend,
                preset,
                backend.is_llm,
                presets().get(preset, backend.description),
            )
        )
    return tuple(found)


def _not_run(run: StudyRun) -> tuple[NotRun, ...]:
    lacking = [NotRun(title, reason) for title, reason in run.plan.not_run.items()]
    if not run.loaded.reference:
        lacking.append(NotRun("Fidelity", "needs a reference split: set dataset.reference"))
    return tuple(lacking)


def _write_tables(run: StudyRun, report: ReportInput, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in (
        ("cells", report.cells),
        ("measurements", report.measurements),
        ("predictions", tables.predictions_table(run.plan.cells, run.trained)),
        ("claims", report.contrasts),
        ("worths", report.worths),
        ("fidelity", report.fidelity),
        ("retrieval", report.retrieval),
        ("rejections", report.rejections),
        ("rejection_reasons", report.rejection_reasons),
        ("rejection_examples", report.rejection_examples),
        ("planted_truth", report.planted_truth),
        ("sentences", claims_of(report)),
    ):
        replace(folder / f"{name}.parquet", table.to_parquet(index=False))
    timings = pd.DataFrame({"stage": list(run.timings), "seconds": list(run.timings.values())})
    replace(folder / "timings.parquet", timings.to_parquet(index=False))
    replace(folder / "environment.json", _json(report.environment))
    replace(folder / "design.json", _json(run.study.design.model_dump(mode="json")))


def _json(value: Any) -> bytes:
    return json.dumps(value, indent=1, sort_keys=True, default=str).encode()


def _point_latest(results: Path, folder: Path) -> None:
    temporary = results / f".latest.{os.getpid()}"
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(folder.name)
    os.replace(temporary, results / "latest")


def _or_empty(name: str, table: pd.DataFrame) -> pd.DataFrame:
    return table if len(table) else empty_table(name)
