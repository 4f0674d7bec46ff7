"""A bit flips in a stored object: what was computed is computed anew, what was given stops the study.

Measured on two cores that others used as well: 45 s.
"""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flows.run import StudyRun, run_everything
from services.domain.errors import DataLossError
from services.rpc.status import code_of
from services.storage.store import Store
from tests.faults.small_study import measurements, opened

pytestmark = pytest.mark.faults

# What is damaged, and which answers are missing, so that it is read again.
TRAINED = ("cell", "plan_result", "prediction_scores", "arm_comparison")
DERIVED = {
    "plan_result": ("arm_comparison",),
    "arm_comparison": (),
    "prediction_scores": ("cell",),
    "term_counts": TRAINED,
    "cell": (),
    "synthetic_corpus": (),
    "corpus": TRAINED,
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished study."""
    folder = tmp_path_factory.mktemp("whole") / "study"
    with opened(folder) as run:
        run_everything(run)
    return folder


@pytest.fixture
def again(whole: Path, tmp_path: Path) -> Iterator[StudyRun]:
    """The same study over a copy of its store, not yet begun."""
    shutil.copytree(whole / "store", tmp_path / "study" / "store")
    with opened(tmp_path / "study") as run:
        yield run


@pytest.mark.parametrize("kind", DERIVED)
def test_what_was_computed_is_set_aside_computed_anew_and_reported(
    again: StudyRun, whole: Path, tmp_path: Path, kind: str
) -> None:
    store = again.study.store
    damaged = _answer(store, kind)
    _flip_a_bit(store, damaged)
    _forget(store, DERIVED[kind])

    report = run_everything(again)

    assert measurements(tmp_path / "study") == measurements(whole)
    assert again.set_aside == [damaged]
    environment = json.loads((report.parent / "environment.json").read_text())
    assert environment["damaged_objects_set_aside"] == [damaged]
    assert store.objects.path(damaged).with_suffix(".corrupt").is_file()
    assert store.objects.get(damaged)


@pytest.mark.parametrize("name", ["train", "test"])
def test_what_was_given_stops_the_study_by_name(again: StudyRun, name: str) -> None:
    store = again.study.store
    given = store.get_json(_answer(store, "material"))[name]
    _flip_a_bit(store, given)
    _forget(store, TRAINED)

    with pytest.raises(
        DataLossError, match=f"object {given} is damaged.*restore it if it was an input"
    ) as caught:
        run_everything(again)

    assert code_of(caught.value).name == "DATA_LOSS"
    assert caught.value.metadata["sha256"] == given
    assert store.objects.path(given).is_file()
    assert not again.set_aside


def test_a_damaged_key_stops_the_study_by_name(again: StudyRun) -> None:
    store = again.study.store
    (key, *_) = (path for path, asked in _asked(store) if _kind(asked) == "cell")
    key.write_bytes(key.read_bytes()[:-20])
    with pytest.raises(DataLossError, match=f"key {key.name} is damaged; delete the file and run again"):
        run_everything(again)


def _asked(store: Store) -> Iterator[tuple[Path, dict[str, Any]]]:
    for path in sorted(store.root.glob("keys/??/*.json")):
        yield path, json.loads(path.read_bytes())["specification"]


def _kind(asked: dict[str, Any]) -> str:
    return str(asked.get("kind") or asked.get("what") or asked.get("computed"))


def _answer(store: Store, kind: str) -> str:
    """Return the first answer of a kind; a corpus is what the account of its writing names."""
    if kind == "corpus":
        return str(store.get_json(_answer(store, "synthetic_corpus"))["corpus"])
    return next(
        str(json.loads(p.read_bytes())["answer"]["sha256"]) for p, a in _asked(store) if _kind(a) == kind
    )


def _flip_a_bit(store: Store, sha256: str) -> None:
    path = store.objects.path(sha256)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def _forget(store: Store, kinds: tuple[str, ...]) -> None:
    for path, asked in list(_asked(store)):
        if _kind(asked) in kinds:
            path.unlink()
    # The record of a run that has succeeded would answer in their place.
    if "plan_result" in kinds:
        shutil.rmtree(store.root / "runs")
