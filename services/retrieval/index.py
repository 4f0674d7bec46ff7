"""Indexes by the digest of their specification: the worker jobs that build and search.

An index is never stored, only what it is made of: FAISS loads a damaged file in
silence. A process builds it when it first needs it and keeps the last few.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from services.domain.errors import InvalidInputError
from services.domain.task import Task
from services.retrieval.collection import Collection, load_collection, load_queries, relatives
from services.retrieval.ranking import strictly_falling
from services.retrieval.records import IndexRecords
from services.retrieval.retrievers import RETRIEVERS, Ranking, Searcher
from services.retrieval.specification import IndexSpec, index_id
from services.storage.store import Store

INDEXES_KEPT = 4
GREATEST_DEPTH = 10_000

Report = Callable[[dict[str, Any]], None]

_kept: OrderedDict[tuple[str, str], "Index"] = OrderedDict()


@dataclass(frozen=True, slots=True)
class Index:
    """Documents and a way to search them."""

    collection: Collection
    searcher: Searcher
    task: Task


def build(payload: dict[str, Any], report: Report) -> dict[str, Any]:
    """Build an index; the worker job behind BuildIndex.

    Args:
        payload: store and spec (an IndexSpec).
        report: Gets activity, done_count and total_count, in documents.

    Returns:
        index_id and document_count.
    """
    store, spec = Store(payload["store"]), payload["spec"]
    identifier = index_id(spec, RETRIEVERS.get(spec.retriever).version)
    index = _build(store, spec)
    _keep(store, identifier, index)
    IndexRecords(store.root).add(identifier, spec)
    count = len(index.collection)
    report({"activity": "documents indexed", "done_count": count, "total_count": count})
    return {"index_id": identifier, "document_count": count}


def search(payload: dict[str, Any], report: Report) -> dict[str, Any]:
    """Search with every query; the worker job behind Search.

    Args:
        payload: store, index_id, queries (digest), query_embeddings (digest or
            None), depth.
        report: Unused; a search is one step.

    Returns:
        query_ids; hits: per query (document id, position, score), best first.
    """
    store = Store(payload["store"])
    index = open_index(store, payload["index_id"])
    queries = load_queries(
        store, payload["queries"], payload["query_embeddings"], index.collection, index.task
    )
    ranking = rank(index, queries, int(payload["depth"]))
    return {"query_ids": queries.ids, "hits": [_hits(index, ranking, row) for row in range(len(queries))]}


def open_index(store: Store, identifier: str) -> Index:
    """Return an index that was built, by whichever process.

    Raises:
        NotFoundError: It was never built, or deleted.
    """
    spec = IndexRecords(store.root).get(identifier)
    key = (str(store.root), identifier)
    if key not in _kept:
        _keep(store, identifier, _build(store, spec))
    _kept.move_to_end(key)
    return _kept[key]


def rank(index: Index, queries: Collection, depth: int) -> Ranking:
    """Return ranked lists without the queries' relatives; scores fall strictly.

    Raises:
        InvalidInputError: The depth is below 1 or beyond what a list may hold.
    """
    if not 1 <= depth <= GREATEST_DEPTH:
        raise InvalidInputError(
            f"depth has to lie between 1 and {GREATEST_DEPTH}, not {depth}", field="depth"
        )
    left_out = relatives(index.collection, queries)
    spare = max((len(rows) for rows in left_out), default=0)
    found = index.searcher.search(queries.items, min(depth + spare, len(index.collection)))
    return _without(found, left_out, depth)


def _without(found: Ranking, left_out: Sequence[npt.NDArray[np.int64]], depth: int) -> Ranking:
    positions = np.full((len(left_out), depth), -1, dtype=np.int64)
    scores = np.full((len(left_out), depth), np.nan, dtype=np.float32)
    for query, rows in enumerate(left_out):
        row = found.positions[query]
        eligible = np.flatnonzero((row >= 0) & ~np.isin(row, rows))[:depth]
        positions[query, : len(eligible)] = row[eligible]
        scores[query, : len(eligible)] = found.scores[query, eligible]
    return Ranking(positions, strictly_falling(scores))


def _build(store: Store, spec: IndexSpec) -> Index:
    retriever = RETRIEVERS.get(spec.retriever)
    collection = load_collection(store, spec, retriever.needs_embeddings)
    return Index(collection, retriever.index(collection.items), spec.task)


def _keep(store: Store, identifier: str, index: Index) -> None:
    _kept[str(store.root), identifier] = index
    while len(_kept) > INDEXES_KEPT:
        _kept.popitem(last=False)


def _hits(index: Index, ranking: Ranking, query: int) -> list[tuple[str, int, float]]:
    return [
        (index.collection.ids[position], int(position), float(score))
        for position, score in zip(ranking.positions[query], ranking.scores[query], strict=True)
        if position >= 0
    ]
