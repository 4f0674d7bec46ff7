"""What a report shows of a study of which nothing could run, and of any design before it runs."""

from typing import Any

from flows.design import Design
from flows.report.columns import empty_table
from flows.report.inputs import NotRun, ReportInput
from flows.run import StudyRun


def nothing_run(run: StudyRun) -> ReportInput:
    """Return the report of a plan without cells: the design, and what each experiment lacks."""
    study = run.study
    return ReportInput(
        design=design_facts(study.design.whole),
        environment={},
        profile=study.profile.name,
        generators=(),
        cells=empty_table("cells"),
        measurements=empty_table("measurements"),
        contrasts=empty_table("contrasts"),
        not_run=tuple(NotRun(title, reason) for title, reason in run.plan.not_run.items()),
    )


def design_facts(design: Design) -> dict[str, Any]:
    """Return what a design says by itself."""
    # What it declares, also where none of its experiments tests it.
    claims = design.claims
    declared = [f"{name} at {claims.regime}, {claims.family}" for name in design.claimed_generators]
    return {
        "name": design.name,
        "digest": design.digest,
        "regimes": list(design.regimes),
        "replicates": design.replicates,
        "synthetic_documents": design.synthetic_documents,
        "classifier_families": list(design.families),
        "margin": design.margin,
        "declared": declared,
        "seed": design.seed,
        "folds": design.folds,
        "validation": "out of fold, inside the regime",
        "primary_score": "micro_f1",
    }
