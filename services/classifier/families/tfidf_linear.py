"""Logistic regression on TF-IDF."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp

from services.classifier.families import FAMILIES, FOLDS, Examples, Floats, Model, Rows, Source
from services.classifier.linear import (
    Head,
    fit_each,
    fit_softmax,
    fit_softmax_under,
    heads_of,
    require_strength,
)
from services.classifier.objectives import OBJECTIVES
from services.classifier.parameters import Parameters, require_between, require_positive
from services.classifier.solvers.newton import solve
from services.classifier.solvers.objectives import Under
from services.classifier.solvers.sparse import fit_sparse
from services.classifier.stage_objective import read_objective
from services.domain.plan import LOG_LOSS
from services.domain.task import TaskType
from services.features.tfidf import (
    Analyzer,
    TermCounts,
    Tfidf,
    count_terms,
    first_occurrences,
    fit_tfidf,
    join,
    stored_counts,
)

# Longer ones hardly recur, and a text of 100,000 words has so many times 100,000 terms.
MOST_NGRAMS = 5


@dataclass(frozen=True, slots=True)
class TfidfParameters:
    """Settings of `tfidf_linear`.

    Args:
        C: Inverse of the penalty.
        ngrams: Longest n-gram, in words.
        min_df: Terms in fewer unique training texts are left out. Beyond 1 it
            handicaps a control made of copies: a copy is no text of its own, while a
            reworded one makes its source's rare words frequent enough, and gains by that
            alone (.02 to .10 of micro-F1 on 80 to 165 documents).
    """

    C: float = 10.0
    ngrams: int = 1
    min_df: int = 1

    def __post_init__(self) -> None:
        require_strength("C", self.C)
        require_between("ngrams", self.ngrams, 1, MOST_NGRAMS)
        require_positive("min_df", self.min_df)


@dataclass(frozen=True, slots=True)
class FittedTfidf:
    """A head over the terms that one training set kept."""

    pool: TermCounts
    tfidf: Tfidf
    head: Head
    parameters: TfidfParameters

    @property
    def estimates(self) -> Mapping[str, float]:
        return self.head.estimates | {"terms": float(len(self.tfidf.columns))}

    @property
    def notes(self) -> Mapping[str, str]:
        return {}

    def scores(self, rows: Rows) -> Floats:
        return self.head.scores(self.tfidf.transform(sp.csr_array(self.pool.counts[rows])))

    def model(self) -> Model:
        terms = "\n".join(self.pool.terms[j] for j in self.tfidf.columns)
        arrays = self.head.arrays() | {
            "idf": self.tfidf.idf,
            "terms": np.frombuffer(terms.encode(), np.uint8).copy(),
        }
        return Model(arrays, {"type": self.head.type.value, "ngrams": str(self.parameters.ngrams)})


@dataclass(frozen=True, slots=True)
class PreparedTfidf:
    """Counts of all documents; `first` names the first document with the same text."""

    pool: TermCounts
    first: Rows
    parameters: TfidfParameters

    def fit(self, examples: Examples) -> tuple[FittedTfidf, ...]:
        counts = sp.csr_array(self.pool.counts[examples.rows])
        return tuple(self._fit(counts, examples, np.ascontiguousarray(w)) for w in examples.weights.T)

    def _fit(self, counts: sp.csr_array, examples: Examples, weights: Floats) -> FittedTfidf:
        # Words, idf and classifier all learn from the same documents: a held-out
        # one that lent its words would be scored unlike the test documents.
        used = np.flatnonzero(weights > 0)
        own = sp.csr_array(counts[used])
        _, unique = np.unique(self.first[examples.rows[used]], return_index=True)
        tfidf = fit_tfidf(sp.csr_array(own[unique]), least_documents=self.parameters.min_df)
        subset = replace(examples, truth=examples.truth[used], weights=weights[used, None])
        head = _fit_head(tfidf.transform(own), subset, self.parameters.C)
        return FittedTfidf(self.pool, tfidf, head, self.parameters)


@dataclass(frozen=True, slots=True)
class TfidfLinear:
    """The family."""

    version: int = 2
    description: str = (
        "Logistic regression on TF-IDF of words; vocabulary and idf from the plan's unique texts."
    )
    parameters: type[Parameters] = TfidfParameters
    stages: int = 1
    encodes: bool = False
    is_convex: bool = True
    validation: str = FOLDS

    @property
    def objectives(self) -> tuple[str, ...]:
        return OBJECTIVES.names()

    def prepare(self, source: Source, parameters: TfidfParameters) -> PreparedTfidf:
        texts = tuple(text for block in source.blocks for text in block.texts)
        return PreparedTfidf(_counts(source, parameters.ngrams), first_occurrences(texts), parameters)

    def scores(self, model: Model, source: Source) -> Floats:
        pool = _counts(source, int(model.metadata["ngrams"]))
        column = {term: j for j, term in enumerate(pool.terms)}
        text = model.arrays["terms"].tobytes().decode()
        places = np.array([column.get(term, -1) for term in text.split("\n") if term], np.int64)
        known = places >= 0
        tfidf = Tfidf(places[known], model.arrays["idf"][known])
        head = Head.from_arrays(model.arrays, model.metadata["type"])
        return replace(head, slopes=head.slopes[:, known]).scores(tfidf.transform(pool.counts))


def _counts(source: Source, ngrams: int) -> TermCounts:
    analyzer = Analyzer(ngrams)
    return join(
        [
            count_terms(block.texts, analyzer)
            if block.corpus is None
            else stored_counts(source.store, block.corpus, analyzer)
            for block in source.blocks
        ]
    )


def _fit_head(features: sp.csr_array, examples: Examples, strength: float) -> Head:
    truth, weights = examples.truth, examples.weights[:, 0]
    objective = read_objective(examples.objective, examples.type)
    if examples.type is TaskType.MULTI_LABEL:
        method = solve if examples.objective == LOG_LOSS else Under(objective)
        return heads_of(fit_sparse(features, truth, weights, strength, method=method))[0]
    if examples.objective == LOG_LOSS:
        return fit_each(lambda w: fit_softmax(features, truth, w, strength), examples.weights)[0]
    return fit_softmax_under(features, truth, np.ascontiguousarray(weights), strength, objective)


FAMILIES.register("tfidf_linear", TfidfLinear())
