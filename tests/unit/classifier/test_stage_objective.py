"""Objectives in training: which are taken, which refused, and that each plan has its own."""

import dataclasses

import numpy as np
import pytest

from services.domain.plan import Stage, TrainingPlan
from services.storage.store import Store
from tests.unit.classifier.separable import MULTI, SINGLE, separable_spec
from tests.unit.classifier.test_training import FAMILY_NAMES, refuse, run

BAD_OBJECTIVES = {
    "fokal": "did you mean 'focal'",
    "zebra": "it has: asymmetric, class_balanced",
    "focal(gamma": "not 'focal\\(gamma'",
    "focal(alpha=1)": "focal has no parameter 'alpha'; it has: gamma",
    "focal(gamma=-1)": "gamma has to be 0 or above",
    'focal(gamma="2")': "is number",
}


@pytest.mark.parametrize("written", BAD_OBJECTIVES)
def test_bad_objectives_are_refused(store: Store, written: str) -> None:
    spec = separable_spec(store, MULTI, "tfidf_linear")
    stage = Stage(spec.plans[0].stages[0].parts, written)
    changed = dataclasses.replace(spec, plans=(spec.plans[1], TrainingPlan((stage,))))
    refuse(store, changed, BAD_OBJECTIVES[written], "plans[1].stages[0].objective")


def test_objectives_of_multi_label_tasks_are_refused_for_one_label(store: Store) -> None:
    spec = separable_spec(store, SINGLE, "tfidf_linear")
    stage = Stage(spec.plans[0].stages[0].parts, "asymmetric")
    changed = dataclasses.replace(spec, plans=(TrainingPlan((stage,)),))
    refuse(
        store,
        changed,
        "only for multi-label ones; defined are: class_balanced",
        "plans[0].stages[0].objective",
    )


@pytest.mark.parametrize("family", FAMILY_NAMES)
def test_plans_of_one_run_may_have_different_objectives(store: Store, family: str) -> None:
    spec = separable_spec(store, MULTI, family)
    parts = spec.plans[0].stages[0].parts
    written = ("log_loss", "focal", "focal(gamma=0)", "focal(gamma=4)")
    results = run(
        store, dataclasses.replace(spec, plans=tuple(TrainingPlan((Stage(parts, o),)) for o in written))
    )
    plain, focal, none, strong = (arrays["test_scores"] for arrays, _ in results)
    assert none == pytest.approx(plain, abs=0.02)
    # The stronger the focus, the less it pays to be sure.
    assert np.abs(strong - 0.5).mean() < np.abs(focal - 0.5).mean() < np.abs(plain - 0.5).mean()
