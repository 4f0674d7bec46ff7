"""The planted inversion stands in theta, and the study's own analysis finds it."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from flows import inversion
from flows.design import Design, load_design, load_profile
from flows.run import open_run, run_everything
from flows.truth import planted_truth
from services.domain.seeds import stream
from services.evaluator.correlation.analysis import analyse_correlations
from services.evaluator.correlation.planning import (
    CorpusPoint,
    CorrelatedMetric,
    CorrelationAnalysis,
    CorrelationSpec,
    Fidelity,
    RegimeGain,
)
from services.storage.store import Store

DESIGN = load_design("inversion")
SMALLEST, LARGEST = min(DESIGN.regimes), max(DESIGN.regimes)
RECORD: dict[str, Any] = json.loads(inversion.FILE.read_text())
THETA = pd.DataFrame(RECORD["rows"]).set_index(["regime", "generator"])
DISTANCES = pd.DataFrame(RECORD["distances"]).set_index(["metric", "generator"])
NAMES = [generator.name for generator in DESIGN.generators]
FRESH = ("copies_96", "copies_48", "copies_0")
FRESH_SEED, STUDIES = 77002, 60


def test_the_file_is_of_this_design() -> None:
    assert (RECORD["design"], RECORD["encoder"]) == (DESIGN.name, DESIGN.encoder)
    assert len(NAMES) >= 10 and set(THETA.index) == {(n, name) for n in DESIGN.regimes for name in NAMES}


def test_theta_rises_with_distance_where_real_documents_are_few_and_falls_where_they_are_many() -> None:
    for metric in DESIGN.fidelity_metrics:
        found = {r["regime"]: r for r in RECORD["correlations"] if r["metric"] == metric}
        assert found[SMALLEST]["pearson"] - 3 * found[SMALLEST]["standard_error"] > 0.5
        assert found[LARGEST]["pearson"] + 3 * found[LARGEST]["standard_error"] < -0.5


def test_theta_is_known_well_enough() -> None:
    assert THETA["standard_error"].max() <= 0.005
    ends = THETA["theta"][SMALLEST], THETA["theta"][LARGEST]
    assert ends[0]["copies_0"] > 0.01 > -0.01 > ends[1]["copies_0"]


def test_reports_of_the_design_show_the_truth_beside_the_verdicts(tmp_path: Path) -> None:
    with open_run(DESIGN, load_profile("embedded"), Store(tmp_path / "store")) as run:
        found, note = planted_truth(DESIGN, run.study.grid)
    assert not note
    assert len(found) == len(NAMES) * len(DESIGN.regimes)


@pytest.mark.parametrize(("second", "least", "most"), [(LARGEST, 0.9, 1.0), (SMALLEST, 0.0, 0.0)])
def test_the_analysis_finds_the_inversion_and_only_where_there_is_one(
    second: int, least: float, most: float
) -> None:
    rng = stream(FRESH_SEED, "studies", second)
    inverted = [
        all(one.inverted for one in _analysed(rng, (SMALLEST, second)).inversions) for _ in range(STUDIES)
    ]
    assert least <= np.mean(inverted) <= most


def test_the_jackknife_of_two_studies_is_half_their_distance() -> None:
    distances = np.tile(np.arange(4.0), (2, 1))
    gains = np.array([[0.0, 1.0, 2.0, 3.0], [0.0, 2.0, 1.0, 3.0]])
    found = inversion.correlation(distances, gains)
    assert found["pearson"] == pytest.approx(np.corrcoef(np.arange(4), [0, 1.5, 1.5, 3])[0, 1])
    # Without one study the other is left: r = 1 and r = .8, whose deviations of .1 give sqrt(1/2 * .02).
    assert found["standard_error"] == pytest.approx(0.1)


@pytest.mark.slow
def test_fresh_draws_agree_with_the_committed_truth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNTHTRIAL_STATE", str(tmp_path))
    design = _fewer(generators=FRESH, seed=FRESH_SEED)
    with open_run(design, load_profile("embedded"), Store(tmp_path / "store")) as run:
        drawn = [inversion.draw(run, FRESH_SEED + i)[0] for i in range(5)]
    for planned in [c for c, _ in drawn[0]]:
        effects = [{c.name: r.effect for c, r in found}[planned.name] for found in drawn]
        known = THETA.loc[(planned.treatment.regime, planned.treatment.arm.generator)]
        error = np.hypot(
            np.std(np.array(effects, float), ddof=1) / np.sqrt(len(drawn)), known["standard_error"]
        )
        # Six comparisons with few draws: a twentieth of all runs would fail at this quantile of Student's t.
        limit = stats.t.ppf(1 - 0.05 / 12, len(drawn) - 1)
        assert abs(np.mean(np.array(effects, float)) - known["theta"]) < limit * error


@pytest.mark.slow
def test_a_study_of_the_design_says_that_the_correlation_turns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNTHTRIAL_STATE", str(tmp_path))
    monkeypatch.setenv("SYNTHTRIAL_RESULTS", str(tmp_path / "results"))
    with open_run(DESIGN, load_profile("embedded"), Store(tmp_path / "store")) as run:
        folder = run_everything(run).parent
    found = pd.read_parquet(folder / "inversions.parquet")
    assert found[found["outcome"] == "gain"]["inverted"].all()
    correlations = pd.read_parquet(folder / "gain_correlations.parquet")
    r = correlations[correlations["outcome"] == "gain"].set_index(["metric", "regime"])["pearson"]
    for metric in DESIGN.fidelity_metrics:
        assert r[metric, str(SMALLEST)] > 0 > r[metric, str(LARGEST)]


def _fewer(generators: tuple[str, ...], seed: int) -> Design:
    kept = tuple(DESIGN.generator(name) for name in generators)
    return DESIGN.model_copy(update={"generators": kept, "seed": seed})


def _analysed(rng: np.random.Generator, regimes: tuple[int, int]) -> CorrelationAnalysis:
    """Analyse one simulated study: theta with the noise that a replicate has in the studies behind it."""
    # A committed error is that of a mean over studies of REPLICATES replicates; what replicates share is small.
    scale = np.sqrt(len(RECORD["seeds"]) * inversion.REPLICATES)
    points = []
    for name in NAMES:
        gains = tuple(
            RegimeGain(
                tuple(
                    rng.normal(
                        THETA["theta"][n, name], THETA["standard_error"][n, name] * scale, DESIGN.replicates
                    )
                )
            )
            for n in regimes
        )
        known = tuple(Fidelity(float(DISTANCES["value"][metric, name])) for metric in DESIGN.fidelity_metrics)
        points.append(CorpusPoint(name, "label_conditioned", known, gains))
    metrics = tuple(CorrelatedMetric(metric) for metric in DESIGN.fidelity_metrics)
    return analyse_correlations(
        CorrelationSpec(metrics, ("first", "second"), tuple(points), "first", "second")
    )
