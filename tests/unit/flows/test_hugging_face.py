"""Datasets of the hub and folders laid out like them, read as a study's real documents."""

import json
import shutil
from pathlib import Path
from typing import Any, cast

import pytest

from flows.datasets import DATASETS
from services.domain.corpus import Corpus
from services.domain.errors import InvalidInputError, NotFoundError, PreconditionError, StudyError
from services.domain.task import TaskType
from services.generator.client import GeneratorClient
from tests.unit.flows.saved_datasets import (
    CLASSES,
    ONE_CLASS,
    TEXTS,
    features,
    labelled,
    save_splits,
    save_to_disk,
    write_parquet,
)

NO_GENERATOR = cast(GeneratorClient, None)


def load(name: Path | str, **parameters: Any) -> Corpus:
    return DATASETS.get("hugging_face").load({"name": str(name), **parameters}, 0, 0, NO_GENERATOR)


def identity(name: Path | str, **parameters: Any) -> Any:
    return DATASETS.get("hugging_face").identity({"name": str(name), **parameters})


def labels(corpus: Corpus) -> list[tuple[str, ...]]:
    return [document.labels for document in corpus.documents]


def refused(kind: type[StudyError], name: Path | str, **parameters: Any) -> str:
    with pytest.raises(kind) as found:
        load(name, **parameters)
    return found.value.message


def test_a_saved_dataset_gives_its_texts_with_the_names_of_their_classes(tmp_path: Path) -> None:
    corpus = load(save_to_disk(tmp_path / "d", labelled(0, 1, 2, 1), features()))
    assert corpus.texts == TEXTS
    assert labels(corpus) == [(CLASSES[i],) for i in (0, 1, 2, 1)]
    assert corpus.task.type is TaskType.SINGLE_LABEL
    assert corpus.task.labels == tuple(sorted(CLASSES))


def test_shards_are_read_one_after_another(tmp_path: Path) -> None:
    corpus = load(save_to_disk(tmp_path / "d", labelled(0, 1, 2, 1), features(), shards=2))
    assert corpus.texts == (TEXTS[0], TEXTS[2], TEXTS[1], TEXTS[3])
    assert labels(corpus) == [(CLASSES[i],) for i in (0, 2, 1, 1)]


@pytest.mark.parametrize(
    "several",
    [
        {"feature": ONE_CLASS, "_type": "List"},
        {"feature": ONE_CLASS, "length": -1, "_type": "Sequence"},
        [ONE_CLASS],
    ],
    ids=["list", "sequence", "old"],
)
def test_lists_of_classes_are_several_labels(several: Any, tmp_path: Path) -> None:
    folder = save_to_disk(tmp_path / "d", labelled([0], [2, 1], [1]), features(several))
    corpus = load(folder)
    assert corpus.task.type is TaskType.MULTI_LABEL
    assert labels(corpus) == [("hearing aids",), ("canes", "ramps, lifts"), ("ramps, lifts",)]


def test_lists_are_several_labels_also_where_no_document_has_two(tmp_path: Path) -> None:
    folder = save_to_disk(tmp_path / "d", labelled(["a"], ["b"]), {})
    assert load(folder).task.type is TaskType.MULTI_LABEL
    assert load(folder, task_type="single_label").task.type is TaskType.SINGLE_LABEL


def test_columns_of_zeros_and_ones_are_labels_named_like_the_columns(tmp_path: Path) -> None:
    rows = [{"body": TEXTS[0], "ear": 1, "stair": 0}, {"body": TEXTS[1], "ear": 1, "stair": 1}]
    write_parquet(tmp_path / "train.parquet", rows)
    assert labels(load(tmp_path, labels=["ear", "stair"])) == [("ear",), ("ear", "stair")]


def test_all_splits_are_read_unless_some_are_named(tmp_path: Path) -> None:
    rows = labelled(0, 1, 2, 1)
    folder = save_splits(
        tmp_path / "d", {"train": rows[:2], "test": rows[2:3], "spare": rows[3:]}, features()
    )
    assert load(folder).texts == TEXTS
    assert load(folder, split="test").texts == TEXTS[2:3]
    assert load(folder, splits=["spare", "train"]).texts == (*TEXTS[:2], TEXTS[3])


def test_ids_of_several_splits_are_told_apart(tmp_path: Path) -> None:
    rows = [{"idx": str(i % 2), **row} for i, row in enumerate(labelled(0, 1, 2, 1))]
    folder = save_splits(tmp_path / "d", {"train": rows[:2], "test": rows[2:]}, features())
    assert load(folder, id="idx").ids == ("train/0", "train/1", "test/0", "test/1")
    assert load(folder, id="idx", split="test").ids == ("0", "1")
    assert len(set(load(folder).ids)) == 4


def test_a_family_column_joins_documents(tmp_path: Path) -> None:
    rows = [{"group": name, **row} for name, row in zip("xyx", labelled(0, 1, 2), strict=True)]
    folder = save_to_disk(tmp_path / "d", rows, features())
    assert load(folder, family="group").families == ("x", "y", "x")


@pytest.mark.parametrize(
    "name",
    [
        "train.parquet",
        "data/train-00000-of-00001.parquet",
        "data/train-00000-of-00001-0123456789abcdef.parquet",
        "train/0000.parquet",
        "plain_text/train-00000-of-00001.parquet",
        "plain_text/train/0000.parquet",
    ],
)
def test_files_are_in_the_split_that_their_names_say(name: str, tmp_path: Path) -> None:
    write_parquet(tmp_path / name, labelled(0, 1), features())
    write_parquet(tmp_path / name.replace("train", "test"), labelled(2), features())
    (tmp_path / "README.md").write_text("# a card")
    assert labels(load(tmp_path, split="train")) == [("hearing aids",), ("ramps, lifts",)]
    assert labels(load(tmp_path, split="test")) == [("canes",)]


def test_lines_of_json_have_their_classes_described_beside_them(tmp_path: Path) -> None:
    (tmp_path / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in labelled(0, 2)))
    assert labels(load(tmp_path)) == [("0",), ("2",)]
    (tmp_path / "dataset_info.json").write_text(json.dumps({"features": features()}))
    assert labels(load(tmp_path)) == [("hearing aids",), ("canes",)]


def test_of_several_configurations_one_is_chosen(tmp_path: Path) -> None:
    write_parquet(tmp_path / "cola" / "train-00000-of-00001.parquet", labelled(0, 1), features())
    write_parquet(tmp_path / "sst2" / "train-00000-of-00001.parquet", labelled(2, 2), features())
    assert "cola, sst2; choose one" in refused(InvalidInputError, tmp_path)
    assert "did you mean 'sst2'?" in refused(InvalidInputError, tmp_path, configuration="sst")
    assert labels(load(tmp_path, configuration="sst2")) == [("canes",), ("canes",)]


def test_rare_labels_can_be_left_out(tmp_path: Path) -> None:
    folder = save_to_disk(tmp_path / "d", labelled(0, 1, 2, 1), features())
    assert load(folder, minimum_label_documents=2).texts == (TEXTS[1], TEXTS[3])


def test_a_changed_file_is_another_dataset_and_a_moved_folder_is_not(tmp_path: Path) -> None:
    folder = save_to_disk(tmp_path / "d", labelled(0, 1), features())
    before = identity(folder)
    shutil.copytree(folder, tmp_path / "moved")
    assert identity(tmp_path / "moved") == before
    shutil.rmtree(folder)
    save_to_disk(folder, labelled(1, 0), features())
    assert identity(folder) != before


def test_other_names_of_the_classes_are_another_dataset(tmp_path: Path) -> None:
    folder = save_to_disk(tmp_path / "d", labelled(0, 1), features())
    before = identity(folder)
    described = features({**ONE_CLASS, "names": ["x", "y", "z"]})
    (folder / "dataset_info.json").write_text(json.dumps({"features": described}))
    assert identity(folder) != before


def test_only_the_splits_read_are_part_of_the_identity(tmp_path: Path) -> None:
    rows = labelled(0, 1, 2)
    folder = save_splits(tmp_path / "d", {"train": rows[:2], "test": rows[2:]}, features())
    assert set(identity(folder, split="test")["files"]) == {
        "test/data-00000-of-00001.arrow",
        "test/dataset_info.json",
    }


def test_a_name_out_of_reach_says_how_to_fetch_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    said = refused(PreconditionError, "somebody/no-such-dataset", revision="v1")
    assert "HF_HUB_OFFLINE forbids" in said
    assert "hf download --repo-type dataset somebody/no-such-dataset --revision v1" in said


def test_a_name_that_was_fetched_is_read_from_the_cache(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    commit = "0123456789abcdef0123456789abcdef01234567"
    kept = tmp_path / "datasets--somebody--aids"
    write_parquet(
        kept / "snapshots" / commit / "data" / "train-00000-of-00001.parquet", labelled(0), features()
    )
    (kept / "refs").mkdir()
    (kept / "refs" / "main").write_text(commit)
    assert labels(load("somebody/aids")) == [("hearing aids",)]
    assert identity("somebody/aids") == identity(kept / "snapshots" / commit)
    assert labels(load("somebody/aids", revision=commit)) == [("hearing aids",)]


@pytest.mark.parametrize("name", ["./absent", "/absent", "~/absent", "a/b/c", "absent/"])
def test_what_can_only_be_a_folder_is_not_looked_for_on_the_hub(name: str) -> None:
    assert "there is no folder" in refused(NotFoundError, name)


def test_what_is_wrong_with_the_parameters_is_said(tmp_path: Path) -> None:
    folder = save_to_disk(tmp_path / "d", labelled(0, 1), features())
    assert "name a folder" in refused(InvalidInputError, "")
    assert "no parameter 'spilt'; there are" in refused(InvalidInputError, folder, spilt="train")
    assert "did you mean 'split'?" in refused(InvalidInputError, folder, spilt="train")
    assert "no split 'tain'; there are: train; did you mean" in refused(
        InvalidInputError, folder, split="tain"
    )
    assert "no configuration 'x'" in refused(InvalidInputError, folder, configuration="x")
    assert "no revisions" in refused(InvalidInputError, folder, revision="v1")
    assert "no column 'body'" in refused(InvalidInputError, folder, text="body")
    assert "multi_label or single_label" in refused(InvalidInputError, folder, task_type="both")


def test_a_split_in_two_kinds_of_files_is_not_read_twice(tmp_path: Path) -> None:
    write_parquet(tmp_path / "train.parquet", labelled(0, 1), features())
    (tmp_path / "train.jsonl").write_text(json.dumps(labelled(0)[0]))
    assert "as .jsonl and .parquet" in refused(InvalidInputError, tmp_path)


@pytest.mark.parametrize(("label", "says"), [(-1, "has no label"), (3, "3 classes are numbered from 0")])
def test_a_number_without_name_is_refused_with_its_place(label: int, says: str, tmp_path: Path) -> None:
    said = refused(InvalidInputError, save_to_disk(tmp_path / "d", labelled(0, label), features()))
    assert says in said
    assert "data-00000-of-00001.arrow:2" in said


def test_a_document_without_labels_is_refused_with_its_place(tmp_path: Path) -> None:
    folder = save_to_disk(tmp_path / "d", labelled(["a"], []), {})
    assert "data-00000-of-00001.arrow:2: the document has no labels" in refused(InvalidInputError, folder)


def test_a_folder_that_is_damaged_or_no_dataset_is_refused(tmp_path: Path) -> None:
    assert "holds no data" in refused(InvalidInputError, tmp_path)
    folder = save_to_disk(tmp_path / "d", labelled(0, 1), features())
    (folder / "data-00000-of-00001.arrow").write_bytes(b"nothing of the kind")
    assert "no Arrow stream" in refused(InvalidInputError, folder)
    (folder / "data-00000-of-00001.arrow").unlink()
    assert "copy the dataset's folder whole" in refused(NotFoundError, folder)
    (folder / "state.json").write_text("{")
    assert "malformed" in refused(InvalidInputError, folder)
