"""Labelled documents of a dataset on the Hugging Face hub, or of a folder laid out like one.

Parameters:
    name: A folder that `save_to_disk` wrote or that holds files per split, or a name on the hub.
    revision: On the hub: a commit, tag or branch.
    configuration: Which one, where a dataset holds several in folders.
    split, splits: One split or several; without either, all.
    text, labels, id, family: Columns; `labels` is one column or several of zeros and ones.
        What is not given is guessed. "" says that there is no such column.
    separator: Between the names in one string of the labels' column.
    task_type, minimum_label_documents: As for `files`.

Numbers of classes become their names where the dataset says them. Documents of several splits
are called `split/id`: each split may count from 0. The identity is the digest of the files
read, so that a branch that moved is another dataset.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from flows.datasets import DATASETS, given_task_type
from flows.labelled import labelled_corpus
from services.domain.corpus import Corpus
from services.domain.digest import sha256_hex
from services.domain.errors import InvalidInputError
from services.domain.nearness import did_you_mean
from services.domain.task import TaskType
from services.generator.client import GeneratorClient
from services.storage.choosing import choose_shards
from services.storage.class_names import class_names, with_names
from services.storage.columns import Columns, Record, find_columns, records
from services.storage.dataset_source import dataset_folder
from services.storage.saved import Shard, description, features_of, find_shards, read_shard
from services.storage.tabular import Row, RowTable

ROLES = ("family", "id", "labels", "separator", "text")
FURTHER = ("configuration", "minimum_label_documents", "name", "revision", "split", "splits", "task_type")
KNOWN = tuple(sorted((*ROLES, *FURTHER)))


class HuggingFace:
    simulated = False
    backend = ""
    version = "1"

    def identity(self, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        root, shards = _found(parameters)
        files = {shard.name: shard.path for shard in shards}
        described = {path for shard in shards if (path := description(root, shard))}
        files |= {path.relative_to(root).as_posix(): path for path in described}
        digests = {name: sha256_hex(path.read_bytes()) for name, path in sorted(files.items())}
        return {"version": self.version, "files": digests}

    def load(
        self, parameters: Mapping[str, Any], count: int, seed: int, generator: GeneratorClient
    ) -> Corpus:
        task_type = given_task_type(parameters)
        root, shards = _found(parameters)
        read = {shard: read_shard(shard) for shard in shards}
        rows = tuple(row for some in read.values() for row in some)
        columns = _columns(parameters, rows)
        found = [record for shard in shards for record in _records(root, shard, read[shard], columns)]
        minimum = int(parameters.get("minimum_label_documents", 0))
        return labelled_corpus(_told_apart(found), task_type or _guessed(rows, columns), minimum)


def _found(parameters: Mapping[str, Any]) -> tuple[Path, tuple[Shard, ...]]:
    unknown = sorted(set(parameters) - set(KNOWN))
    if unknown:
        raise InvalidInputError(
            f"dataset hugging_face: no parameter {unknown[0]!r}; there are: {', '.join(KNOWN)}"
            f"{did_you_mean(unknown[0], KNOWN)}",
            field=f"dataset.parameters.{unknown[0]}",
        )
    root = dataset_folder(str(parameters.get("name", "")), str(parameters.get("revision", "")))
    splits = _names(parameters.get("split")) + _names(parameters.get("splits"))
    return root, choose_shards(find_shards(root), str(parameters.get("configuration", "")), splits)


def _names(given: Any) -> list[str]:
    return [given] if isinstance(given, str) and given else [str(name) for name in given or ()]


def _columns(parameters: Mapping[str, Any], rows: tuple[Row, ...]) -> Columns:
    names = tuple(dict.fromkeys(name for row in rows for name in row.values))
    given = {role: parameters[role] for role in ROLES if role in parameters}
    return find_columns(RowTable(str(parameters["name"]), names, rows), given)


def _records(root: Path, shard: Shard, rows: Sequence[Row], columns: Columns) -> Iterator[Record]:
    names = class_names(features_of(root, shard), columns.labels[0]) if len(columns.labels) == 1 else ()
    named = tuple(with_names(row, columns.labels[0], names) if names else row for row in rows)
    for record in records(RowTable(shard.name, (), named), columns):
        yield record._replace(split=shard.split)


def _told_apart(found: Sequence[Record]) -> list[Record]:
    several = len({record.split for record in found}) > 1
    return [
        record._replace(id=f"{record.split}/{record.id}") if several and record.id else record
        for record in found
    ]


def _guessed(rows: Sequence[Row], columns: Columns) -> TaskType | None:
    """Say that a column of lists or several columns mean several labels, also where no document has two."""
    lists = any(isinstance(row.values.get(columns.labels[0]), list) for row in rows)
    return TaskType.MULTI_LABEL if lists or len(columns.labels) > 1 else None


DATASETS.register("hugging_face", HuggingFace())
