"""An inversion that is known beforehand: corpora of which fidelity foretells gain one way, then the other.

`python -m flows.inversion` draws theta, the expected gain of every writer of the design `inversion`
over its row twin, and the distance of its corpora to real text, from studies with seeds of their own.
It writes both beside the design, with the correlations that any study of it estimates.
"""

import argparse
import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from flows.design import load_design, load_profile
from flows.run import StudyRun, open_run, train_everything
from flows.stages import measuring
from flows.trial import Comparison, truth_table

FILE = Path(__file__).parent / "designs" / "inversion.json"
DESIGN = "inversion"
# One draw is a study: more replicates of one study share its pool and its test documents.
REPLICATES = 2

Distances = Mapping[tuple[str, str], float]
Floats = npt.NDArray[np.float64]


def main() -> None:
    """Draw the truth and write it down."""
    parser = argparse.ArgumentParser(prog="python -m flows.inversion", description=__doc__)
    parser.add_argument("--seeds", type=int, default=0, help="try the first so many seeds; writes nothing")
    wanted = parser.parse_args().seeds
    if wanted and wanted < 2:
        parser.error("an error of theta takes two seeds at least")
    master = tomllib.loads((resources.files("flows") / "master_seeds.toml").read_text())
    seeds = master["truth"][: wanted or None]
    with open_run(load_design(DESIGN), load_profile("embedded")) as run:
        drawn = {}
        for seed in seeds:
            drawn[seed] = draw(run, seed)
            print(f"study {len(drawn)} of {len(seeds)} (seed {seed})", flush=True)
        record = truth(run, drawn)
    if not wanted:
        FILE.write_text(json.dumps(record, indent=1, sort_keys=True, allow_nan=False) + "\n")
    print(pd.DataFrame(record["correlations"]).to_string(index=False, float_format="%.3f"))


def draw(first: StudyRun, seed: int, replicates: int = REPLICATES) -> tuple[list[Comparison], Distances]:
    """Run one study and return its gains over row twins, and each writer's mean of every metric."""
    design = first.study.design.model_copy(update={"seed": seed, "replicates": replicates})
    run = first.with_study(replace(first.study, design=design))
    train_everything(run)
    compared, _ = measuring.compare(run.study, run.loaded, run.plan, run.trained)
    measured = measuring.measure_fidelity(
        run.study, run.loaded, run.corpora(), run.embeddings, lambda done, total: None
    )
    values: dict[tuple[str, str], list[float]] = {}
    for written, found in measured:
        for one in found:
            values.setdefault((written.key.generator, one.metric), []).append(_known(one.value))
    gains = [(planned, result) for planned, result in compared if planned.kind == "gain_vs_control"]
    return gains, {key: float(np.mean(some)) for key, some in values.items()}


def truth(run: StudyRun, drawn: Mapping[int, tuple[list[Comparison], Distances]]) -> dict[str, Any]:
    """Return theta, distances and their correlations by regime, each with its standard error over studies."""
    design = run.study.design
    table = truth_table({seed: gains for seed, (gains, _) in drawn.items()}, design.margin, run.study.grid)
    names = [generator.name for generator in design.generators]
    gains = np.array([_gains(found, names, design.regimes) for found, _ in drawn.values()])
    distances = np.array(
        [
            [[found[name, metric] for name in names] for metric in design.fidelity_metrics]
            for _, found in drawn.values()
        ]
    )
    return {
        "design": design.name,
        "encoder": design.encoder,
        "seeds": list(drawn),
        "rows": table.to_dict("records"),
        "distances": [
            {"metric": metric, "generator": name, **_mean(distances[:, i, j])}
            for i, metric in enumerate(design.fidelity_metrics)
            for j, name in enumerate(names)
        ],
        "correlations": [
            {"metric": metric, "regime": regime, **correlation(distances[:, i], gains[:, k])}
            for i, metric in enumerate(design.fidelity_metrics)
            for k, regime in enumerate(design.regimes)
        ],
    }


def correlation(distances: Floats, gains: Floats) -> dict[str, float]:
    """Return Pearson's r of the means over studies, with its jackknife standard error.

    Args:
        distances: Shape (studies, writers).
        gains: Shape (studies, writers).

    Source: Efron and Stein (1981), Annals of Statistics 9:586-596.
    """
    studies = len(gains)
    left_out = np.array(
        [_pearson(np.delete(distances, i, axis=0), np.delete(gains, i, axis=0)) for i in range(studies)]
    )
    error = np.sqrt((studies - 1) * np.mean((left_out - left_out.mean()) ** 2))
    return {"pearson": _pearson(distances, gains), "standard_error": float(error)}


def _pearson(distances: Floats, gains: Floats) -> float:
    return float(np.corrcoef(distances.mean(axis=0), gains.mean(axis=0))[0, 1])


def _gains(found: Sequence[Comparison], names: Sequence[str], regimes: Sequence[int]) -> list[list[float]]:
    effects = {
        (planned.treatment.regime, planned.treatment.arm.generator): result.effect
        for planned, result in found
    }
    return [[_known(effects[regime, name]) for name in names] for regime in regimes]


def _known(value: float | None) -> float:
    return np.nan if value is None else value


def _mean(values: Floats) -> dict[str, float]:
    return {"value": float(values.mean()), "standard_error": float(values.std(ddof=1) / np.sqrt(len(values)))}


if __name__ == "__main__":
    main()
