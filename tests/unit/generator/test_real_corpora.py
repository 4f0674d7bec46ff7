"""Backends on real patents and on what published language models wrote."""

from collections import Counter
from pathlib import Path

import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import Ridge
from sklearn.metrics import average_precision_score

from services.domain.corpus import Corpus
from services.domain.document import Document
from services.domain.seeds import stream
from services.domain.task import LabelSet, Task, TaskType
from services.generator.planning import GenerationSpec, Outcome
from services.generator.screening import screen_corpus
from services.generator.synthesis import prepare
from services.storage.columns import find_columns, records
from services.storage.store import Store
from services.storage.tabular import read_rows

pytestmark = pytest.mark.realdata


def read_corpus(path: Path, type: TaskType, count: int) -> Corpus:
    table = read_rows(path)
    rows = records(table, find_columns(table))
    counts = Counter(label for row in rows for label in row.labels)
    task = Task(type, tuple(sorted(label for label, n in counts.items() if n >= 20)))
    documents = (
        Document(row.id, row.text, tuple(n for n in row.labels if n in task.labels), row.family or row.id)
        for row in rows
    )
    return Corpus(task, tuple(d for d in documents if d.labels)[:count])


def accounted(outcomes: list[Outcome], real: Corpus) -> tuple[int, int]:
    """Return how many passed both screenings and how many did not."""
    documents = [o.document for o in outcomes if o.document]
    screening = screen_corpus(documents, real)
    return len(screening.accepted), len(outcomes) - len(documents) + len(screening.rejections)


def test_markov_writes_from_165_real_patents(realdata: Path, store: Store) -> None:
    path = realdata / "patents_green_aviation" / "data.jsonl.gz"
    real = read_corpus(path, TaskType.MULTI_LABEL, 165)
    spec = GenerationSpec("markov", "markov", {}, "label_conditioned", 1, real.task, real, "empirical")
    accepted, rejected = accounted(list(prepare(spec, store).outcomes(0, 60)), real)
    assert accepted + rejected == 60
    assert accepted > 40


@pytest.mark.parametrize(
    ("backend", "strategy"),
    [("template", "label_conditioned"), ("recombine", "label_conditioned"), ("eda", "paraphrase")],
)
def test_written_patents_are_no_copies_and_carry_their_labels(
    backend: str, strategy: str, realdata: Path, store: Store
) -> None:
    path = realdata / "patents_green_aviation" / "data.jsonl.gz"
    corpus = read_corpus(path, TaskType.MULTI_LABEL, 1000)
    real = corpus.take(range(330))
    families = set(real.families)
    test = corpus.take([i for i in range(330, len(corpus)) if corpus.families[i] not in families])
    spec = GenerationSpec("tried", backend, {}, strategy, 1, real.task, real, "empirical")
    outcomes = list(prepare(spec, store).outcomes(0, 330))
    accepted, rejected = accounted(outcomes, real)
    assert accepted + rejected == 330
    assert accepted > 300
    written = [o.document for o in outcomes if o.document]
    shuffled = stream(1, "shuffled").permutation(len(written))
    chance = precision([written[int(i)].labels for i in shuffled], written, test)
    assert precision([d.labels for d in written], written, test) > 2 * chance


def precision(labels: list[LabelSet], written: list[Document], test: Corpus) -> float:
    """Return the mean average precision over labels of a linear model of written texts, on real ones."""
    learned = test.task.encode(labels)
    usable = learned.any(axis=0) & test.indicator.any(axis=0)
    tfidf = TfidfVectorizer(sublinear_tf=True, max_features=5000)
    rows = tfidf.fit_transform([d.text for d in written])
    scores = Ridge(alpha=1.0).fit(rows, learned[:, usable]).predict(tfidf.transform(test.texts))
    return float(average_precision_score(test.indicator[:, usable], scores, average="macro"))


def test_published_corpus_is_read_screened_and_accounted_for(realdata: Path, store: Store) -> None:
    folder = realdata / "synth_kinit_ag_news"
    real = read_corpus(folder / "real_train_pool.jsonl.gz", TaskType.SINGLE_LABEL, 2000)
    parameters = {
        "path": str(folder / "synthetic.jsonl.gz"),
        "only": {"model": "mistral-7b-instruct-v0.3", "mode": "label-conditioned"},
    }
    spec = GenerationSpec(
        "mistral", "corpus_file", parameters, "label_conditioned", 1, real.task, real, "backend"
    )
    outcomes = list(prepare(spec, store).outcomes(0, 300))
    accepted, rejected = accounted(outcomes, real)
    assert accepted + rejected == len(outcomes) == 300
    assert accepted > 200
