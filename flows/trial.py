"""Does the procedure find what was planted? Truth by Monte Carlo, verdicts over master seeds.

`python -m flows.trial truth` draws theta, the expected gain of every simulated
generator over its row twin, from studies with seeds of their own, and writes
the file that reports show beside verdicts. `python -m flows.trial score` runs
the same reduced study over the master seeds and tabulates verdicts against truth.
"""

import argparse
import json
import sys
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib import resources
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from flows.cells import Grid
from flows.design import load_design, load_profile
from flows.experiments import PlannedContrast
from flows.run import StudyRun, open_run, train_everything
from flows.stages import measuring
from flows.trial_page import confusion, page
from flows.truth import planted_truth, truth_place
from services.domain.errors import NotFoundError
from services.evaluator.planning import ContrastResult

TRUTH = Path(__file__).parent / "designs" / "truth.json"
POWER = 0.95
TARGET_STANDARD_ERROR = 0.002

PAGE = Path("docs") / "trial.md"
# The commit that froze presets, dials, margin and seeds, before the first scored run.
FROZEN_IN = "5554b3d"

Comparison = tuple[PlannedContrast, ContrastResult]


def studies(first: StudyRun, seeds: Sequence[int]) -> Iterator[tuple[int, list[Comparison]]]:
    """Run one study per seed over the same services and yield its contrasts against row twins."""
    for seed in seeds:
        design = first.study.design.model_copy(update={"seed": seed})
        run = first.with_study(replace(first.study, design=design))
        train_everything(run)
        yield seed, _gains(run)


def truth_table(comparisons: dict[int, list[Comparison]], margin: float, grid: Grid) -> pd.DataFrame:
    """Return theta per place with its standard error over studies, and its class.

    A study's mean over replicates is one draw: its replicates share the pool
    and the test documents.
    """
    rows = []
    for planned in [c for c, _ in next(iter(comparisons.values()))]:
        results = [{c.name: r for c, r in found}[planned.name] for found in comparisons.values()]
        effects = np.array([result.effect for result in results], dtype=float)
        theta, error = float(effects.mean()), float(effects.std(ddof=1) / np.sqrt(len(effects)))
        arm = planned.treatment
        rows.append(
            {
                "place": truth_place(grid, arm.regime, arm.arm.generator, arm.family),
                # This study embeds nothing, so its numbers hold whatever the encoder.
                "encoder": "",
                "generator": arm.arm.generator,
                "regime": arm.regime,
                "classifier_family": arm.family,
                "theta": theta,
                "standard_error": error,
                "truth_class": truth_class(theta, error, margin),
                "study_count": len(effects),
                "mde_95": _detectable(results, claims=4),
            }
        )
    return pd.DataFrame(rows)


def truth_class(theta: float, error: float, margin: float) -> str:
    """Return better, equivalent or worse, or unclear within two standard errors of the margin."""
    if min(abs(theta - margin), abs(theta + margin)) < 2 * error:
        return "unclear"
    if abs(theta) <= margin:
        return "equivalent"
    return "better" if theta > 0 else "worse"


def main() -> None:
    """Run the command that was asked for."""
    parser = argparse.ArgumentParser(prog="python -m flows.trial", description=__doc__)
    parser.add_argument("command", choices=["truth", "score"])
    parser.add_argument("--seeds", type=int, default=0, help="use only the first so many seeds")
    arguments = parser.parse_args()
    seeds = tomllib.loads((resources.files("flows") / "master_seeds.toml").read_text())
    chosen = seeds["truth" if arguments.command == "truth" else "scored"][: arguments.seeds or None]
    with open_run(load_design("trial"), load_profile("embedded")) as run:
        if arguments.command == "truth":
            _write_truth(run, chosen)
        else:
            _write_score(run, chosen)


def _write_truth(run: StudyRun, seeds: Sequence[int]) -> None:
    found: dict[int, list[Comparison]] = {}
    for seed, comparisons in studies(run, seeds):
        found[seed] = comparisons
        print(f"study {len(found)} of {len(seeds)} (seed {seed})", flush=True)
    table = truth_table(found, run.study.design.margin, run.study.grid)
    record = {"seeds": list(seeds), "rows": table.to_dict("records")}
    TRUTH.write_text(json.dumps(record, indent=1, sort_keys=True) + "\n")
    print(table.to_string(index=False, float_format="%.4f"))
    large = table[table["standard_error"] > TARGET_STANDARD_ERROR]
    if len(large):
        print(f"{len(large)} standard errors exceed {TARGET_STANDARD_ERROR}: add seeds")


def _write_score(run: StudyRun, seeds: Sequence[int]) -> None:
    design = run.study.design
    truth, lacking = planted_truth(design, run.study.grid)
    if lacking:
        raise NotFoundError(lacking, name=str(TRUTH))
    rows = []
    for seed, comparisons in studies(run, seeds):
        for planned, result in comparisons:
            if planned.declared:
                place = planned.treatment
                rows.append(
                    {
                        "seed": seed,
                        "generator": place.arm.generator,
                        "regime": place.regime,
                        "classifier_family": place.family,
                        "effect": result.effect,
                        "verdict": str(result.verdict),
                    }
                )
        print(f"seed {seed}: " + ", ".join(f"{r['generator']} {r['verdict']}" for r in rows[-4:]), flush=True)
    found = confusion(pd.DataFrame(rows), truth, design.margin)
    text = page(design, found, seeds, FROZEN_IN)
    PAGE.write_text(text)
    print(text)
    if any(row.fault for row in found):
        sys.exit(1)


def _gains(run: StudyRun) -> list[Comparison]:
    found, _ = measuring.compare(run.study, run.loaded, run.plan, run.trained)
    return [(planned, result) for planned, result in found if planned.kind == "gain_vs_control"]


def _detectable(results: Sequence[ContrastResult], claims: int) -> float:
    """Smallest effect found with power .95 when Holm is at its strictest."""
    error = float(np.mean([r.standard_error for r in results]))
    freedom = float(np.mean([r.degrees_of_freedom for r in results]))
    quantile = stats.t.ppf(1 - 0.05 / (2 * claims), freedom) + stats.t.ppf(POWER, freedom)
    return float(quantile * error)


if __name__ == "__main__":
    main()
