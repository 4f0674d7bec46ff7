"""Metrics of texts: worked examples, slow versions, and what each cannot measure."""

from collections import Counter
from math import exp, log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.evaluator.fidelity import Estimate, Sample
from services.evaluator.fidelity.compression_ratio import CompressionRatio
from services.evaluator.fidelity.distinct import Distinct
from services.evaluator.fidelity.divergence import jensen_shannon
from services.evaluator.fidelity.length_drift import LengthDrift
from services.evaluator.fidelity.one_by_one import OneByOne
from services.evaluator.fidelity.self_bleu import SelfBleu, self_bleu
from services.evaluator.fidelity.unrelated import random_texts
from services.evaluator.fidelity.vocabulary_divergence import VocabularyDivergence
from services.evaluator.fidelity.words import grams, lengths
from tests.unit.fidelity.measured import measured

ALPHABET = st.lists(st.lists(st.sampled_from("abc"), max_size=9).map(" ".join), min_size=2, max_size=7)


def said(*texts: str) -> Sample:
    count = len(texts)
    return Sample(np.zeros((count, 2), dtype=np.float32), np.arange(count), texts=texts)


def one(metric: OneByOne, reference: Sample, corpus: Sample) -> Estimate:
    return measured(metric, reference, corpus)[0]


def alone(metric: OneByOne, *texts: str) -> float:
    found = one(metric, said(*texts), said(*texts)).value
    assert found is not None
    return found


def slow_bleu(texts: list[list[str]], i: int) -> float:
    """BLEU-4 of a text against all others, run by run."""
    hypothesis, others = texts[i], [text for j, text in enumerate(texts) if j != i]
    logs = []
    for n in range(1, min(4, len(hypothesis)) + 1):
        runs = Counter(tuple(hypothesis[k : k + n]) for k in range(len(hypothesis) - n + 1))
        there = [Counter(tuple(t[k : k + n]) for k in range(len(t) - n + 1)) for t in others]
        matched = sum(min(often, max(known[run] for known in there)) for run, often in runs.items())
        logs.append(log((matched or 0.1) / sum(runs.values())))
    spoken = [len(t) for t in others if t]
    near = min(spoken, key=lambda length: (abs(length - len(hypothesis)), length))
    penalty = 1.0 if near <= len(hypothesis) else exp(1 - near / len(hypothesis))
    return penalty * exp(sum(logs) / len(logs))


def test_runs_are_those_of_each_document() -> None:
    runs = grams(said("a b a b", "b a", "", "c"))
    assert [len(g.ids) for g in runs] == [7, 4, 2, 1]
    # a b, b a, a b and b a: two different ones.
    assert len(np.unique(runs[1].ids)) == 2
    assert list(runs[1].documents) == [0, 0, 0, 1]


@given(ALPHABET)
@settings(max_examples=60, deadline=None)
def test_equal_runs_have_equal_numbers(texts: list[str]) -> None:
    for n, found in enumerate(grams(said(*texts)), start=1):
        runs = [
            (row, tuple(text.split()[k : k + n]))
            for row, text in enumerate(texts)
            for k in range(len(text.split()) - n + 1)
        ]
        assert list(found.documents) == [row for row, _ in runs]
        assert len(set(found.ids.tolist())) == len({run for _, run in runs})
        assert len({(run, i) for (_, run), i in zip(runs, found.ids.tolist(), strict=True)}) == len(
            {run for _, run in runs}
        )


def test_distinct_is_the_share_of_different_runs() -> None:
    texts = ("The cat sat.", "the CAT ran")
    assert alone(Distinct(1), *texts) == pytest.approx(4 / 6)
    assert alone(Distinct(2), *texts) == pytest.approx(3 / 4)
    assert alone(Distinct(3), *texts) == pytest.approx(1)


def test_distinct_needs_a_run() -> None:
    corpus = said("one two", "three")
    assert one(Distinct(3), corpus, corpus).undefined_reason == "no document has 3 words"


def test_self_bleu_of_identical_texts_is_one() -> None:
    assert alone(SelfBleu(), *["a sensor in a shoe sole"] * 3) == pytest.approx(1)


def test_self_bleu_by_hand() -> None:
    # Against "a b c e": runs of one word 3/4, two 2/3, three 1/2, four 0.1/1; both have four words.
    expected = (3 / 4 * 2 / 3 * 1 / 2 * 0.1) ** 0.25
    assert alone(SelfBleu(), "a b c d", "a b c e") == pytest.approx(expected)


def test_self_bleu_counts_a_run_no_more_often_than_elsewhere() -> None:
    runs, counts = grams(said("a a a a", "a a b c d")), lengths(said("a a a a", "a a b c d"))
    # One word 2/4, two 1/3; three and four are found nowhere. The other is longer.
    expected = exp(1 - 5 / 4) * (2 / 4 * 1 / 3 * 0.1 / 2 * 0.1 / 1) ** 0.25
    assert self_bleu(runs, counts)[0] == pytest.approx(expected)


@given(ALPHABET)
@settings(max_examples=150, deadline=None)
def test_self_bleu_agrees_with_the_slow_version(texts: list[str]) -> None:
    corpus, split = said(*texts), [text.split() for text in texts]
    spoken = [i for i, text in enumerate(split) if text]
    if len(spoken) < 2:
        assert one(SelfBleu(), corpus, corpus).value is None
        return
    expected = [slow_bleu(split, i) for i in spoken]
    np.testing.assert_allclose(self_bleu(grams(corpus), lengths(corpus))[spoken], expected)
    assert one(SelfBleu(), corpus, corpus).value == pytest.approx(np.mean(expected))


def test_copies_compress_and_random_letters_do_not() -> None:
    rng = np.random.default_rng(1)
    texts = random_texts(np.full(40, 20), rng)
    unlike, copies = alone(CompressionRatio(), *texts), alone(CompressionRatio(), *[texts[0]] * 40)
    # 26 letters and a space in 11 carry about 4.3 of 8 bits.
    assert 1.4 < unlike < 2
    assert copies > 20


def test_copies_far_apart_are_found() -> None:
    rng = np.random.default_rng(2)
    texts = random_texts(np.full(800, 10), rng)
    # 88 kB before the first repetition: beyond the window of gzip.
    assert alone(CompressionRatio(), *texts, *texts) > 1.9 * alone(CompressionRatio(), *texts)


@pytest.mark.parametrize(
    ("one_side", "other_side", "bits"),
    [
        ([1, 1], [10, 10], 0.0),
        ([1, 0], [0, 1], 1.0),
        # M = (3/4, 1/4): half of log2(4/3) and half of (log2(2/3) + log2(2)) / 2.
        ([1, 0], [1, 1], 0.5 * np.log2(4 / 3) + 0.25 * (np.log2(2 / 3) + 1)),
    ],
)
def test_jensen_shannon_in_bits(one_side: list[int], other_side: list[int], bits: float) -> None:
    one, other = np.array(one_side, dtype=np.float64), np.array(other_side, dtype=np.float64)
    assert jensen_shannon(one, other) == pytest.approx(bits, abs=1e-12)
    assert jensen_shannon(other, one) == pytest.approx(bits, abs=1e-12)


def test_vocabularies_diverge_by_frequency_and_not_by_order() -> None:
    metric = VocabularyDivergence()
    real = said("a b", "a b")
    assert one(metric, real, said("b a", "b a b a")).value == pytest.approx(0)
    assert one(metric, real, said("c", "d c")).value == pytest.approx(1)
    found = one(metric, said("a", "a"), said("a b", "b a"))
    assert found.value == pytest.approx(0.5 * np.log2(4 / 3) + 0.25 * (np.log2(2 / 3) + 1))
    assert found.estimates["foreign_word_share"] == pytest.approx(0.5)


def test_whole_weights_count_words_as_copies() -> None:
    real, plain = said("a b", "c d"), said("a", "b")
    weighted = Sample(plain.embeddings, plain.families, np.array([3.0, 1.0]), texts=plain.texts)
    copied = said("a", "a", "a", "b")
    metric = VocabularyDivergence()
    assert one(metric, real, weighted).value == pytest.approx(one(metric, real, copied).value)


def test_documents_twice_as_long_drift_by_the_logarithm_of_two() -> None:
    found = one(LengthDrift(), said("a", "a b c"), said("a b", "a b c d e f"))
    assert found.value == pytest.approx(log(2))
    assert found.estimates == pytest.approx({"log_ratio": log(2), "spread_ratio": 1.0})


def test_documents_of_one_length_drift_though_their_mean_is_right() -> None:
    found = one(LengthDrift(), said("a", "a b c d"), said("a b", "a b"))
    assert found.value == pytest.approx(log(2))
    assert found.estimates == pytest.approx({"log_ratio": 0.0, "spread_ratio": 0.0})


def test_without_texts_there_is_a_reason() -> None:
    bare = Sample(np.zeros((3, 2), dtype=np.float32), np.arange(3))
    for metric in (Distinct(1), SelfBleu(), CompressionRatio(), VocabularyDivergence(), LengthDrift()):
        assert one(metric, bare, bare).undefined_reason == "the reference came without texts"


def test_texts_without_a_word_have_no_vocabulary() -> None:
    empty = said("...", "!")
    assert one(VocabularyDivergence(), said("a", "b"), empty).undefined_reason == "one side has no words"
    assert one(SelfBleu(), empty, empty).undefined_reason == "0 documents have words"
