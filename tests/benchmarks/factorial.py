"""A part of the study's factorial, trained by the study's worker and by a careful notebook.

Cells of A-E1 and A-E2: two regimes, three generators with their controls, new real
documents and a ruler, two replicates, both linear families. The notebook keeps its
embeddings, reads the same folds, fits each cell once on all of its documents and once
without each fold, and tunes the threshold in the same way. Composing the plans is on
neither side; storing the results is on ours.
"""

import os
import shutil
from collections.abc import Iterator, Sequence
from importlib import metadata
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple
from unittest.mock import patch

import numpy as np
from threadpoolctl import threadpool_limits

from flows.design import Design
from services.classifier.fold_fits import held_out_folds, rows_without
from services.classifier.folds import fold_weights
from services.classifier.specification import TrainingSpec
from services.classifier.thresholds import tune_threshold
from services.classifier.training import THREADS_VARIABLE, Run, open_run, train
from services.storage.store import Store
from tests.benchmarks.comparison import Comparison, Table
from tests.benchmarks.notebook import micro_f1, vectorised, weighted_scores
from tests.benchmarks.reduced_study import FULL, ReducedStudy, reduced_study
from tests.benchmarks.timing import Timed, in_turns

REPEATS = 1
REGIMES = (165, 660)
TOLERANCE = 0.005
GOALS = {"frozen_encoder": 12.0, "tfidf_linear": 10.0}


class Cell(NamedTuple):
    """A cell's test scores and its threshold."""

    scores: np.ndarray
    threshold: float


def run(repeats: int = REPEATS, design: Design = FULL, regimes: Sequence[int] = REGIMES) -> Table:
    """Train all cells on both sides, family by family."""
    with (
        reduced_study(design) as study,
        TemporaryDirectory() as folder,
        threadpool_limits(1),
        patch.dict(os.environ, {THREADS_VARIABLE: "1"}),
    ):
        stores = _copies(study, Path(folder))
        rows = [_family(study, family, regimes, stores, repeats) for family in design.families]
    versions = f"scikit-learn {metadata.version('scikit-learn')}"
    return Table("The factorial", (_overall(rows), *rows), repeats, versions)


def _family(
    study: ReducedStudy, family: str, regimes: Sequence[int], stores: Iterator[Store], repeats: int
) -> Comparison:
    batches = [batch for batch in study.batches(regimes) if batch.family == family]
    specs = [study.specification(family, batch.cells, batch.replicate) for batch in batches]
    fresh = [next(stores) for _ in range(repeats + 1)]
    _ours(fresh.pop(), specs[:1])  # Compiles.
    ours, peer = in_turns(
        repeats, lambda: _ours(fresh.pop(), specs), lambda: _notebook(study.study.store, specs)
    )
    return _compared(family, ours, peer, study.study.corpus(study.material.test).indicator)


def _copies(study: ReducedStudy, folder: Path) -> Iterator[Store]:
    """Yield stores with everything but results: ours would find those of the repeat before."""
    for i in count():
        yield Store(shutil.copytree(study.study.store.root, folder / str(i)))


def _ours(store: Store, specs: Sequence[TrainingSpec]) -> list[Cell]:
    found = []
    for spec in specs:
        done = train({"store": str(store.root), "spec": spec}, lambda progress: None)
        for reference in done["results"]:
            arrays, told = store.get_arrays(reference)
            found.append(Cell(arrays["test_scores"], float(told["threshold"])))
    return found


def _notebook(store: Store, specs: Sequence[TrainingSpec]) -> list[Cell]:
    found = []
    for spec in specs:
        run = open_run(store, spec)
        texts, vectors = np.array(run.documents.texts, object), _vectors(run)
        found += [_notebook_cell(run, i, texts, vectors) for i in range(len(spec.plans))]
    return found


def _vectors(run: Run) -> Any:
    if not run.source.embeddings:
        return None
    stored = [run.source.embeddings[reference.sha256] for reference in run.documents.references]
    return np.concatenate([run.store.get_arrays(reference)[0]["embeddings"] for reference in stored])


def _notebook_cell(run: Run, i: int, texts: np.ndarray, vectors: Any) -> Cell:
    support = run.documents.support(run.spec.plans[i].stages[0].parts)
    fold = held_out_folds(run.documents, support, run.spec)
    truth = run.documents.truth[support.rows]
    oof, scores = np.zeros(truth.shape, np.float32), np.zeros(0)
    for k, weights in enumerate(fold_weights(support.weights, rows_without(run.documents, support, fold)).T):
        used = weights > 0
        target = support.rows[fold == k - 1] if k else run.documents.test_rows
        train_rows = support.rows[used]
        if vectors is None:
            features = vectorised(texts, train_rows, target)
        else:
            features = vectors[train_rows], vectors[target]
        found = weighted_scores(features[0], truth[used], weights[used], features[1])
        if k:
            oof[fold == k - 1] = found
        else:
            scores = found
    tuned = tune_threshold(oof[support.scored], truth[support.scored])
    return Cell(scores, tuned.value or 0.0)


def _compared(family: str, ours: Timed, peer: Timed, truth: np.ndarray) -> Comparison:
    pairs = zip(ours.result, peer.result, strict=True)
    differences = [
        abs(micro_f1(a.scores, truth, a.threshold) - micro_f1(b.scores, truth, b.threshold)) for a, b in pairs
    ]
    return Comparison(
        f"`{family}`: {len(ours.result)} cells of 6 fits × {truth.shape[1]} labels",
        "a notebook: scikit-learn, float32, sample weights, cached embeddings",
        ours.seconds,
        peer.seconds,
        float(np.mean(differences)),
        TOLERANCE,
        f"tuned micro-F1: largest Δ {max(differences):.4f}, mean",
        GOALS.get(family),
        "Both sides do the same products; see the heads' own tables for what they cost at least.",
    )


def _overall(rows: Sequence[Comparison]) -> Comparison:
    return Comparison(
        "both families",
        rows[0].peer,
        sum(row.ours_seconds for row in rows),
        sum(row.peer_seconds for row in rows),
        max(row.apart for row in rows),
        TOLERANCE,
        "tuned micro-F1: larger of the means",
    )
