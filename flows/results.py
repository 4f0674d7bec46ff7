"""The tidy tables of a study: pure functions of its design, cells and numbers.

Times, hosts and revisions never enter them, so that two runs can be compared
byte by byte.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from flows.cells import Cell
from flows.conditions import CONDITIONS
from flows.design import Design
from flows.experiments import PlannedContrast
from flows.stages.accounting import Written
from flows.stages.searching import Searched
from flows.stages.training import Trained
from services.domain.measurement import Measurement
from services.evaluator.planning import ContrastResult, WorthResult


def cells_table(design: Design, cells: Sequence[Cell]) -> pd.DataFrame:
    """One row per cell, in the plan's order."""
    return pd.DataFrame([_cell(design, cell) for cell in cells])


def measurements_table(design: Design, cells: Sequence[Cell], trained: Mapping[str, Trained]) -> pd.DataFrame:
    """One row per cell, metric and threshold rule; `value` is null where undefined."""
    rows = []
    for cell in cells:
        result = trained[cell.id]
        common = _cell(design, cell) | {
            "real_documents": result.real_documents,
            "copied_documents": result.copied_documents,
            "synthetic_documents": result.synthetic_documents,
        }
        rows += [common | _measured(m) for m in result.measurements]
    return pd.DataFrame(rows)


def predictions_table(cells: Sequence[Cell], trained: Mapping[str, Trained]) -> pd.DataFrame:
    """Where each cell's scores lie, and the plan they came from."""
    return pd.DataFrame(
        [
            {
                "cell_id": cell.id,
                "predictions_sha256": trained[cell.id].predictions,
                "plan": trained[cell.id].plan,
                "estimates": json.dumps(trained[cell.id].estimates, sort_keys=True),
            }
            for cell in cells
        ]
    )


def contrasts_table(
    results: Iterable[tuple[PlannedContrast, ContrastResult]], without_donor: Mapping[str, float]
) -> pd.DataFrame:
    """One row per contrast, declared ones with a verdict.

    Args:
        results: What was planned and what was found.
        without_donor: By contrast, the share of its control's copies for which no real document
            had the label set.
    """
    rows = [
        {
            "kind": planned.kind,
            "regime": planned.treatment.regime,
            "arm": planned.treatment.arm.name,
            "control": planned.control.arm.name,
            "generator": planned.treatment.arm.generator,
            "classifier_family": planned.treatment.family,
            "score": "micro_f1",
            "declared": planned.declared,
            "reading": "",
            "without_donor_share": without_donor.get(planned.name),
        }
        | contrast_values(result)
        for planned, result in results
    ]
    return pd.DataFrame(rows)


def contrast_values(result: ContrastResult) -> dict[str, Any]:
    """The numbers of a contrast as columns."""
    wide, narrow = result.interval95, result.interval90
    return {
        "name": result.name,
        "effect": result.effect,
        "low95": wide.low if wide else None,
        "high95": wide.high if wide else None,
        "low90": narrow.low if narrow else None,
        "high90": narrow.high if narrow else None,
        "standard_error": result.standard_error,
        "degrees_of_freedom": result.degrees_of_freedom,
        "p_value": result.p_value,
        "adjusted_p_value": result.adjusted_p_value,
        "verdict": result.verdict,
        "mde": result.mde,
        "replicate_count": result.replicate_count,
        "test_family_count": result.test_family_count,
        "positive_count": result.positive_count,
        "conditional": result.conditional,
        "note": result.note,
        "treatment_mean": result.treatment_mean,
        "control_mean": result.control_mean,
    }


def worths_table(worths: Iterable[WorthResult]) -> pd.DataFrame:
    """One row per ruler that was read."""
    rows = []
    for worth in worths:
        _, regime, family, arm = worth.name.split("|")
        rows.append(
            {
                "name": worth.name,
                "regime": int(regime),
                "generator": arm.split(":")[1],
                "classifier_family": family,
                "worth": worth.worth,
                "low": worth.low,
                "high": worth.high,
                "less_than_none": worth.less_than_none,
                "more_than_cap": worth.more_than_cap,
                "cap": worth.cap,
                "note": worth.note,
            }
        )
    return pd.DataFrame(rows)


def fidelity_table(measured: Iterable[tuple[Written, tuple[Measurement, ...]]]) -> pd.DataFrame:
    """One row per corpus and metric, with floor and ceiling where they are defined."""
    rows = []
    for written, measurements in measured:
        for m in measurements:
            rows.append(
                _corpus(written)
                | {
                    "metric": m.metric,
                    "value": m.value,
                    "low": m.interval.low if m.interval else None,
                    "high": m.interval.high if m.interval else None,
                    "floor": m.estimates.get("floor"),
                    "ceiling": m.estimates.get("ceiling"),
                    "normalised": m.estimates.get("normalised"),
                    "sample_count": m.sample_count,
                    "undefined_reason": m.undefined_reason,
                }
            )
    return pd.DataFrame(rows)


def rejections_table(written: Iterable[Written]) -> pd.DataFrame:
    """One row per corpus, and where it lies: requested = accepted + rejected + failed."""
    return pd.DataFrame(
        [
            _corpus(w)
            | {
                "requested": w.requested,
                "accepted": w.accepted,
                "rejected": sum(w.rejected.values()),
                "failed": sum(w.failed.values()),
                "corpus": w.corpus,
            }
            for w in written
        ]
    )


def rejection_reasons_table(written: Iterable[Written]) -> pd.DataFrame:
    """One row per corpus, outcome and reason."""
    rows = []
    for w in written:
        for outcome, counts in (("rejected", w.rejected), ("failed", w.failed), ("flagged", w.flagged)):
            rows += [
                _corpus(w) | {"outcome": outcome, "reason": reason, "count": count}
                for reason, count in sorted(counts.items())
            ]
    return pd.DataFrame(rows)


def rejection_examples_table(written: Iterable[Written]) -> pd.DataFrame:
    """Examples of the first replicate's rejected or flagged documents."""
    rows = [
        {"generator": w.key.generator, **example}
        for w in written
        if w.key.replicate == 0
        for example in w.examples
    ]
    return pd.DataFrame(rows)


def retrieval_table(searched: Iterable[Searched]) -> pd.DataFrame:
    """One row per index, reading, metric and replicate."""
    rows = []
    for found in searched:
        for m in found.measurements:
            rows.append(
                {
                    "reading": found.reading,
                    "arm": found.arm,
                    "generator": found.generator,
                    "replicate": found.replicate,
                    "metric": m["metric"],
                    "value": m["value"],
                    "sample_count": m["sample_count"],
                    "undefined_reason": m["undefined_reason"],
                }
            )
    return pd.DataFrame(rows)


def _cell(design: Design, cell: Cell) -> dict[str, Any]:
    arm = cell.arm
    generator = design.generator(arm.generator) if arm.generator else None
    return {
        "cell_id": cell.id,
        "regime": cell.regime,
        "arm": arm.name,
        "condition": arm.condition,
        "role": CONDITIONS.get(arm.condition).role,
        "generator": arm.generator,
        "strategy": generator.strategy if generator else "",
        "genre": generator.genre if generator else "",
        "classifier_family": cell.family,
        "replicate": cell.replicate,
    }


def _measured(measurement: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "metric": measurement["metric"],
        "threshold_rule": measurement["threshold_rule"],
        "value": measurement["value"],
        "undefined_reason": measurement["undefined_reason"],
        "sample_count": measurement["sample_count"],
        "estimates": json.dumps(dict(measurement["estimates"]), sort_keys=True),
    }


def _corpus(written: Written) -> dict[str, Any]:
    key = written.key
    return {
        "generator": key.generator,
        "replicate": key.replicate,
        "regime_scope": str(key.regime) if key.regime else "all",
    }
