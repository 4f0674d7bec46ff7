"""The two readings of every file: contrasts asked of the evaluator, and its answers in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flows.auditing.arms import CONTROL, TREATMENT, ArmKey
from flows.auditing.options import AuditOptions
from flows.auditing.rounds import FileDraws
from flows.auditing.verdicts import judge_together
from flows.report.inputs import THIS_FILE, THIS_GENERATOR, Reading, Worth
from services.domain.artifact import ArtifactRef
from services.evaluator.client import EvaluatorClient
from services.evaluator.planning import (
    ArmComparison,
    ContrastResult,
    ContrastSpec,
    RulerSpec,
    Rung,
    Verdict,
    WorthResult,
)

Predictions = Mapping[ArmKey, ArtifactRef]

NO_ROWS = "after screening there are fewer rows than replicates, so that no two replicates could differ"
NO_RULER = "no real documents are left for a ruler"
# Fewer synthetic rows a draw than this are equivalent to copies whatever they are worth.
LEAST_ROWS = 20


@dataclass(frozen=True, slots=True)
class Compared:
    """The evaluator's answers, by file."""

    this_file: Mapping[str, ContrastResult]
    this_generator: Mapping[str, ContrastResult]
    worths: Mapping[str, WorthResult]


def compare(
    evaluator: EvaluatorClient,
    truth: ArtifactRef,
    predictions: Predictions,
    draws: Mapping[str, FileDraws],
    options: AuditOptions,
) -> Compared:
    """Compare every file with its row twins; Holm runs over both readings of all files together."""
    fixed = evaluator.compare_arms(
        truth,
        [_file_contrast(name, predictions, options) for name in draws],
        (),
        options.margin,
        minimum_test_families=options.minimum_families,
        training_sets_are_given=True,
    )
    dealt = {name: found for name, found in draws.items() if found.count}
    redrawn = ArmComparison((), ())
    if dealt:
        redrawn = evaluator.compare_arms(
            truth,
            [_generator_contrast(name, predictions, options) for name in dealt],
            [_ruler(name, found, predictions, options) for name, found in dealt.items() if found.rungs],
            options.margin,
            minimum_test_families=options.minimum_families,
        )
    worths = {result.name: result for result in redrawn.worths}
    judged = judge_together(
        _by_name(fixed.contrasts), _by_name(redrawn.contrasts), list(draws), options.margin
    )
    return Compared(judged.this_file, judged.this_generator, worths)


def reading(title: str, found: ContrastResult, real: int, synthetic: int, remark: str = "") -> Reading:
    """Return a contrast as the report shows it."""
    low, narrow = found.interval95, found.interval90
    verdict, few = str(found.verdict), title == THIS_GENERATOR and synthetic < LEAST_ROWS
    if few and verdict == Verdict.EQUIVALENT:
        verdict, remark = (
            Verdict.INCONCLUSIVE.value,
            "; ".join(part for part in (remark, _too_few(synthetic)) if part),
        )
    return Reading(
        title=title,
        verdict=verdict,
        effect=found.effect,
        low95=low.low if low else None,
        high95=low.high if low else None,
        low90=narrow.low if narrow else None,
        high90=narrow.high if narrow else None,
        adjusted_p_value=found.adjusted_p_value,
        mde=found.mde,
        replicate_count=found.replicate_count,
        test_family_count=found.test_family_count,
        real_documents=real,
        synthetic_documents=synthetic,
        treatment_mean=found.treatment_mean,
        control_mean=found.control_mean,
        conditional=found.conditional,
        note="; ".join(part for part in (found.note, remark) if part),
    )


def _too_few(synthetic: int) -> str:
    return (
        f"a draw holds {synthetic} synthetic rows, and so few can make no difference whatever they are worth; give a larger "
        "file, or fewer replicates (5 at least)"
    )


def unread(title: str, families: int, real: int, reason: str) -> Reading:
    """Return a reading that could not be made."""
    return Reading(
        title=title,
        verdict="not tested",
        effect=None,
        low95=None,
        high95=None,
        low90=None,
        high90=None,
        adjusted_p_value=None,
        mde=None,
        replicate_count=0,
        test_family_count=families,
        real_documents=real,
        synthetic_documents=0,
        treatment_mean=None,
        control_mean=None,
        conditional=False,
        note=reason,
    )


def worth_of(found: WorthResult, regime: int) -> Worth:
    """Return a worth as the report shows it."""
    return Worth(
        regime=regime,
        worth=found.worth,
        low=found.low,
        high=found.high,
        less_than_none=found.less_than_none,
        more_than_cap=found.more_than_cap,
        cap=found.cap,
        note=found.note,
    )


def _file_contrast(name: str, predictions: Predictions, options: AuditOptions) -> ContrastSpec:
    """Pair the one treatment with every twin: their mean is less of an accident than one twin."""
    treatment = predictions[ArmKey(name, THIS_FILE, TREATMENT, 0, 0)]
    controls = tuple(predictions[ArmKey(name, THIS_FILE, CONTROL, 0, twin)] for twin in range(options.twins))
    return ContrastSpec(name, (treatment,) * len(controls), controls, declared=True)


def _generator_contrast(name: str, predictions: Predictions, options: AuditOptions) -> ContrastSpec:
    treatment = _replicates(name, TREATMENT, 0, predictions, options)
    return ContrastSpec(name, treatment, _replicates(name, CONTROL, 0, predictions, options), declared=True)


def _ruler(name: str, draws: FileDraws, predictions: Predictions, options: AuditOptions) -> RulerSpec:
    rungs = tuple(
        Rung(float(new_real), _replicates(name, CONTROL, new_real, predictions, options))
        for new_real in (0, *draws.rungs)
    )
    return RulerSpec(name, _replicates(name, TREATMENT, 0, predictions, options), rungs)


def _replicates(
    name: str, condition: str, new_real: int, predictions: Predictions, options: AuditOptions
) -> tuple[ArtifactRef, ...]:
    keys = [ArmKey(name, THIS_GENERATOR, condition, new_real, r) for r in range(options.replicates)]
    return tuple(predictions[key] for key in keys)


def _by_name(results: Sequence[ContrastResult]) -> dict[str, ContrastResult]:
    return {result.name: result for result in results}
