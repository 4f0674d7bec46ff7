"""Small datasets on disk, laid out as the package datasets lays them out."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

CLASSES = ("hearing aids", "ramps, lifts", "canes")
STRING = {"dtype": "string", "_type": "Value"}
ONE_CLASS = {"names": list(CLASSES), "_type": "ClassLabel"}
TEXTS = (
    "a hearing aid that rests behind the ear",
    "a folding ramp for stairs",
    "a cane with a lamp",
    "a lift that climbs a stair",
)

Rows = Sequence[Mapping[str, Any]]


def labelled(*classes: Any) -> list[dict[str, Any]]:
    """Rows of text and class."""
    return [{"text": text, "label": label} for text, label in zip(TEXTS, classes, strict=False)]


def features(label: Any = ONE_CLASS) -> dict[str, Any]:
    return {"text": STRING, "label": label}


def save_to_disk(folder: Path, rows: Rows, described: Mapping[str, Any], shards: int = 1) -> Path:
    """Write one split: Arrow streams, `dataset_info.json` and `state.json`."""
    folder.mkdir(parents=True)
    names = [f"data-{i:05d}-of-{shards:05d}.arrow" for i in range(shards)]
    for i, name in enumerate(names):
        table = pa.Table.from_pylist(list(rows)[i::shards])
        with pa.ipc.new_stream(folder / name, table.schema) as stream:
            stream.write_table(table)
    (folder / "dataset_info.json").write_text(json.dumps({"features": described, "license": ""}))
    files = [{"filename": name} for name in names]
    (folder / "state.json").write_text(json.dumps({"_data_files": files, "_split": None}))
    return folder


def save_splits(folder: Path, splits: Mapping[str, Rows], described: Mapping[str, Any]) -> Path:
    """Write several splits, a folder each."""
    for name, rows in splits.items():
        save_to_disk(folder / name, rows, described)
    (folder / "dataset_dict.json").write_text(json.dumps({"splits": list(splits)}))
    return folder


def write_parquet(path: Path, rows: Rows, described: Mapping[str, Any] | None = None) -> Path:
    """Write a file as `push_to_hub` does, with its features in the schema."""
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pa.Table.from_pylist(list(rows))
    if described:
        info = json.dumps({"info": {"features": described}})
        table = table.replace_schema_metadata({"huggingface": info})
    pq.write_table(table, path)
    return path
