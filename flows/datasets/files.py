"""Labelled documents of JSONL, CSV or Parquet files.

Parameters:
    paths: The files, read one after another.
    columns: Column names by role (text, labels, id, family, separator); what
        is not given is guessed.
    task_type: "multi_label" or "single_label"; without it, single-label where
        no document has two labels.
    minimum_label_documents: Rarer labels are left out, and documents left
        without labels with them; 0 leaves nothing out.

Documents that say the same, whatever their case and punctuation, form a family.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flows.datasets import DATASETS, given_task_type
from flows.labelled import labelled_corpus
from services.domain.corpus import Corpus
from services.domain.digest import sha256_hex
from services.domain.errors import InvalidInputError, NotFoundError
from services.generator.client import GeneratorClient
from services.storage.columns import Record, find_columns, records
from services.storage.tabular import read_rows

KNOWN = ("columns", "minimum_label_documents", "paths", "task_type")


class Files:
    simulated = False
    backend = ""
    version = "1"

    def identity(self, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        return {
            "version": self.version,
            "files": [sha256_hex(path.read_bytes()) for path in _paths(parameters)],
        }

    def load(
        self, parameters: Mapping[str, Any], count: int, seed: int, generator: GeneratorClient
    ) -> Corpus:
        task_type = given_task_type(parameters)
        found = [record for path in _paths(parameters) for record in _read(path, parameters)]
        return labelled_corpus(found, task_type, int(parameters.get("minimum_label_documents", 0)))


def _paths(parameters: Mapping[str, Any]) -> list[Path]:
    unknown = set(parameters) - set(KNOWN)
    if unknown:
        raise InvalidInputError(
            f"dataset files: no parameter {min(unknown)!r}; there are: {', '.join(KNOWN)}",
            field=f"dataset.parameters.{min(unknown)}",
        )
    paths = [Path(path) for path in parameters.get("paths", ())]
    if not paths:
        raise InvalidInputError("dataset files: name at least one file", field="dataset.parameters.paths")
    for path in paths:
        if not path.is_file():
            raise NotFoundError(f"there is no file {path}", path=str(path))
    return paths


def _read(path: Path, parameters: Mapping[str, Any]) -> tuple[Record, ...]:
    table = read_rows(path)
    return records(table, find_columns(table, parameters.get("columns")))


DATASETS.register("files", Files())
