"""The training job's threads, and torch's."""

import dataclasses
from typing import Any

import pytest
import torch

from services.classifier.objectives.focal import Focal
from services.classifier.training import train
from services.storage.store import Store
from tests.unit.classifier.separable import MULTI, separable_spec


@pytest.mark.parametrize("family", ["tfidf_linear", "frozen_encoder"])
def test_threads_that_train_under_an_objective_do_not_share_torchs_threads(
    store: Store, monkeypatch: pytest.MonkeyPatch, family: str
) -> None:
    monkeypatch.setenv("SYNTHTRIAL_THREADS", "2")
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    seen: list[int] = []
    losses = Focal.losses

    def noting(*arguments: Any) -> Any:
        seen.append(torch.get_num_threads())
        return losses(*arguments)

    monkeypatch.setattr(Focal, "losses", noting)
    spec = separable_spec(store, MULTI, family)
    focal = tuple(
        dataclasses.replace(p, stages=(dataclasses.replace(p.stages[0], objective="focal"),))
        for p in spec.plans
    )
    try:
        train({"store": str(store.root), "spec": dataclasses.replace(spec, plans=focal)}, lambda _: None)
        assert set(seen) == {1}
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
