"""The solver on real patent titles, against scikit-learn."""

import gzip
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from services.classifier.linear import heads_of
from services.classifier.solvers.sparse import fit_sparse
from services.classifier.thresholds import tune_threshold

LABELS, TRAIN, TEST = 24, 500, 800


def titles(folder: Path) -> tuple[list[str], np.ndarray]:
    with gzip.open(folder / "patents_wipo_ewaste" / "data.jsonl.gz", "rt") as lines:
        documents = [json.loads(line) for line in lines]
    order = np.random.default_rng(5).permutation(len(documents))[: TRAIN + TEST]
    chosen = [documents[i] for i in order]
    names = [name for name, _ in Counter(n for d in chosen for n in d["labels"]).most_common(LABELS)]
    return [d["text"] for d in chosen], np.array([[n in d["labels"] for n in names] for d in chosen])


def best_micro_f1(scores: np.ndarray, truth: np.ndarray) -> float:
    predicted = scores >= (tune_threshold(scores, truth).value or 0.0)
    return float(2 * (predicted & truth).sum() / (predicted.sum() + truth.sum()))


@pytest.mark.realdata
def test_micro_f1_on_real_patents_is_scikit_learns(realdata: Path) -> None:
    texts, truth = titles(realdata)
    vectors = TfidfVectorizer(dtype=np.float32).fit(texts[:TRAIN]).transform(texts)
    train, test = sp.csr_array(vectors[:TRAIN]), sp.csr_array(vectors[TRAIN:])
    weights = np.ones(TRAIN, np.float32)
    ours = heads_of(fit_sparse(train, truth[:TRAIN], weights, 10.0))[0].scores(test)
    fits = [LogisticRegression(C=10.0, max_iter=1000).fit(train, y) for y in truth[:TRAIN].T]
    theirs = np.stack([fit.predict_proba(test)[:, 1] for fit in fits], axis=1).astype(np.float32)
    assert abs(best_micro_f1(ours, truth[TRAIN:]) - best_micro_f1(theirs, truth[TRAIN:])) < 0.005
    assert best_micro_f1(ours, truth[TRAIN:]) > 0.35
