"""Corpora as Parquet tables."""

import json
from typing import Any

import pyarrow as pa

from services.domain.corpus import Corpus
from services.domain.document import Document, Provenance
from services.domain.errors import InvalidInputError
from services.domain.task import Task, TaskType

TASK_KEY = b"synthtrial.task"

PROVENANCE = pa.struct(
    [
        ("generator", pa.string()),
        ("backend", pa.string()),
        ("model_revision", pa.string()),
        ("strategy", pa.string()),
        ("prompt_family", pa.string()),
        ("prompt_digest", pa.string()),
        ("exemplar_ids", pa.list_(pa.string())),
        ("source_id", pa.string()),
        ("requested_labels", pa.list_(pa.string())),
        ("seed", pa.int64()),
        ("sampling_json", pa.string()),
        ("tokens_in", pa.int64()),
        ("tokens_out", pa.int64()),
        ("attempt", pa.int32()),
        ("raw_text", pa.string()),
    ]
)

CORPUS = pa.schema(
    [
        ("id", pa.string()),
        ("text", pa.string()),
        ("labels", pa.list_(pa.string())),
        ("family", pa.string()),
        ("genre", pa.string()),
        ("provenance", PROVENANCE),
    ]
)


def corpus_to_table(corpus: Corpus) -> pa.Table:
    """Return the corpus as a table whose schema carries the task."""
    task = json.dumps({"type": corpus.task.type.value, "labels": list(corpus.task.labels)})
    rows = [_to_row(document) for document in corpus.documents]
    return pa.Table.from_pylist(rows, schema=CORPUS.with_metadata({TASK_KEY: task.encode()}))


def corpus_from_table(table: pa.Table) -> Corpus:
    """Return the corpus a table holds.

    Raises:
        InvalidInputError: The table was not written as a corpus.
    """
    metadata = table.schema.metadata or {}
    if TASK_KEY not in metadata:
        raise InvalidInputError("this table holds no corpus: its schema names no task", field="artifact")
    task = json.loads(metadata[TASK_KEY])
    return Corpus(
        Task(TaskType(task["type"]), tuple(task["labels"])),
        tuple(_from_row(row) for row in table.to_pylist()),
    )


def _to_row(document: Document) -> dict[str, Any]:
    provenance = document.provenance
    return {
        "id": document.id,
        "text": document.text,
        "labels": list(document.labels),
        "family": document.family,
        "genre": document.genre,
        "provenance": None
        if provenance is None
        else {name: getattr(provenance, name) for name in Provenance.__dataclass_fields__},
    }


def _from_row(row: dict[str, Any]) -> Document:
    provenance = row["provenance"]
    if provenance is not None:
        provenance["exemplar_ids"] = tuple(provenance["exemplar_ids"])
        provenance["requested_labels"] = tuple(provenance["requested_labels"])
    return Document(
        id=row["id"],
        text=row["text"],
        labels=tuple(row["labels"]),
        family=row["family"],
        genre=row["genre"],
        provenance=None if provenance is None else Provenance(**provenance),
    )
