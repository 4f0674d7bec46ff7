"""Contrasts, worths and fidelity from what was trained and written."""

from collections.abc import Callable, Mapping, Sequence

from flows.cells import Wanted
from flows.experiments import PlannedContrast, PlannedRuler
from flows.stages.accounting import Written
from flows.stages.context import Study, StudyPlan
from flows.stages.loading import Material
from flows.stages.training import Trained
from services.domain.artifact import ArtifactRef
from services.domain.measurement import Measurement
from services.evaluator.planning import (
    ArmComparison,
    ContrastResult,
    ContrastSpec,
    FidelitySpec,
    RulerSpec,
    Rung,
)

SCORES = ("micro_f1",)

Results = Mapping[str, Trained]


def compare(
    study: Study, material: Material, plan: StudyPlan, trained: Results
) -> tuple[list[tuple[PlannedContrast, ContrastResult]], ArmComparison | None]:
    """Compare every planned arm with its control, one kind of contrast at a time.

    Holm's correction runs over the declared claims and Benjamini and Hochberg's
    over the rest of the same kind: mixing kinds would let easy raw gains lend
    significance to controlled ones.
    """
    truth = ArtifactRef.stored(material.test, material.test_count)
    found = []
    kinds = dict.fromkeys(contrast.kind for contrast in plan.contrasts)
    for kind in kinds:
        planned = [c for c in plan.contrasts if c.kind == kind]
        specs = [_contrast(study, c, trained) for c in planned]
        answer = study.clients.evaluator.compare_arms(truth, specs, (), study.design.margin)
        found += list(zip(planned, answer.contrasts, strict=True))
    rulers = [_ruler(study, r, trained) for r in plan.rulers]
    worths = study.clients.evaluator.compare_arms(truth, (), rulers, study.design.margin) if rulers else None
    return found, worths


def without_donor(study: Study, plan: StudyPlan, trained: Results) -> dict[str, float]:
    """Return each contrast's share of control copies without a donor, a mean over replicates."""
    shares = {}
    for planned in plan.contrasts:
        cells = [study.grid.cell(planned.control, r) for r in _replicates(study, planned)]
        found = [trained[cell.id].estimates.get("without_donor_share") for cell in cells]
        known = [share for share in found if share is not None]
        if known:
            shares[planned.name] = sum(known) / len(known)
    return shares


def measure_fidelity(
    study: Study,
    material: Material,
    written: Sequence[Written],
    embeddings: Mapping[str, ArtifactRef],
    on_progress: Callable[[int, int], None],
) -> list[tuple[Written, tuple[Measurement, ...]]]:
    """Measure every corpus against the held-out reference; empty without one."""
    usable = [w for w in written if w.document_count >= 2 and w.corpus in embeddings]
    if not material.reference or not usable or not study.design.fidelity_metrics:
        return []
    spec = FidelitySpec(
        reference=ArtifactRef.stored(material.reference),
        reference_embeddings=embeddings[material.reference],
        corpora=tuple(ArtifactRef.stored(w.corpus) for w in usable),
        embeddings=tuple(embeddings[w.corpus] for w in usable),
        metrics=study.design.fidelity_metrics,
        ceiling=None,
        ceiling_embeddings=None,
        seed=study.seed("fidelity"),
    )
    measured = study.clients.evaluator.measure_fidelity(
        spec, on_progress=lambda progress: on_progress(progress.done, progress.total)
    )
    return list(zip(usable, measured, strict=True))


def _contrast(study: Study, planned: PlannedContrast, trained: Results) -> ContrastSpec:
    return ContrastSpec(
        name=planned.name,
        treatment=_predictions(study, planned.treatment, trained, _replicates(study, planned)),
        control=_predictions(study, planned.control, trained, _replicates(study, planned)),
        declared=planned.declared,
        score="micro_f1",
    )


def _ruler(study: Study, planned: PlannedRuler, trained: Results) -> RulerSpec:
    shared = study.grid.replicates(planned.treatment, *(wanted for _, wanted in planned.rungs))
    return RulerSpec(
        name=planned.name,
        treatment=_predictions(study, planned.treatment, trained, shared),
        rungs=tuple(
            Rung(float(size), _predictions(study, wanted, trained, shared)) for size, wanted in planned.rungs
        ),
    )


def _replicates(study: Study, planned: PlannedContrast) -> range:
    return study.grid.replicates(planned.treatment, planned.control)


def _predictions(
    study: Study, wanted: Wanted, trained: Results, replicates: range
) -> tuple[ArtifactRef, ...]:
    cells = [study.grid.cell(wanted, r) for r in replicates]
    return tuple(ArtifactRef.stored(trained[cell.id].predictions) for cell in cells)
