"""TF-IDF equals scikit-learn's on the unique texts, and depends on nothing else."""

from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.feature_extraction.text import TfidfVectorizer

from services.domain.corpus import Corpus
from services.domain.document import Document
from services.domain.task import Task, TaskType
from services.features.tfidf import Analyzer, count_terms, first_occurrences, fit_tfidf, join, stored_counts
from services.storage.store import Store

TRAIN = (
    "A wheelchair with a folding frame",
    "Hearing aid with a directional microphone",
    "Folding crutch; the frame folds",
    "Prosthesis for the hand, with sensors",
)
OTHER = ("A microphone sensor for the hand", "Zebra-crossing detector", "!")
TASK = Task(TaskType.MULTI_LABEL, ("a",))


@pytest.mark.parametrize("ngrams", [1, 2])
@pytest.mark.parametrize("least", [1, 2])
def test_equals_scikit_learn_on_the_plans_texts(ngrams: int, least: int) -> None:
    pool = join([count_terms(TRAIN, Analyzer(ngrams)), count_terms(OTHER, Analyzer(ngrams))])
    tfidf = fit_tfidf(sp.csr_array(pool.counts[:4]), least_documents=least)
    vectorizer = TfidfVectorizer(ngram_range=(1, ngrams), min_df=least).fit(TRAIN)
    assert [pool.terms[j] for j in tfidf.columns] == vectorizer.get_feature_names_out().tolist()
    expected = vectorizer.transform(TRAIN + OTHER).toarray()
    assert tfidf.transform(pool.counts).toarray() == pytest.approx(expected, abs=1e-6)


def test_copies_do_not_move_idf_when_left_out() -> None:
    texts = (*TRAIN, TRAIN[0], TRAIN[0])
    counts = count_terms(texts, Analyzer()).counts
    unique = np.unique(first_occurrences(texts))
    assert unique.tolist() == [0, 1, 2, 3]
    without = fit_tfidf(count_terms(TRAIN, Analyzer()).counts)
    assert np.array_equal(fit_tfidf(sp.csr_array(counts[unique])).idf, without.idf)


def test_columns_do_not_depend_on_unused_segments() -> None:
    train, other = count_terms(TRAIN, Analyzer()), count_terms(OTHER, Analyzer())
    rows = []
    for segments, start in ([train], 0), ([other, train], len(OTHER)):
        counts = sp.csr_array(join(segments).counts[start : start + len(TRAIN)])
        rows.append(fit_tfidf(counts).transform(counts).toarray())
    assert np.array_equal(rows[0], rows[1])


def test_text_without_known_words_is_an_empty_row() -> None:
    pool = join([count_terms(TRAIN, Analyzer()), count_terms(OTHER, Analyzer())])
    found = fit_tfidf(sp.csr_array(pool.counts[:4])).transform(pool.counts)
    assert not found.toarray()[5:].any()


def test_texts_without_any_word_have_no_terms() -> None:
    found = count_terms(("!", "?"), Analyzer())
    assert found.terms == ()
    assert join([found, count_terms(TRAIN, Analyzer())]).counts.shape[0] == 6


def test_counts_are_stored_once_per_corpus_and_analyzer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path)
    corpus = Corpus(TASK, tuple(Document(f"d{i}", text, ("a",), f"d{i}") for i, text in enumerate(TRAIN)))
    reference = store.put_corpus(corpus)
    first = stored_counts(store, reference, Analyzer(2))
    monkeypatch.setattr("services.features.tfidf.count_terms", lambda *_: pytest.fail("counted twice"))
    second = stored_counts(store, reference, Analyzer(2))
    assert second.terms == first.terms
    assert np.array_equal(second.counts.toarray(), first.counts.toarray())
