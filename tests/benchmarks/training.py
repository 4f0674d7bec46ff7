"""Training as the study does it against scikit-learn, one label and one fold at a time.

Both sides get the same documents, weights, folds and, for the encoder family, the
same float32 embeddings; both tune one threshold out of fold and score the test
documents. CPU seconds of one thread, every library held to one BLAS thread.
Run with `python -m tests.benchmarks.training [repeats]`; fails only where
micro-F1 differs by more than 0.005 on average over a family's cells.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from flows.datasets.simulated import Simulated
from services.classifier.folds import fold_weights
from services.classifier.pool import Support
from services.classifier.specification import TrainingSpec
from services.classifier.thresholds import tune_threshold
from services.classifier.training import fit_plan, held_out_folds, open_run
from services.domain.corpus import Corpus
from services.domain.plan import Part, Stage, TrainingPlan
from services.domain.seeds import stream
from services.features.store import embed_corpora
from services.generator.client import GeneratorClient
from services.generator.service import register
from services.rpc.server import in_process
from services.storage.store import Store
from tests.benchmarks.timing import main, timed

REGIMES = (165, 660, 1320)
SYNTHETIC = 660
TEST = 1200
SEED = 20260101
ENCODER = "minilm"
GREATEST_DIFFERENCE = 0.005
FAMILIES = ("tfidf_linear", "frozen_encoder")


class Row(NamedTuple):
    """One family: medians of CPU seconds over the repeats, and how far the results are apart."""

    family: str
    cells: int
    ours_seconds: float
    peer_seconds: float
    mean_difference: float
    largest_difference: float

    @property
    def ratio(self) -> float:
        return self.peer_seconds / self.ours_seconds

    @property
    def equal(self) -> bool:
        return self.mean_difference <= GREATEST_DIFFERENCE


class Scored(NamedTuple):
    """A cell's test scores and its threshold."""

    scores: np.ndarray
    threshold: float


def run(repeats: int = 5) -> list[Row]:
    """Time both families on one replicate's cells: every regime's row twin and synthesis arm."""
    with tempfile.TemporaryDirectory() as folder, threadpool_limits(1):
        store = Store(folder)
        specs = [_specification(store, family) for family in FAMILIES]
        return [_compare(store, spec, repeats) for spec in specs]


def _compare(store: Store, spec: TrainingSpec, repeats: int) -> Row:
    _ours(store, spec)  # Compiles.
    mine, ours = timed(lambda: _ours(store, spec), repeats)
    theirs, peers = timed(lambda: _peer(store, spec), repeats)
    truth = store.get_corpus(spec.test).indicator
    ours_f1, peers_f1 = (np.array([_micro_f1(cell, truth) for cell in side]) for side in (ours, peers))
    differences = np.abs(ours_f1 - peers_f1)
    return Row(
        spec.family, len(spec.plans), mine, theirs, float(differences.mean()), float(differences.max())
    )


def _ours(store: Store, spec: TrainingSpec) -> list[Scored]:
    opened = open_run(store, spec)
    prepared = opened.family.prepare(opened.source, opened.parameters)
    results = [fit_plan(prepared, opened.documents, plan, spec)[0] for plan in spec.plans]
    return [Scored(r.test_scores, r.threshold.value or 0.0) for r in results]


def _peer(store: Store, spec: TrainingSpec) -> list[Scored]:
    opened = open_run(store, spec)
    documents, cells = opened.documents, []
    vectors: Any = None
    if opened.source.embeddings:
        found = [store.get_arrays(opened.source.embeddings[ref.sha256])[0] for ref in documents.references]
        vectors = np.concatenate([arrays["embeddings"] for arrays in found])
    texts, test = np.array(documents.texts, object), documents.test_rows
    for plan in spec.plans:
        support = documents.support(plan.stages[0].parts)
        fold = held_out_folds(documents, support, spec)
        truth, oof = documents.truth[support.rows], np.zeros((len(support.rows), 64), np.float32)
        scores = np.empty(0)
        for k, weights in enumerate(fold_weights(support.weights, fold).T):
            target = support.rows[fold == k - 1] if k else test
            used = weights > 0
            features = _features(vectors, texts, support.rows[used], target)
            scores = _one_vs_rest(features[0], truth[used], weights[used], features[1])
            if k:
                oof[fold == k - 1] = scores
            else:
                kept = scores
        cells.append(_tuned(kept, oof, truth, support))
    return cells


def _tuned(scores: np.ndarray, oof: np.ndarray, truth: np.ndarray, support: Support) -> Scored:
    threshold = tune_threshold(oof[support.scored], truth[support.scored])
    return Scored(scores, threshold.value or 0.0)


def _features(vectors: Any, texts: np.ndarray, train: np.ndarray, target: np.ndarray) -> tuple[Any, Any]:
    if vectors is not None:
        return vectors[train], vectors[target]
    vectorizer = TfidfVectorizer(min_df=2, dtype=np.float32).fit(np.unique(texts[train].astype(str)))
    return vectorizer.transform(texts[train]), vectorizer.transform(texts[target])


def _one_vs_rest(features: Any, truth: np.ndarray, weights: np.ndarray, target: Any) -> np.ndarray:
    scores = np.empty((target.shape[0], truth.shape[1]), np.float32)
    for j, y in enumerate(truth.T):
        if y.all() or not y.any():
            scores[:, j] = y[0]
            continue
        model = LogisticRegression(C=10.0, max_iter=1000).fit(features, y, sample_weight=weights)
        scores[:, j] = model.predict_proba(target)[:, 1]
    return scores


def _micro_f1(cell: Scored, truth: np.ndarray) -> float:
    predicted = cell.scores >= cell.threshold
    return float(2 * (predicted & truth).sum() / (predicted.sum() + truth.sum()))


def _specification(store: Store, family: str) -> TrainingSpec:
    real, synthetic, test = _corpora(max(REGIMES), SYNTHETIC, TEST)
    references = tuple(store.put_corpus(corpus) for corpus in (real, synthetic, test))
    embeddings = {}
    if family == "frozen_encoder":
        embeddings = dict(
            zip((r.sha256 for r in references), embed_corpora(store, references, ENCODER), strict=True)
        )
    return TrainingSpec(
        task=real.task,
        family=family,
        parameters={"C": 10.0},
        segments=references[:2],
        plans=tuple(_plans(references[0].sha256, references[1].sha256)),
        test=references[2],
        embeddings=embeddings,
        encoder=ENCODER,
        folds=5,
        seed=SEED,
    )


def _plans(real: str, synthetic: str) -> list[TrainingPlan]:
    plans = []
    for regime in REGIMES:
        rows, rng = np.arange(regime), stream(SEED, "bench", regime)
        copies = np.bincount(rng.integers(0, regime, SYNTHETIC), minlength=regime)
        twin = Part(real, rows, (1 + copies).astype(np.float32), scored=True)
        once = Part(real, rows, np.ones(regime, np.float32), scored=True)
        added = Part(synthetic, np.arange(SYNTHETIC), np.ones(SYNTHETIC, np.float32), scored=False)
        plans += [TrainingPlan((Stage((twin,)),)), TrainingPlan((Stage((once, added)),))]
    return plans


def _corpora(*counts: int) -> list[Corpus]:
    with tempfile.TemporaryDirectory() as folder, in_process(register, folder) as address:
        pool = Simulated().load({}, sum(counts), SEED, GeneratorClient(address))
    ends = np.cumsum((0, *counts))
    # Families may straddle a cut; a few test documents with relatives are no matter for time.
    return [_own_families(pool.take(range(a, b))) for a, b in pairwise(ends)]


def _own_families(corpus: Corpus) -> Corpus:
    return Corpus(corpus.task, tuple(replace(d, family=d.id) for d in corpus.documents))


def table(rows: Sequence[Row]) -> str:
    """Return the rows as text."""
    lines = [
        f"{'family':<16}{'cells':>6}{'ours, s':>10}{'sklearn, s':>12}{'ratio':>8}{'ΔF1 mean':>10}{'max':>8}"
    ]
    lines += [
        f"{r.family:<16}{r.cells:>6}{r.ours_seconds:>10.2f}{r.peer_seconds:>12.2f}{r.ratio:>7.1f}x"
        f"{r.mean_difference:>10.4f}{r.largest_difference:>8.4f}"
        for r in rows
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main(run, table)
