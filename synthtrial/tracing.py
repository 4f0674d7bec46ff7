"""From a number in a report to the cell, plan, predictions and documents behind it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from flows.design import Design, load_profile
from services.domain.document import Document
from services.domain.errors import InvalidInputError, NotFoundError
from services.domain.task import Task, TaskType
from services.storage.store import Store

SHOWN_DOCUMENTS = 5
SHOWN_CELLS = 10
SHOWN_CHARACTERS = 90
SHOWN_COLUMNS = ("metric", "threshold_rule", "value", "sample_count", "undefined_reason")
PER_LABEL = "per_label"
MINIMUM_PREFIX = 6


@dataclass(frozen=True, slots=True)
class SegmentUse:
    """What a plan takes from one corpus; `weight` is the sum over its rows, in documents."""

    corpus: str
    document_count: int
    row_count: int
    weight: float
    scored: bool
    examples: tuple[Document, ...]


@dataclass(frozen=True, slots=True)
class Predicted:
    """One test document, and the labels decided for it; None where nothing decides."""

    document: Document
    predicted: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Trace:
    """All that one cell's numbers were computed from.

    `rule` says how scores become labels: a single-label study takes the best one,
    any other those that reach the threshold, which is None where it is undefined.
    """

    cell: dict[str, Any]
    measurements: pd.DataFrame
    plan: str
    segments: tuple[SegmentUse, ...]
    predictions: str
    threshold: float | None
    rule: str
    predicted: tuple[Predicted, ...]

    def text(self) -> str:
        """Return the walk as lines for a person."""
        lines = ["Cell"] + [f"  {name}: {value}" for name, value in self.cell.items()]
        per_label = self.measurements["metric"].str.startswith(PER_LABEL)
        shown = self.measurements.loc[~per_label, list(SHOWN_COLUMNS)]
        lines += ["Measurements", _indented(shown.to_string(index=False))]
        lines += [f"  and {per_label.sum()} of single labels"] if per_label.any() else []
        lines.append(f"Plan {self.plan}")
        for use in self.segments:
            part = "scored out of fold" if use.scored else "added"
            lines.append(
                f"  corpus {use.corpus}: {use.row_count} of {use.document_count} documents, "
                f"weighing {use.weight:g}, {part}"
            )
            lines += [f"    {_shown(document)}" for document in use.examples]
        lines.append(f"Predictions {self.predictions}, {self.rule}; the first test documents:")
        for item in self.predicted:
            lines.append(f"  {_shown(item.document)}")
            if item.predicted is not None:
                lines.append(f"    predicted: {', '.join(item.predicted) or 'nothing'}")
        return "\n".join(lines)


def trace(what: str, results: str | Path = "results/latest", profile: str = "embedded") -> Trace:
    """Walk from a cell to its documents.

    Args:
        what: A cell's id, the beginning of one, or a measured value that only one cell has.
        results: The folder of a study's tables.
        profile: The profile it ran with.

    Raises:
        InvalidInputError: Several cells answer; the message lists them.
        NotFoundError: None does, or what it refers to is no longer in the store.
    """
    folder = Path(results)
    measurements = _read(folder, "measurements")
    cell_id = _one(what, measurements)
    predictions = str(_read(folder, "predictions").set_index("cell_id").at[cell_id, "predictions_sha256"])
    design = Design(**json.loads((folder / "design.json").read_text()))
    own = measurements[measurements["cell_id"] == cell_id]
    return _walk(cell_id, own, predictions, design, profile)


def matching_cells(what: str, measurements: pd.DataFrame) -> list[str]:
    """Return the ids of the cells that an id's beginning or a printed value could mean."""
    ids = measurements["cell_id"]
    if len(what) >= MINIMUM_PREFIX and (found := sorted(set(ids[ids.str.startswith(what)]))):
        return found
    try:
        number = float(what.replace("\N{MINUS SIGN}", "-"))
    except ValueError:
        return []
    decimals = len(what.partition(".")[2])
    values = pd.to_numeric(measurements["value"], errors="coerce")
    return sorted(set(ids[(values - number).abs() <= 0.5 * 10.0**-decimals + 1e-12]))


def _one(what: str, measurements: pd.DataFrame) -> str:
    found = matching_cells(what, measurements)
    if not found:
        raise NotFoundError(
            f"no cell begins with {what!r} and no measurement rounds to it; `cells` and `measurements` list all",
            name=what,
        )
    if len(found) > 1:
        raise InvalidInputError(
            f"{len(found)} cells answer to {what!r}:\n{_listed(found, measurements)}", field="what"
        )
    return found[0]


def _listed(found: Sequence[str], measurements: pd.DataFrame) -> str:
    first = measurements.drop_duplicates("cell_id")
    rows = first[first["cell_id"].isin(found[:SHOWN_CELLS])].to_dict("records")
    lines = [
        f"  {row['cell_id'][:16]}  {row['arm']} at {row['regime']}, {row['classifier_family']}, "
        f"replicate {row['replicate']}"
        for row in rows
    ]
    return "\n".join(lines + (["  ..."] if len(found) > SHOWN_CELLS else []))


def _walk(cell_id: str, own: pd.DataFrame, predictions: str, design: Design, profile: str) -> Trace:
    from flows.run import open_run
    from flows.stages import generating, loading
    from flows.stages.training import compose

    with open_run(design, load_profile(profile)) as run:
        cell = next((c for c in run.plan.cells if c.id == cell_id), None)
        if cell is None:
            raise NotFoundError(
                f"cell {cell_id} was computed by an earlier version of this program or with another profile; "
                "run the study again, or name the profile",
                cell=cell_id,
            )
        material = loading.load(run.study)
        keys = [k for k in run.corpus_keys(cell.replicate) if k.generator == cell.arm.generator]
        written = {key: generating.write_corpus(run.study, material, key) for key in keys}
        composed = compose(run.study, material, written, cell).plan
        store = run.study.store
        decided = decide(store, predictions, material.test)
        uses = tuple(_use(store, part) for stage in composed.stages for part in stage.parts)
    return Trace(_facts(own), own, composed.digest, uses, predictions, *decided)


def _facts(own: pd.DataFrame) -> dict[str, Any]:
    names = (
        "cell_id",
        "regime",
        "arm",
        "classifier_family",
        "replicate",
        "real_documents",
        "synthetic_documents",
    )
    return {name: own.iloc[0][name] for name in names}


def _use(store: Any, part: Any) -> SegmentUse:
    corpus = store.get_corpus(part.segment)
    examples = tuple(corpus.documents[row] for row in part.rows[:SHOWN_DOCUMENTS])
    return SegmentUse(
        part.segment, len(corpus), len(part.rows), float(part.weights.sum()), part.scored, examples
    )


def decide(
    store: Store, predictions: str, test: str, count: int = SHOWN_DOCUMENTS
) -> tuple[float | None, str, tuple[Predicted, ...]]:
    """Return threshold, rule and labels of the first test documents."""
    arrays, metadata = store.get_arrays(predictions)
    corpus = store.get_corpus(test)
    single = corpus.task.type is TaskType.SINGLE_LABEL
    text = "" if single else metadata.get("threshold", "")
    threshold = float(text) if text else None
    if single:
        rule = "the best label of each"
    elif threshold is None:
        rule = f"no threshold: {metadata.get('threshold_undefined') or 'none was stored'}"
    else:
        rule = f"threshold {threshold:.4f}"
    found = []
    for document, scores in zip(corpus.documents[:count], arrays["test_scores"], strict=False):
        found.append(Predicted(document, _labels(corpus.task, scores, threshold)))
    return threshold, rule, tuple(found)


def _labels(task: Task, scores: np.ndarray, threshold: float | None) -> tuple[str, ...] | None:
    if task.type is TaskType.SINGLE_LABEL:
        return (task.labels[int(scores.argmax())],)
    if threshold is None:
        return None
    return tuple(label for label, score in zip(task.labels, scores, strict=True) if score >= threshold)


def _shown(document: Document) -> str:
    text = (
        document.text if len(document.text) <= SHOWN_CHARACTERS else document.text[:SHOWN_CHARACTERS] + "..."
    )
    return f"{document.id} [{', '.join(document.labels)}] {text}"


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())


def _read(folder: Path, name: str) -> pd.DataFrame:
    path = folder / f"{name}.parquet"
    if not path.is_file():
        raise NotFoundError(f"{path} is missing: run a study first, or name its folder with --results")
    return pd.read_parquet(path)
