"""Compare indexes query by query, and average what they score over replicates."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from flows import results as tables
from flows.report.columns import empty_table
from flows.report.scores import mean_interval
from flows.report.sections.searched import FURTHER_KIND
from flows.run import StudyRun
from flows.stages import searching
from services.domain.artifact import ArtifactRef
from services.evaluator.planning import ContrastSpec

RETRIEVAL_SCORE = "ndcg@10"


def retrieval_contrasts(run: StudyRun, searched: Sequence[searching.Searched]) -> pd.DataFrame:
    """Compare each generator's index with its row twin's, query by query."""
    by_place: dict[tuple[str, str], list[searching.Searched]] = {}
    for found in searched:
        by_place.setdefault((found.reading, found.arm), []).append(found)
    further = {search.arm: search.against for search in run.plan.searches if search.against}
    specs = [
        (reading, arm, control, _search_contrast(reading, arm, control, by_place))
        for reading, arm in by_place
        for control in (*_search_controls(arm), *([further[arm]] if arm in further else ()))
        if (reading, control) in by_place
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
            "kind": "retrieval" if control in _search_controls(arm) else FURTHER_KIND,
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
    mean, low, high = mean_interval(values.tolist()) if len(values) else (None, None, None)
    return {"value": mean, "low": low, "high": high}


def _search_controls(arm: str) -> list[str]:
    condition, _, generator = arm.partition(":")
    if condition == "synthesis":
        return [f"row_twin:{generator}", "real_only"]
    return ["real_only"] if condition in ("new_real", "row_twin") else []


def _search_contrast(
    reading: str, arm: str, control: str, by_place: dict[tuple[str, str], list[searching.Searched]]
) -> ContrastSpec:
    # Corpora that are embedded in some replicates only are searched in those.
    shared = set.intersection(*({s.replicate for s in by_place[reading, name]} for name in (arm, control)))

    def arrays(name: str) -> tuple[ArtifactRef, ...]:
        found = sorted(by_place[reading, name], key=lambda searched: searched.replicate)
        return tuple(ArtifactRef.stored(s.per_query) for s in found if s.replicate in shared)

    name = f"retrieval|{reading}|{arm}|{control}"
    return ContrastSpec(name, arrays(arm), arrays(control), declared=False, score=RETRIEVAL_SCORE)
