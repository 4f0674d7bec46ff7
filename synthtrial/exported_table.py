"""A synthetic corpus as a table that the package datasets, and anything that reads Parquet, understands."""

import json
from typing import Any

import pyarrow as pa

from services.domain.corpus import Corpus
from services.domain.document import Document
from services.domain.errors import PreconditionError
from services.domain.task import TaskType

SCHEMA_KEY = b"huggingface"
# Left out: `raw_text` repeats the text, and `sampling_json` may hold paths and addresses of a machine.
NAMES = ("generator", "backend", "model_revision", "strategy", "prompt_family", "prompt_digest", "source_id")
LISTS = ("exemplar_ids", "requested_labels")
NUMBERS = ("seed", "tokens_in", "tokens_out", "attempt")


def label_column(corpus: Corpus) -> str:
    """Return "label" where every document has one, "labels" where they are lists."""
    return "label" if corpus.task.type is TaskType.SINGLE_LABEL else "labels"


def exported_table(corpus: Corpus) -> pa.Table:
    """Return one row per document, labels as numbers of classes whose names stand in the schema.

    Raises:
        PreconditionError: A document does not say what wrote it.
    """
    number = {name: i for i, name in enumerate(corpus.task.labels)}
    rows = [_row(document, label_column(corpus), number) for document in corpus.documents]
    features = _features(corpus)
    metadata = {SCHEMA_KEY: json.dumps({"info": {"features": features}}).encode()}
    schema = pa.schema([(name, _arrow(feature)) for name, feature in features.items()], metadata)
    return pa.Table.from_pylist(rows, schema)


def _row(document: Document, column: str, number: dict[str, int]) -> dict[str, Any]:
    made = document.provenance
    if made is None:
        raise PreconditionError(
            f"document {document.id!r} does not say what wrote it; only synthetic ones do"
        )
    classes = [number[name] for name in document.labels]
    return {
        "id": document.id,
        "text": document.text,
        column: classes if column == "labels" else classes[0],
        "family": document.family,
        "genre": document.genre,
        **{name: getattr(made, name) for name in (*NAMES, *NUMBERS)},
        **{name: list(getattr(made, name)) for name in LISTS},
    }


def _features(corpus: Corpus) -> dict[str, Any]:
    string, integer = _value("string"), _value("int64")
    classes = {"names": list(corpus.task.labels), "_type": "ClassLabel"}
    column = label_column(corpus)
    return {
        "id": string,
        "text": string,
        column: classes if column == "label" else _list(classes),
        "family": string,
        "genre": string,
        **dict.fromkeys(NAMES, string),
        **dict.fromkeys(NUMBERS, integer),
        **dict.fromkeys(LISTS, _list(string)),
    }


def _value(dtype: str) -> dict[str, Any]:
    return {"dtype": dtype, "_type": "Value"}


def _list(feature: dict[str, Any]) -> dict[str, Any]:
    # The name that old and new versions of the package know.
    return {"feature": feature, "_type": "Sequence"}


def _arrow(feature: dict[str, Any]) -> pa.DataType:
    if feature["_type"] == "Sequence":
        return pa.list_(_arrow(feature["feature"]))
    return pa.string() if feature.get("dtype") == "string" else pa.int64()
