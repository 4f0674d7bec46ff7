"""The study's numbers a second time, from scikit-learn, SciPy and the rules alone.

No module of the services' numbers is imported: what they compute in blocks, in
float32 or with their own solvers is written here as plainly as it can be.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.spatial.distance import pdist
from scipy.stats import rankdata, t
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import (
    f1_score,
    label_ranking_average_precision_score,
    precision_recall_curve,
)
from sklearn.metrics.pairwise import rbf_kernel

from services.domain.document import Document
from services.domain.seeds import derived_seed
from tests.study.recompute_material import Indexed, TrainingSet

Doubles = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
C = 10.0
LEAST_DOCUMENTS = 1
GRID = 0.05
DEPTH = 10


class Arm(NamedTuple):
    """Scores per replicate, shape (R,), and influences per test family, shape (R, T)."""

    values: Doubles
    influence: Doubles


class Refit(NamedTuple):
    """A cell trained again: its test scores, and the threshold from its out-of-fold scores."""

    scores: Doubles
    threshold: float


@dataclass(frozen=True, slots=True)
class Test:
    """The test documents."""

    texts: tuple[str, ...]
    families: tuple[str, ...]
    vectors: npt.NDArray[np.float32]
    truth: Flags

    def micro_f1(self, scores: Doubles, threshold: float) -> float:
        return float(f1_score(self.truth, scores >= threshold, average="micro"))


def ratio_arm(numerators: Sequence[Doubles], sizes: Sequence[Doubles], families: Sequence[str]) -> Arm:
    """Return an arm whose score is a ratio of sums over test documents (or queries)."""
    _, code = np.unique(families, return_inverse=True)
    above = np.stack([np.bincount(code, n) for n in numerators])
    below = np.stack([np.bincount(code, s) for s in sizes])
    values = above.sum(1) / below.sum(1)
    return Arm(values, (above - values[:, None] * below) / below.mean(1, keepdims=True))


def micro_f1_arm(
    truth: Flags, predictions: Sequence[tuple[npt.NDArray[np.float32], float]], families: Sequence[str]
) -> Arm:
    """Return micro-F1 at the tuned threshold, replicate by replicate."""
    decided = [scores >= threshold for scores, threshold in predictions]
    hits = [2.0 * (truth & one).sum(1) for one in decided]
    return ratio_arm(hits, [(truth.sum(1) + one.sum(1)).astype(float) for one in decided], families)


def half_width(treatment: Arm, control: Arm, level: float) -> float:
    """Return half the t interval of the mean difference (rules of inference, section 4)."""
    difference, influence = treatment.values - control.values, treatment.influence - control.influence
    R, T = influence.shape
    mean = influence.mean(0)
    between = difference.var(ddof=1) / R
    documents = ((mean - mean.mean()) ** 2).sum() / (T - 1) / T
    interaction = ((influence - mean) ** 2).sum() / ((R - 1) * (T - 1)) / (R * T)
    variance = between + max(0.0, documents - interaction)
    freedom = variance**2 / (between**2 / (R - 1) + documents**2 / (T - 1))
    return float(t.ppf(0.5 + level / 2, np.clip(freedom, R - 1, T - 1)) * np.sqrt(variance))


def interval(treatment: Arm, control: Arm, level: float) -> tuple[float, float]:
    effect = float((treatment.values - control.values).mean())
    half = half_width(treatment, control, level)
    return effect - half, effect + half


def worth(treatment: Arm, lengths: Doubles, rungs: Sequence[Arm]) -> tuple[float, float, float]:
    """Return worth and the ends of its interval; NaN where the ruler does not reach.

    The interval is read off a grid of a twentieth of a document.
    """
    score = float(treatment.values.mean())
    ruler = IsotonicRegression().fit_transform(lengths, [rung.values.mean() for rung in rungs])
    grid = np.union1d(np.arange(0, lengths[-1], GRID), lengths)
    holds = np.array([_holds(treatment, x, lengths, rungs, ruler) for x in grid])
    low, high = grid[holds].min(), grid[holds].max()
    inside = ruler[0] <= score <= ruler[-1]
    point = float(np.interp(score, ruler, lengths)) if inside else np.nan
    return point, np.nan if low == grid[0] else low, np.nan if high == grid[-1] else high


def _holds(treatment: Arm, x: float, lengths: Doubles, rungs: Sequence[Arm], ruler: Doubles) -> bool:
    j = min(int(np.searchsorted(lengths, x, "right")) - 1, len(rungs) - 2)
    share = (x - lengths[j]) / (lengths[j + 1] - lengths[j])
    left, right = rungs[j], rungs[j + 1]
    between = Arm(*((1 - share) * a + share * b for a, b in zip(left, right, strict=True)))
    lead = treatment.values.mean() - np.interp(x, lengths, ruler)
    return bool(abs(lead) <= half_width(treatment, between, 0.95))


def lrap(truth: Flags, scores: npt.NDArray[Any], prevalence: Doubles) -> float:
    """Return label-ranking average precision; equal scores are ranked by prevalence in training."""
    ranked = rankdata(scores, method="dense", axis=1) + prevalence / 2
    return float(label_ranking_average_precision_score(truth, ranked))


def refit(family: str, train: TrainingSet, test: Test, seed: int, folds: int) -> Refit:
    """Train a cell by scikit-learn's own solvers and tune its threshold out of fold."""
    held_out = fold_of(train, seed, folds)
    oof = np.zeros(train.truth.shape)
    for fold in range(folds):
        rows = np.flatnonzero(train.scored & (held_out == fold))
        texts = [train.documents[i].text for i in rows]
        oof[rows] = scores_of(family, train, held_out != fold, texts, train.vectors[rows])
    threshold = tuned(train.truth[train.scored], oof[train.scored])
    everything = np.ones(len(train.scored), dtype=np.bool_)
    return Refit(scores_of(family, train, everything, test.texts, test.vectors), threshold)


def fold_of(train: TrainingSet, seed: int, folds: int) -> npt.NDArray[np.int64]:
    """Return each row's fold: its family's, or that of the real document it was made from; else -1."""
    real = [d for d, scored in zip(train.documents, train.scored, strict=True) if scored]
    dealt = sorted({d.family for d in real}, key=lambda name: derived_seed(seed, "fold", name))
    fold = {name: place % folds for place, name in enumerate(dealt)}
    by_source = {d.id: fold[d.family] for d in real}

    def of(document: Document) -> int:
        source = document.provenance.source_id if document.provenance else ""
        return by_source.get(source, fold.get(document.family, -1))

    return np.array([of(document) for document in train.documents])


def scores_of(
    family: str, train: TrainingSet, kept: Flags, texts: Sequence[str], vectors: npt.NDArray[np.float32]
) -> Doubles:
    """Return probabilities of some texts after training on the kept rows."""
    inputs, others = train.vectors[kept].astype(float), vectors.astype(float)
    if family == "tfidf_linear":
        own = [d.text for d, keep in zip(train.documents, kept, strict=True) if keep]
        tfidf = TfidfVectorizer(min_df=LEAST_DOCUMENTS).fit(sorted(set(own)))
        inputs, others = tfidf.transform(own), tfidf.transform(texts)
    solver = "newton-cg" if family == "tfidf_linear" else "newton-cholesky"
    scores = np.zeros((len(texts), train.truth.shape[1]))
    for label, truth in enumerate(train.truth[kept].T):
        if truth.min() == truth.max():
            scores[:, label] = float(truth[0])
            continue
        model = LogisticRegression(C=C, solver=solver, tol=1e-8, max_iter=2000)
        scores[:, label] = model.fit(inputs, truth, train.weights[kept]).predict_proba(others)[:, 1]
    return scores


def tuned(truth: Flags, scores: Doubles) -> float:
    """Return the threshold of best micro-F1, half way down to the next score."""
    precision, recall, steps = precision_recall_curve(truth.ravel(), scores.ravel())
    # Ties to rounding go to the highest threshold.
    f1 = np.round(2 * precision * recall / np.maximum(precision + recall, 1e-300), 12)
    best = len(steps) - 1 - int(np.argmax(f1[:-1][::-1]))
    return float((steps[best] + steps[max(best - 1, 0)]) / 2)


def mmd2(corpus: Doubles, reference: Doubles) -> float:
    """Return the U-statistic; Gaussian kernel, median distance of the reference as bandwidth."""
    gamma = 0.5 / np.median(pdist(reference, "sqeuclidean"))

    def within(x: Doubles) -> float:
        kernel = rbf_kernel(x, gamma=gamma)
        return float((kernel.sum() - np.trace(kernel)) / (len(x) * (len(x) - 1)))

    return within(corpus) + within(reference) - 2 * float(rbf_kernel(corpus, reference, gamma).mean())


def query_ndcg(index: Indexed, test: Test, reading: str) -> Doubles:
    """Return nDCG@10 per query, gains linear in label overlap; NaN without a relevant document."""
    both = test.truth.astype(float) @ index.truth.T.astype(float)
    gains = both / (test.truth.sum(1)[:, None] + index.truth.sum(1) - both)
    if reading == "real_only":
        gains[:, index.synthetic] = 0
    # Equal vectors differ by rounding in a product of matrices; the earlier one comes first.
    nearness = np.round(test.vectors.astype(float) @ index.vectors.T.astype(float), 12)
    found = np.take_along_axis(gains, np.argsort(-nearness, axis=1, kind="stable")[:, :DEPTH], axis=1)
    ideal = -np.sort(-gains, axis=1)[:, :DEPTH]
    discount = 1 / np.log2(np.arange(2, DEPTH + 2))
    best = ideal @ discount
    return np.asarray(np.divide(found @ discount, best, out=np.full(len(best), np.nan), where=best > 0))


def share_without_donor(train: TrainingSet, written: Sequence[Document]) -> float:
    """Return the share of written documents with neither a source nor an equal label set in the regime."""
    real = [d for d, scored in zip(train.documents, train.scored, strict=True) if scored]
    ids, label_sets = {d.id for d in real}, {frozenset(d.labels) for d in real}
    lost = [
        frozenset(d.labels) not in label_sets and not (d.provenance and d.provenance.source_id in ids)
        for d in written
    ]
    return float(np.mean(lost))
