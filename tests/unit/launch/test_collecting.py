import os
import time
from pathlib import Path

import numpy as np
import pytest

from services.domain.errors import PreconditionError
from services.storage.store import Store
from synthtrial.collecting import delete, find_garbage


def aged(store: Store) -> None:
    for path in (store.root / "objects").glob("??/*"):
        os.utime(path, (1000, 1000))


def test_what_a_key_leads_to_stays_over_any_number_of_steps(store: Store, tmp_path: Path) -> None:
    leaf = store.put_arrays({"a": np.ones(2)}, {})
    middle = store.put_arrays({"b": np.ones(3)}, {"of": leaf.sha256})
    top = store.put_json({"predictions": middle.sha256})
    loose = store.put_json({"nobody": "asks"})
    named = store.put_json(["named by the question"])
    store.publish({"kind": "cell", "input": named.sha256}, top)
    aged(store)

    garbage = find_garbage(store, tmp_path)

    assert [path.name for path in garbage.files] == [loose.sha256]
    assert garbage.kept_count == 4
    delete(garbage)
    assert not store.objects.has(loose.sha256)
    assert store.get_arrays(leaf)[0]["a"].sum() == 2


def test_young_objects_are_spared(store: Store, tmp_path: Path) -> None:
    store.put_json({"a": "study at work stores this first"})
    assert find_garbage(store, tmp_path).files == ()


def test_a_file_that_vanishes_meanwhile_is_passed_over(store: Store, tmp_path: Path) -> None:
    loose = store.put_json({"nobody": "asks"})
    aged(store)
    # Listed, but gone when it is looked at.
    (store.root / "objects" / loose.sha256[:2] / ".tmp.renamed").symlink_to(tmp_path / "gone")

    assert [path.name for path in find_garbage(store, tmp_path).files] == [loose.sha256]


def test_a_folder_without_a_store_says_so(tmp_path: Path) -> None:
    with pytest.raises(PreconditionError, match="holds no store"):
        find_garbage(Store(tmp_path / "nothing"), tmp_path)


def test_where_nobody_went_on_fine_tuning_is_garbage_once_it_is_old(store: Store, tmp_path: Path) -> None:
    store.put_json({"named": "by a key"})
    folder = store.root / "standings"
    folder.mkdir()
    for name, age in (("old", 90_000), ("young", 0)):
        path = folder / f"{name}.safetensors"
        path.write_bytes(b"half way")
        os.utime(path, (time.time() - age,) * 2)
    assert [path.name for path in find_garbage(store, tmp_path).files] == ["old.safetensors"]
