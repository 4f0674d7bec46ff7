"""The committed truth is what fresh draws give."""

from pathlib import Path

import numpy as np
import pytest

from flows.design import load_design, load_profile
from flows.run import open_run, train_everything
from flows.stages import measuring
from flows.truth import planted_truth
from services.storage.store import Store

DRAWS = 20
GENERATORS = ("oracle", "exact_null")


def test_twenty_fresh_draws_agree_with_the_committed_truth(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNTHTRIAL_STATE", str(tmp_path))
    trial = load_design("trial")
    changes = {
        "seed": 77001,
        "replicates": DRAWS,
        "regimes": (165,),
        "generators": tuple(
            g.model_copy(update={"regimes": (165,)} if g.regimes else {})
            for g in trial.generators
            if g.name in GENERATORS
        ),
        "claims": trial.claims.model_copy(update={"generators": GENERATORS}),
    }
    design = trial.model_copy(update=changes)
    with open_run(design, load_profile("embedded"), Store(tmp_path / "store")) as run:
        train_everything(run)
        found, _ = measuring.compare(run.study, run.loaded, run.plan, run.trained)
        truth, _ = planted_truth(design, run.study.grid)
    theta = {row["generator"]: row for row in truth.to_dict("records")}
    for planned, result in found:
        if planned.kind == "gain_vs_control":
            expected = theta[planned.treatment.arm.generator]
            # The interval covers the test documents too, which are the same in all draws.
            error = np.hypot(result.standard_error or 0.0, expected["standard_error"])
            assert result.effect is not None
            assert abs(result.effect - expected["theta"]) < 3 * error


def test_truth_belongs_to_its_place_and_not_to_a_name() -> None:
    design, profile = load_design("trial"), load_profile("embedded")
    from flows.cells import Grid
    from flows.truth import truth_place

    def place(**changes: object) -> str:
        changed = design.model_copy(update=changes)
        return truth_place(Grid(changed, profile, {}), 165, "noisy", "tfidf_linear")

    generators = tuple(
        g.model_copy(update={"backend": "simulator", "parameters": {"preset": "oracle"}})
        if g.name == "noisy"
        else g
        for g in design.generators
    )
    assert place() == place(seed=5, replicates=3, name="other", encoder="minilm")
    others = [place(generators=generators), place(family_parameters={"tfidf_linear": {"C": 0.01}})]
    assert len({place(), place(synthetic_documents=10), *others}) == 4
    raised = truth_place(Grid(design, profile, {"simulator": "2"}), 165, "noisy", "tfidf_linear")
    assert raised != place()
