"""TF-IDF whose counting is done once per corpus and whose weighting is each plan's own.

Counts are kept per corpus under its digest and the analyzer's revision. A plan
joins the corpora it uses over the sorted union of their words, and learns idf
and vocabulary from its own unique texts: copies carry no information, and must
not pass for frequent words.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from services.domain.artifact import ArtifactRef
from services.storage.store import Store

ANALYZER_VERSION = 1

Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Analyzer:
    """Lower-cased words of at least two characters and their n-grams, up to `longest` words."""

    longest: int = 1

    @property
    def revision(self) -> str:
        return f"word-1-{self.longest}/{ANALYZER_VERSION}"


@dataclass(frozen=True, slots=True)
class TermCounts:
    """How often each term occurs in each document.

    Args:
        counts: Shape (n, terms), float32.
        terms: Sorted.
    """

    counts: sp.csr_array
    terms: tuple[str, ...]


def count_terms(texts: Sequence[str], analyzer: Analyzer) -> TermCounts:
    """Count every term of some texts; a text without any term has an empty row."""
    from sklearn.feature_extraction.text import CountVectorizer

    vectorizer = CountVectorizer(ngram_range=(1, analyzer.longest), dtype=np.float32)
    if not any(vectorizer.build_analyzer()(text) for text in texts):
        return TermCounts(sp.csr_array((len(texts), 0), dtype=np.float32), ())
    counts = sp.csr_array(vectorizer.fit_transform(texts))
    counts.sort_indices()
    return TermCounts(counts, tuple(vectorizer.get_feature_names_out().tolist()))


def stored_counts(store: Store, corpus: ArtifactRef, analyzer: Analyzer) -> TermCounts:
    """Return a stored corpus's counts, counting once and keeping them."""

    def compute() -> ArtifactRef:
        found = count_terms(store.get_corpus(corpus).texts, analyzer)
        return store.put_arrays(_to_arrays(found), {"analyzer": analyzer.revision})

    key = {"computed": "term_counts", "corpus": corpus.sha256, "analyzer": analyzer.revision}
    return _from_arrays(store.get_arrays(store.computed(key, compute))[0])


def join(segments: Sequence[TermCounts]) -> TermCounts:
    """Lay corpora end to end over the sorted union of their terms."""
    terms = sorted(set().union(*(segment.terms for segment in segments)))
    column = {term: j for j, term in enumerate(terms)}
    placed = []
    for segment in segments:
        names = np.fromiter((column[t] for t in segment.terms), np.int32, len(segment.terms))
        counts = segment.counts
        # Both vocabularies are sorted, so the columns of a row stay in order.
        indices = names[counts.indices] if len(names) else counts.indices.astype(np.int32)
        shape = (counts.shape[0], len(terms))
        placed.append(sp.csr_array((counts.data, indices, counts.indptr), shape=shape))
    return TermCounts(sp.csr_array(sp.vstack(placed, format="csr")), tuple(terms))


@dataclass(frozen=True, slots=True)
class Tfidf:
    """A fitted weighting: the terms it keeps, as columns of the counts, and their idf."""

    columns: npt.NDArray[np.int64]
    idf: Floats

    def transform(self, counts: sp.csr_array) -> sp.csr_array:
        """Return rows of unit length; a row without known terms is empty."""
        place = np.full(counts.shape[1], -1, np.int64)
        place[self.columns] = np.arange(len(self.columns))
        found = place[counts.indices]
        known = found >= 0
        ends = np.concatenate([[0], np.cumsum(known)])[counts.indptr]
        indices = found[known]
        values = counts.data[known] * self.idf[indices]
        owners = np.repeat(np.arange(counts.shape[0]), np.diff(ends))
        lengths = np.sqrt(
            np.bincount(owners, weights=values.astype(np.float64) ** 2, minlength=counts.shape[0])
        )
        values = (values / lengths[owners]).astype(np.float32)
        shape = (counts.shape[0], len(self.columns))
        return sp.csr_array((values, indices.astype(np.int32), ends.astype(np.int32)), shape=shape)


def fit_tfidf(counts: sp.csr_array, *, least_documents: int = 1) -> Tfidf:
    """Learn idf = ln((1 + n) / (1 + df)) + 1 from unique documents.

    Args:
        counts: Shape (n, terms), each text once.
        least_documents: Terms in fewer documents are left out.
    """
    frequency = np.bincount(counts.indices, minlength=counts.shape[1])
    columns = np.flatnonzero(frequency >= max(least_documents, 1))
    idf = np.log((1 + counts.shape[0]) / (1 + frequency[columns])) + 1
    return Tfidf(columns, idf.astype(np.float32))


def first_occurrences(texts: Sequence[str]) -> Rows:
    """Return, for every text, the position of its first occurrence."""
    first: dict[str, int] = {}
    return np.array([first.setdefault(text, i) for i, text in enumerate(texts)], np.int64)


def _to_arrays(found: TermCounts) -> dict[str, np.ndarray]:
    # No term holds a line break: the analyzer splits at everything that is not a word.
    terms = np.frombuffer("\n".join(found.terms).encode(), np.uint8)
    counts = found.counts
    return {
        "counts": counts.data.astype(np.float32),
        "columns": counts.indices.astype(np.int32),
        "starts": counts.indptr.astype(np.int64),
        "terms": terms.copy(),
    }


def _from_arrays(arrays: dict[str, np.ndarray]) -> TermCounts:
    text = arrays["terms"].tobytes().decode()
    terms = tuple(text.split("\n")) if text else ()
    shape = (len(arrays["starts"]) - 1, len(terms))
    counts = sp.csr_array((arrays["counts"], arrays["columns"], arrays["starts"]), shape=shape)
    return TermCounts(counts, terms)
