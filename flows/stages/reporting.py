"""Compare, measure, write the tables and render the report."""

import dataclasses
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from flows import results as tables
from flows.datasets import DATASETS
from flows.design import GeneratorDesign
from flows.environment import describe_environment
from flows.experiments import EXPERIMENTS
from flows.report.columns import empty_table
from flows.report.inputs import GeneratorInfo, NotRun, ReportInput
from flows.report.rendering import claims_of, render_report
from flows.run import StudyRun
from flows.stages import measuring
from flows.stages.comparing_searches import retrieval_contrasts, retrieval_means
from flows.stages.estimates import estimates_table
from flows.stages.leaking import audit_leakage
from flows.stages.unrun import design_facts, nothing_run
from flows.truth import planted_truth
from services.generator.simulation.dials import presets
from services.storage.files import replace


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
    return nothing_run(run) if run.plan.is_empty else _answered(run, _measured(run))


def _measured(run: StudyRun) -> ReportInput:
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
        design=design_facts(run.study.design.whole) | _material_facts(run),
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
        leakage=audit_leakage(study, material, written, run.embeddings),
        planted_truth=_or_empty("planted_truth", truth),
        truth_note=truth_note,
        not_run=_not_run(run),
        findings=estimates_table(plan.cells, run.trained),
    )


def verdict_rows(run: StudyRun) -> list[dict[str, Any]]:
    """Return the declared claims as rows for a dashboard."""
    design = run.study.design
    path = run.results / f"{design.name}-{design.digest[:16]}" / "claims.parquet"
    claims = pd.read_parquet(path)
    columns = ["generator", "regime", "classifier_family", "effect", "low95", "high95", "verdict"]
    shown = claims[claims["declared"].astype(bool)][columns]
    return [{str(name): value for name, value in row.items()} for row in shown.round(4).to_dict("records")]


def _answered(run: StudyRun, found: ReportInput) -> ReportInput:
    """Add what the experiments compute from the tables, and what they show of it."""
    experiments = [EXPERIMENTS.get(name) for name in run.plan.experiments]
    for experiment in experiments:
        further = experiment.analyse(found, run.study.clients.evaluator)
        found = dataclasses.replace(found, findings={**found.findings, **further})
    shown = [experiment.section(found) for experiment in experiments]
    return dataclasses.replace(found, sections=tuple(section for section in shown if section))


def _material_facts(run: StudyRun) -> dict[str, Any]:
    material, kind = run.loaded, run.study.design.dataset.kind
    return {
        "task_type": material.task.type.value,
        "label_count": len(material.task.labels),
        "train_pool_documents": material.train_count,
        "test_documents": material.test_count,
        "test_families": len(set(run.study.corpus(material.test).families)),
        "reference_documents": material.reference_count,
        "dataset": kind,
        "dataset_is_simulated": DATASETS.get(kind).simulated,
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
                _described(presets().get(preset) or backend.description, generator, behind.parameters),
            )
        )
    return tuple(found)


def _described(backend: str, generator: GeneratorDesign, parameters: Mapping[str, Any]) -> str:
    """Say what a generator is: its backend or preset, and what is set for it."""
    settings = {"genre": generator.genre, **parameters}
    said = ", ".join(f"{name} = {value}" for name, value in settings.items() if value and name != "preset")
    return f"{backend} Here: {said}." if said else backend


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
        ("leakage", report.leakage),
        ("planted_truth", report.planted_truth),
        ("sentences", claims_of(report)),
        *report.findings.items(),
    ):
        replace(folder / f"{name}.parquet", table.to_parquet(index=False))
    timings = pd.DataFrame({"stage": list(run.timings), "seconds": list(run.timings.values())})
    replace(folder / "timings.parquet", timings.to_parquet(index=False))
    replace(folder / "environment.json", _json(report.environment))
    replace(folder / "design.json", _json(run.study.design.whole.model_dump(mode="json")))


def _json(value: Any) -> bytes:
    return json.dumps(value, indent=1, sort_keys=True, default=str).encode()


def _point_latest(results: Path, folder: Path) -> None:
    temporary = results / f".latest.{os.getpid()}"
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(folder.name)
    os.replace(temporary, results / "latest")


def _or_empty(name: str, table: pd.DataFrame) -> pd.DataFrame:
    return table if len(table) else empty_table(name)
