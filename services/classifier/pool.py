"""The documents of a run, laid end to end: its segments, then its test corpus."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from services.domain.artifact import ArtifactRef
from services.domain.errors import InvalidInputError
from services.domain.plan import Part
from services.domain.pool import Pool
from services.domain.task import Task, TaskType
from services.storage.store import Store
from services.storage.tables import TASK_KEY


@dataclass(frozen=True)
class Columns:
    """What training reads of a corpus; it was checked when it was stored."""

    ids: tuple[str, ...]
    texts: tuple[str, ...]
    families: tuple[str, ...]
    donor_ids: tuple[tuple[str, ...], ...]
    truth: npt.NDArray[np.bool_]


def read_columns(store: Store, corpus: ArtifactRef, task: Task, name: str) -> Columns:
    """Return the columns of a stored corpus.

    Args:
        store: Where the corpus lies.
        corpus: Its reference.
        task: What its labels have to belong to.
        name: What the corpus is in the request, for errors.

    Raises:
        InvalidInputError: The object is no corpus, or one of another task.
    """
    found, columns = _read(str(store.root), corpus.sha256)
    if found != task:
        raise InvalidInputError(
            f"{name} belongs to another task: {found.type.value} with {len(found.labels)} labels, where the run "
            f"has {task.type.value} with {len(task.labels)}: {task.unlike(found)}",
            field=name,
        )
    return columns


# Runs of one study share most of their corpora.
@lru_cache(maxsize=256)
def _read(root: str, sha256: str) -> tuple[Task, Columns]:
    table = Store(root).get_table(sha256)
    metadata = table.schema.metadata or {}
    if TASK_KEY not in metadata:
        raise InvalidInputError(f"object {sha256[:12]}… is not a corpus", field="segments")
    described = json.loads(metadata[TASK_KEY])
    task = Task(TaskType(described["type"]), tuple(described["labels"]))
    ids, texts, families = (tuple(table.column(name).to_pylist()) for name in ("id", "text", "family"))
    donors = pc.struct_field(table.column("provenance"), "exemplar_ids").to_pylist()
    donor_ids = tuple(tuple(named or ()) for named in donors)
    return task, Columns(ids, texts, families, donor_ids, task.encode(table.column("labels").to_pylist()))


@dataclass(frozen=True)
class Documents:
    """Segments and the test corpus end to end; the test corpus comes last.

    Args:
        pool: Where each segment begins.
        references: Of the segments, then of the test corpus.
        columns: As `references`.
    """

    pool: Pool
    references: tuple[ArtifactRef, ...]
    columns: tuple[Columns, ...]

    @cached_property
    def test_rows(self) -> npt.NDArray[np.int64]:
        start = sum(self.pool.row_counts)
        return np.arange(start, start + len(self.columns[-1].ids))

    @cached_property
    def families(self) -> tuple[str, ...]:
        return tuple(family for c in self.columns for family in c.families)

    @cached_property
    def donors(self) -> tuple[tuple[str, ...], ...]:
        """Families of the documents that each row was made of or shown, those of the pool alone."""
        family = {i: f for c in self.columns for i, f in zip(c.ids, c.families, strict=True)}
        named = (ids for c in self.columns for ids in c.donor_ids)
        return tuple(tuple(dict.fromkeys(family[i] for i in ids if i in family)) for ids in named)

    @cached_property
    def texts(self) -> tuple[str, ...]:
        return tuple(text for c in self.columns for text in c.texts)

    @cached_property
    def truth(self) -> npt.NDArray[np.bool_]:
        return np.concatenate([c.truth for c in self.columns])

    def support(self, parts: Sequence[Part]) -> "Support":
        """Return the rows a stage trains on, each once, with its weights summed.

        Raises:
            InvalidInputError: A row lies beyond its segment, is scored twice, or has its
                labels hidden in one part and not in another.
        """
        rows = self.pool.rows(parts)
        sizes = [len(part.rows) for part in parts]
        scored = rows[np.repeat([part.scored for part in parts], sizes)]
        if len(np.unique(scored)) != len(scored):
            raise InvalidInputError(
                "a document is scored once in a plan, not in two parts", field="plan.scored"
            )
        hidden = np.repeat([part.predicted for part in parts], sizes)
        if np.intersect1d(rows[hidden], rows[~hidden]).size:
            raise InvalidInputError(
                "a document's labels are hidden in one part of a stage and not in another",
                field="plan.predicted",
            )
        distinct, place = np.unique(rows, return_inverse=True)
        weights = np.bincount(place, np.concatenate([part.weights for part in parts]))
        return Support(
            distinct,
            weights.astype(np.float32),
            np.searchsorted(distinct, scored),
            np.isin(distinct, rows[hidden]),
        )


@dataclass(frozen=True, slots=True)
class Support:
    """Distinct rows of the pool, ascending.

    Args:
        rows: Shape (n,).
        weights: Shape (n,), positive.
        scored: Positions in `rows` that get out-of-fold scores, in the plan's order.
        predicted: Shape (n,): whose labels are hidden.
    """

    rows: npt.NDArray[np.int64]
    weights: npt.NDArray[np.float32]
    scored: npt.NDArray[np.int64]
    predicted: npt.NDArray[np.bool_]


def lay_out(store: Store, segments: Sequence[ArtifactRef], test: ArtifactRef, task: Task) -> Documents:
    """Read a run's corpora.

    Raises:
        InvalidInputError: A segment is listed twice, or a corpus has another task.
    """
    columns = [read_columns(store, segment, task, f"segments[{i}]") for i, segment in enumerate(segments)]
    counts = tuple(len(c.ids) for c in columns)
    pool = Pool(tuple(segment.sha256 for segment in segments), counts)
    return Documents(pool, (*segments, test), (*columns, read_columns(store, test, task, "test")))
