"""A-E4: do corpora nearer to real text gain more, and does that turn with the number of real documents?

Over few generators a correlation is noise, and the same corpora stand in every regime:
both are dealt with by refusal and by tests for dependent correlations.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import pandas as pd

from flows.design import Design, Profile
from flows.experiments import EXPERIMENTS, Question
from flows.report.formatting import missing
from flows.report.inputs import ReportInput
from flows.report.page import Note, Section
from flows.report.queries import headline, rows, tag
from flows.report.scores import Place, replicate_scores
from flows.report.sections.correlations import GAIN, PERFORMANCE, correlations, differences, inversions, paper
from services.evaluator.client import EvaluatorClient
from services.evaluator.correlation.planning import (
    CorpusPoint,
    CorrelatedMetric,
    CorrelationAnalysis,
    CorrelationSpec,
    Fidelity,
    RegimeGain,
)
from services.evaluator.fidelity import METRICS

CORRELATIONS, DIFFERENCES, INVERSIONS = "gain_correlations", "correlation_differences", "inversions"
Scores = Mapping[Place, tuple[float, ...] | None]
SHOWN = {CORRELATIONS: correlations, DIFFERENCES: differences, INVERSIONS: inversions}


class FidelityAndGain(Question):
    title = "Fidelity and gain, regime by regime"

    def requires(self, design: Design, profile: Profile) -> str:
        if not design.fidelity_metrics or not design.dataset.reference:
            return "needs fidelity metrics and a reference split"
        return "" if len(design.regimes) > 1 else "needs two regimes"

    def analyse(self, tables: ReportInput, evaluator: EvaluatorClient) -> Mapping[str, pd.DataFrame]:
        """Return correlations, differences between the outer regimes, and inversions, for gain and for score."""
        found: dict[str, list[dict[str, Any]]] = {CORRELATIONS: [], DIFFERENCES: [], INVERSIONS: []}
        for outcome in (GAIN, PERFORMANCE):
            spec = _specification(tables, outcome)
            if spec is not None:
                _add(found, outcome, evaluator.correlate_gains(spec))
        return {name: pd.DataFrame(rows) for name, rows in found.items() if rows}

    def section(self, tables: ReportInput) -> Section | None:
        if CORRELATIONS not in tables.findings:
            return None
        found = {name: rows(tables.findings[name]) for name in SHOWN if name in tables.findings}
        known = found.pop(CORRELATIONS)
        gain = correlations([row for row in known if row["outcome"] == GAIN])
        score = correlations([row for row in known if row["outcome"] == PERFORMANCE])
        itself = replace(score, caption="The same with the score itself in place of the gain", collapsed=True)
        shown = [gain, *([itself] if score.rows else []), *(SHOWN[name](found[name]) for name in found)]
        return Section("fidelity-and-gain", self.title, (*shown, paper(), READING), tag(tables))


READING = Note(
    "Only corpora that stand in every regime are points, one a generator and strategy, averaged over replicates. "
    "A correlation within strategies needs eight of them, a reliability of the gains of .5 and a sign that no "
    "single generator decides; an inversion needs ten. Where a metric is lower nearer to real text, a negative "
    "correlation means: nearer text, larger gain; where it is higher, a positive one does. Inversions are corrected "
    "for the number of metrics, which therefore was fixed before the run; the power is that of one metric before it. "
    "Intervals stand only where nothing was refused; without any correlation such ones hold 0 in about .90 of studies, not .95."
)


def _specification(tables: ReportInput, outcome: str) -> CorrelationSpec | None:
    scope = headline(tables)
    metrics = tuple(dict.fromkeys(tables.fidelity["metric"].astype(str)))
    regimes = [int(n) for n in tables.design.get("regimes", ())]
    if scope is None or not metrics:
        return None
    scores = replicate_scores(tables)
    points = [
        point
        for info in tables.generators
        if (point := _point(tables, scores, info.name, scope.family, metrics, regimes, outcome))
    ]
    if not points:
        return None
    names = tuple(map(str, regimes))
    return CorrelationSpec(
        tuple(CorrelatedMetric(metric) for metric in metrics), names, tuple(points), names[0], names[-1]
    )


def _point(
    tables: ReportInput,
    scores: Scores,
    generator: str,
    family: str,
    metrics: Sequence[str],
    regimes: Sequence[int],
    outcome: str,
) -> CorpusPoint | None:
    """Return a generator's corpora as one point; None for those that do not stand in every regime."""
    gains = [_outcome(scores, generator, family, n, outcome) for n in regimes]
    mine = tables.fidelity[tables.fidelity["generator"] == generator]
    if None in gains or mine.empty:
        return None
    means = [mine.loc[mine["metric"] == metric, "value"].astype(float).mean() for metric in metrics]
    strategies = tables.measurements.loc[tables.measurements["generator"] == generator, "strategy"]
    return CorpusPoint(
        generator,
        str(strategies.iloc[0]),
        tuple(Fidelity(None if missing(mean) else float(mean)) for mean in means),
        tuple(RegimeGain(replicates=gain or ()) for gain in gains),
    )


def _outcome(
    scores: Scores, generator: str, family: str, regime: int, outcome: str
) -> tuple[float, ...] | None:
    arm = scores.get(Place(regime, family, f"synthesis:{generator}"))
    twin = scores.get(Place(regime, family, f"row_twin:{generator}"))
    if arm is None or twin is None:
        return None
    return arm if outcome == PERFORMANCE else tuple(a - b for a, b in zip(arm, twin, strict=True))


def _add(found: dict[str, list[dict[str, Any]]], outcome: str, analysis: CorrelationAnalysis) -> None:
    groups = ((CORRELATIONS, analysis.correlations), (DIFFERENCES, analysis.differences))
    for name, answers in (*groups, (INVERSIONS, analysis.inversions)):
        found[name] += [
            {
                "outcome": outcome,
                "lower_is_better": METRICS.get(answer.metric).lower_is_better,
                **_flat(asdict(answer)),
            }
            for answer in answers
        ]


def _flat(answer: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return an answer's values as columns: intervals as their two ends, what is nested under its name."""
    flat: dict[str, Any] = {}
    for name, value in answer.items():
        if name.startswith("interval"):
            ends = value or {}
            flat |= {f"{prefix}low{name[8:]}": ends.get("low"), f"{prefix}high{name[8:]}": ends.get("high")}
        elif isinstance(value, dict):
            flat |= _flat(value, f"{name}_")
        else:
            flat[f"{prefix}{name}"] = value
    return flat


EXPERIMENTS.register("a_e4_fidelity_and_gain", FidelityAndGain())
