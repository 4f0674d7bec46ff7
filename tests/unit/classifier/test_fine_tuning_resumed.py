"""A killed fit goes on where it stood, to the same bytes."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from services.classifier.fine_tuning import progress
from services.classifier.fine_tuning.loop import Training
from services.classifier.fine_tuning.progress import SavedStanding, Standing
from services.classifier.training import train
from services.domain.plan import Stage, TrainingPlan
from services.storage.store import Store
from tests.unit.classifier.tuned import copied, spec_of


class Killed(BaseException):
    """Stands for SIGKILL."""


@pytest.mark.parametrize("freeze", [0, 1])
def test_a_killed_fit_goes_on_to_the_same_bytes(
    store: Store, checkpoint: str, monkeypatch: pytest.MonkeyPatch, freeze: int
) -> None:
    monkeypatch.setattr(progress, "SECONDS_BETWEEN", 0.0)
    elsewhere = Store(store.root.parent / "elsewhere")
    spec = spec_of(store, checkpoint, parameters={"freeze": freeze, "patience": 12})
    stages = TrainingPlan((spec.plans[1].stages[0], Stage(spec.plans[0].stages[0].parts, "focal")))
    spec = dataclasses.replace(spec, plans=(stages,))
    undisturbed = train({"store": str(elsewhere.root), "spec": copied(spec, elsewhere)}, lambda _: None)
    saves, steps = list[tuple[int, int]](), list[int]()
    save, step = SavedStanding.save, Training._step

    def killing(self: SavedStanding, standing: Standing) -> None:
        save(self, standing)
        saves.append((standing.stage, standing.step))
        if len(saves) in (3, 17, 27):
            raise Killed

    def counting(self: Training, *arguments: Any) -> None:
        steps.append(1)
        step(self, *arguments)

    monkeypatch.setattr(SavedStanding, "save", killing)
    monkeypatch.setattr(Training, "_step", counting)
    for _ in range(3):
        with pytest.raises(Killed):
            train({"store": str(store.root), "spec": spec}, lambda _: None)
        assert list((store.root / "standings").glob("*.safetensors"))
    resumed = train({"store": str(store.root), "spec": spec}, lambda _: None)
    assert resumed["results"] == undisturbed["results"]
    assert saves[:4] == [(0, 4), (0, 8), (0, 12), (0, 16)]
    # Every step of two stages and of the refit is taken once, whoever takes it.
    refitted = int(json.loads(store.get_arrays(resumed["results"][0])[1]["estimates"])["steps"])
    assert len(steps) == 96 + refitted
    assert not list((store.root / "standings").iterdir())


def test_a_damaged_standing_is_begun_again(tmp_path: Path) -> None:
    path = tmp_path / "standing.safetensors"
    path.write_bytes(b"half of a file")
    assert SavedStanding(path).load() is None
