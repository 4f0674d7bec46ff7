"""Documents that somebody already generated, with whatever model, handed out in a seeded order."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from services.domain.corpus import Corpus
from services.domain.document import Document
from services.domain.errors import InvalidInputError
from services.domain.seeds import stream
from services.domain.task import LabelSet, Task, TaskType
from services.generator.backends import BACKENDS, Candidate, WriteRequest
from services.generator.parameters import Parameters, refuse_unknown, text
from services.generator.planning import STRATEGIES
from services.storage.columns import NAMES, Record, find_columns, records
from services.storage.tabular import read_rows

SHOWN_PROBLEMS = 3


class CorpusFile:
    """A JSONL, CSV or Parquet file of finished documents."""

    version: ClassVar[str] = "1"
    description: ClassVar[str] = (
        "Documents of a file (JSONL, CSV, Parquet), whoever generated them, in a seeded order; they carry their "
        "own labels."
    )
    needs_real: ClassVar[bool] = False
    # What wrote the file is for the study's author to say, in the generator's name.
    is_llm: ClassVar[bool] = False
    keeps_rejected: ClassVar[bool] = False
    is_finite: ClassVar[bool] = True
    # How they were written is for the study's author to say as well.
    strategies: ClassVar[tuple[str, ...]] = STRATEGIES

    def parameter_schema(self) -> dict[str, Any]:
        column = {"type": ["string", "array"], "items": {"type": "string"}}
        roles = dict.fromkeys(NAMES, column) | {"separator": {"type": "string"}}
        properties = {
            "path": {"type": "string", "description": "The file, as the service sees it."},
            "artifact": {
                "type": "object",
                "description": "An uploaded file instead of a path; the ending of its name says its kind.",
                "properties": {"sha256": {"type": "string"}, "name": {"type": "string"}},
                "required": ["sha256"],
            },
            "columns": {"type": "object", "properties": roles, "additionalProperties": False},
            "only": {
                "type": "object",
                "description": "Column names and the value that a row must have there to be used.",
                "additionalProperties": {"type": "string"},
            },
        }
        return {"type": "object", "additionalProperties": False, "properties": properties}

    def prepare(self, task: Task, real: Corpus | None, parameters: Parameters, seed: int) -> "FileWriter":
        refuse_unknown(parameters, self.parameter_schema()["properties"], "corpus_file")
        path = text(parameters, "path", "")
        if not path:
            raise InvalidInputError("corpus_file needs a path or an artifact", field="parameters.path")
        rows = _selected(Path(path), _table(parameters, "columns"), _table(parameters, "only"))
        _check_labels(rows, task)
        by_id = {document.id: document for document in real.documents} if real else {}
        order = stream(seed, "file_order").permutation(len(rows))
        return FileWriter(tuple(rows[int(i)] for i in order), by_id, task)


@dataclass
class FileWriter:
    """The rows of a file in the order in which they are handed out."""

    rows: tuple[Record, ...]
    real: Mapping[str, Document]
    task: Task
    labels_fixed: ClassVar[bool] = True

    def label_law(self, index: int) -> LabelSet | None:
        return self._labels(self.rows[index]) if index < len(self.rows) else None

    def write(self, requests: Sequence[WriteRequest]) -> Iterator[Candidate]:
        for request in requests:
            row = self.rows[request.index]
            yield Candidate(
                request.index,
                row.text,
                self._labels(row),
                request.index,
                source=self.real.get(row.source) if row.source else None,
                source_id=row.source,
            )

    def _labels(self, row: Record) -> LabelSet:
        return tuple(sorted(row.labels, key=self.task.index))


def _table(parameters: Parameters, name: str) -> Mapping[str, Any]:
    value = parameters.get(name, {})
    if not isinstance(value, Mapping):
        raise InvalidInputError(f"{name} is a table, not {value!r}", field=f"parameters.{name}")
    return value


def _selected(path: Path, given: Mapping[str, Any], only: Mapping[str, Any]) -> tuple[Record, ...]:
    table = read_rows(path)
    for column in only:
        if column not in table.columns:
            raise InvalidInputError(
                f"{table.name} has no column {column!r}; it has: {', '.join(table.columns)}",
                field="parameters.only",
            )
    rows = records(table, find_columns(table, given))
    chosen = tuple(
        record
        for record, row in zip(rows, table.rows, strict=True)
        if all(str(row.values.get(column)) == str(value) for column, value in only.items())
    )
    if not chosen:
        raise InvalidInputError(f"{table.name}: no row has {dict(only)}", field="parameters.only")
    return chosen


def _check_labels(rows: Sequence[Record], task: Task) -> None:
    """Check that every row is a document of the task.

    Raises:
        InvalidInputError: Some are not; the message counts them and names the first with file and line.
    """
    problems = [found for found in (_problem(row, task) for row in rows) if found]
    if problems:
        shown = "; ".join(problems[:SHOWN_PROBLEMS])
        more = f"; and {len(problems) - SHOWN_PROBLEMS} more" if len(problems) > SHOWN_PROBLEMS else ""
        raise InvalidInputError(
            f"{shown}{more}: correct the rows, or map other columns", field="parameters.columns.labels"
        )


def _problem(row: Record, task: Task) -> str:
    unknown = [label for label in row.labels if label not in task.labels]
    if unknown:
        return f"{row.place}: label {unknown[0]!r} is not among the task's {len(task.labels)}"
    if not row.labels:
        return f"{row.place}: no labels"
    if task.type is TaskType.SINGLE_LABEL and len(row.labels) > 1:
        return f"{row.place}: {len(row.labels)} labels in a single-label task"
    return ""


BACKENDS.register("corpus_file", CorpusFile())
