"""Datasets that are folders: which files hold which split, and their rows.

Three layouts are told apart by what lies in the folder: `dataset_dict.json` (several splits
saved by the package datasets' `save_to_disk`, a folder each), `state.json` (one of them), or
files named like their splits, as on the hub: `train.jsonl`, `data/train-00000-of-00001.parquet`,
`train/0000.parquet`, each possibly below a folder that names a configuration.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from services.domain.errors import InvalidInputError, NotFoundError
from services.storage.tabular import JSON_LINES, PARQUET, SEPARATED, Row, read_rows

DESCRIPTION = "dataset_info.json"
ARROW = ".arrow"
KINDS = (*PARQUET, ARROW, *JSON_LINES, *SEPARATED)
_STATE, _SPLITS = "state.json", "dataset_dict.json"
_NO_DATA = frozenset({DESCRIPTION, "dataset_infos.json", _STATE, _SPLITS})
_SHARD = re.compile(r"(?P<split>.+?)-\d{5}-of-\d{5}(-[0-9a-f]+)?")
# What a file is called whose folder names the configuration and not the split.
_USUAL = frozenset({"train", "test", "validation", "valid", "val", "dev", "eval"})
# Where all splits of a dataset lie together.
_TOGETHER = "data"
# Under which the package datasets keeps its features in a schema.
_SCHEMA_KEY = b"huggingface"


@dataclass(frozen=True, slots=True)
class Shard:
    """A file of one split.

    Attributes:
        path: Where it lies.
        name: The same from the dataset's folder, for places and identities.
        configuration: The folder that names one of several datasets in one; mostly empty.
    """

    path: Path
    name: str
    split: str
    configuration: str = ""

    @property
    def kind(self) -> str:
        """The ending that says how to read it, without ".gz"."""
        return Path(self.path.stem if self.path.suffix == ".gz" else self.path.name).suffix.lower()


def find_shards(root: Path) -> tuple[Shard, ...]:
    """Return a dataset's files, ordered by name within the order of its splits.

    Raises:
        InvalidInputError: The folder holds no data, or a damaged description of them.
        NotFoundError: A file that the description names is not there.
    """
    if (root / _SPLITS).is_file():
        names = [Path(str(split)).name for split in _json(root / _SPLITS).get("splits", ())]
        found = [shard for name in names for shard in _saved(root, root / name, name)]
    elif (root / _STATE).is_file():
        found = _saved(root, root, str(_json(root / _STATE).get("_split") or "train"))
    else:
        found = [_shard(root, path) for path in sorted(_files(root))]
    if not found:
        raise InvalidInputError(
            f"{root} holds no data: a dataset is a folder that `save_to_disk` wrote, or one of files "
            f"({', '.join(KINDS)}) named like their splits",
            field="name",
        )
    return tuple(found)


def read_shard(shard: Shard) -> tuple[Row, ...]:
    """Return a file's rows; places name it from the dataset's folder.

    Raises:
        InvalidInputError: It is malformed or has no rows.
    """
    if shard.kind != ARROW:
        folder = shard.name.rpartition("/")[0]
        rows = read_rows(shard.path).rows
        return tuple(Row(f"{folder}/{row.place}", row.values) for row in rows) if folder else rows
    table = _arrow(shard).read_all()
    if not table.num_rows:
        raise InvalidInputError(f"{shard.name} has no rows", field="name")
    return tuple(Row(f"{shard.name}:{i}", values) for i, values in enumerate(table.to_pylist(), start=1))


def features_of(root: Path, shard: Shard) -> Mapping[str, Any]:
    """Return what a file's columns are, by name, as the package datasets writes it; empty where nobody says."""
    metadata = _schema(shard).metadata or {} if shard.kind in (*PARQUET, ARROW) else {}
    if _SCHEMA_KEY in metadata:
        return dict(json.loads(metadata[_SCHEMA_KEY]).get("info", {}).get("features") or {})
    path = description(root, shard)
    return dict(_json(path).get("features") or {}) if path else {}


def description(root: Path, shard: Shard) -> Path | None:
    """Return the file that describes a shard's columns: beside it, or in the dataset's folder."""
    places = (shard.path.with_name(DESCRIPTION), root / DESCRIPTION)
    return next((path for path in places if path.is_file()), None)


def _saved(root: Path, folder: Path, split: str) -> list[Shard]:
    if not (folder / _STATE).is_file():
        raise NotFoundError(
            f"{folder / _STATE} is missing: copy the dataset's folder whole", path=str(folder)
        )
    paths = [folder / Path(str(file["filename"])).name for file in _json(folder / _STATE)["_data_files"]]
    for path in paths:
        if not path.is_file():
            raise NotFoundError(f"{path} is missing: copy the dataset's folder whole", path=str(path))
    return [Shard(path, path.relative_to(root).as_posix(), split) for path in paths]


def _files(root: Path) -> Iterator[Path]:
    for path in root.rglob("*"):
        inside = path.relative_to(root)
        hidden = any(part.startswith(".") for part in inside.parts)
        known = path.name not in _NO_DATA and Shard(path, "", "").kind in KINDS
        if known and not hidden and path.is_file():
            yield path


def _shard(root: Path, path: Path) -> Shard:
    inside = path.relative_to(root)
    folders = [part for part in inside.parent.parts if part != _TOGETHER]
    stem = path.name.partition(".")[0]
    numbered = _SHARD.fullmatch(stem)
    if numbered or stem in _USUAL or not folders:
        split = numbered["split"] if numbered else stem
    else:
        split = folders.pop()
    return Shard(path, inside.as_posix(), split, "/".join(folders))


def _schema(shard: Shard) -> Any:
    return _arrow(shard).schema if shard.kind == ARROW else pq.read_schema(shard.path)


def _arrow(shard: Shard) -> Any:
    try:
        return pa.ipc.open_stream(pa.BufferReader(shard.path.read_bytes()))
    except pa.ArrowException as error:
        raise InvalidInputError(f"{shard.name} is no Arrow stream: {error}", field="name") from None


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except ValueError as error:
        raise InvalidInputError(f"{path} is malformed: {error}", field="name") from None
    if not isinstance(found, dict):
        raise InvalidInputError(f"{path} has to hold a JSON object, not {type(found).__name__}", field="name")
    return found
