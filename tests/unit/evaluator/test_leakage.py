"""The leakage audit: what each kind finds, against the slow version, and in which order."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from services.domain.corpus import Corpus
from services.domain.document import Document
from services.domain.errors import InvalidInputError
from services.domain.task import Task, TaskType
from services.domain.texts import normalised
from services.evaluator.leakage import (
    EMBEDDING_NEIGHBOUR,
    EQUAL_TEXT,
    KINDS,
    NEAR_DUPLICATE,
    SHARED_FAMILY,
    Audited,
    Pair,
)
from services.evaluator.leakage.audit import audit_leakage
from services.evaluator.leakage.vectors import calibrate, related, unit

TASK = Task(TaskType.MULTI_LABEL, ("a",))
LONG = "a stair lift with a guide rail and a swivel seat for elderly persons who cannot climb"


def corpus(prefix: str, *texts: str, families: tuple[str, ...] = ()) -> Corpus:
    names = families or tuple(f"{prefix}{i}" for i in range(len(texts)))
    return Corpus(
        TASK,
        tuple(
            Document(f"{prefix}{i}", text, ("a",), family)
            for i, (text, family) in enumerate(zip(texts, names, strict=True))
        ),
    )


def numbered(prefix: str, count: int) -> Corpus:
    return corpus(prefix, *(f"{prefix} speaks of {i} and {i * i} things" for i in range(count)))


def directions(seed: int, count: int, dimensions: int = 20) -> np.ndarray:
    x = np.random.default_rng(seed).normal(size=(count, dimensions)).astype(np.float32)
    return np.asarray(x / np.linalg.norm(x, axis=1, keepdims=True))


def test_equal_texts_are_equal_but_for_case_and_punctuation() -> None:
    real = Audited("real", corpus("r", "A walking stick.", "Something else"))
    test = Audited("test", corpus("t", "nothing of it", "a WALKING, stick!"))
    found = audit_leakage([real, test]).find("real", "test", EQUAL_TEXT)
    assert found.pairs == (Pair("r0", "t1", 1.0),)
    assert (found.left_count, found.right_count) == (2, 2)


def test_near_duplicates_are_not_counted_as_equal() -> None:
    real = Audited("real", corpus("r", LONG, "another thing entirely, with other words in it"))
    written = Audited("synthetic", corpus("s", LONG, LONG + " stairs"))
    audit = audit_leakage([real, written])
    assert audit.find("real", "synthetic", EQUAL_TEXT).pairs == (Pair("r0", "s0", 1.0),)
    # 15 shingles, and one more.
    assert audit.find("real", "synthetic", NEAR_DUPLICATE).pairs == (Pair("r0", "s1", 15 / 16),)


def test_texts_without_words_equal_nothing() -> None:
    audit = audit_leakage([Audited("real", corpus("r", "...")), Audited("test", corpus("t", "!", "..."))])
    for kind in (EQUAL_TEXT, NEAR_DUPLICATE):
        assert audit.find("real", "test", kind).pairs == ()


def test_near_duplicates_agree_with_all_pairs() -> None:
    rng = np.random.default_rng(1)
    words = np.array([f"w{i}" for i in range(400)])
    bases = [rng.choice(words, 30) for _ in range(80)]

    def edited() -> list[str]:
        texts = []
        for base in bases:
            changed = base.copy()
            places = rng.choice(30, rng.integers(0, 5), replace=False)
            changed[places] = rng.choice(words, len(places))
            texts.append(" ".join(changed))
        return texts

    left, right = corpus("l", *edited()), corpus("r", *edited())
    found = audit_leakage([Audited("left", left), Audited("right", right)])
    expected = {}
    for one, other in product(left.documents, right.documents):
        a, b = (_shingles(d.text) for d in (one, other))
        if len(a & b) / len(a | b) >= 0.6 and one.text != other.text:
            expected[one.id, other.id] = len(a & b) / len(a | b)
    pairs = {(p.left, p.right): p.similarity for p in found.find("left", "right", NEAR_DUPLICATE).pairs}
    assert len(expected) > 20
    assert pairs.items() <= expected.items()
    # The sketch may miss a pair at the threshold, one in a hundred.
    assert len(pairs) >= len(expected) - 1


def _shingles(text: str) -> set[tuple[str, ...]]:
    words = normalised(text).split()
    return {tuple(words[i : i + 3]) for i in range(len(words) - 2)}


def test_families_that_straddle_are_listed_document_by_document() -> None:
    train = Audited("real", corpus("r", "one", "two", "three", families=("f", "f", "g")))
    test = Audited("test", corpus("t", "four", "five", families=("f", "h")))
    found = audit_leakage([train, test]).find("real", "test", SHARED_FAMILY)
    assert found.pairs == (Pair("r0", "t0", 1.0), Pair("r1", "t0", 1.0))
    assert (found.pair_count, found.left_found, found.right_found) == (2, 2, 1)


def test_planted_neighbours_are_found_and_others_are_not() -> None:
    real, test = numbered("r", 300), numbered("t", 50)
    x, y = directions(1, 300), directions(2, 50)
    y[7] = unit((x[31:32] + 0.05 * y[7]).astype(np.float32))
    audit = audit_leakage([Audited("real", real, x), Audited("test", test, y)])
    (pair,) = audit.find("real", "test", EMBEDDING_NEIGHBOUR).pairs
    assert (pair.left, pair.right) == ("r31", "t7")
    assert pair.similarity == pytest.approx(float(x[31] @ y[7]))


def test_neighbours_agree_with_all_pairs() -> None:
    real, test = numbered("r", 600), numbered("t", 550)
    x, y = directions(3, 600, 3), directions(4, 550, 3)
    audit = audit_leakage([Audited("real", real, x), Audited("test", test, 4 * y)], quantile=0.5)
    assert audit.calibration is not None
    cosines = x.astype(np.float64) @ y.T.astype(np.float64)
    found = audit.find("real", "test", EMBEDDING_NEIGHBOUR)
    assert found.pair_count == (cosines > audit.calibration.threshold).sum()
    similarities = [pair.similarity for pair in found.pairs]
    assert similarities == sorted(similarities, reverse=True)


def test_threshold_is_the_quantile_of_nearest_cosines_between_groups() -> None:
    x = directions(5, 700, 4)
    groups = np.arange(700) // 2
    cosines = x.astype(np.float64) @ x.T.astype(np.float64)
    cosines[groups[:, None] == groups[None, :]] = -1
    nearest = np.sort(cosines.max(axis=1))
    found = calibrate(x, groups, 0.9)
    # At rank .9 * 699 = 629.1, the higher of its neighbours.
    assert found.threshold == pytest.approx(nearest[630], abs=1e-6)
    assert found.document_count == 700


def test_about_one_unrelated_document_in_a_hundred_is_beyond_the_hundredth() -> None:
    real, fresh = directions(6, 2000, 12), directions(7, 2000, 12)
    threshold = calibrate(real, np.arange(2000), 0.99).threshold
    beyond = ((fresh @ real.T).max(axis=1) > threshold).mean()
    assert 0.003 < beyond < 0.02


def test_repeated_real_documents_do_not_raise_the_threshold() -> None:
    plain = numbered("r", 300)
    x = directions(8, 300)
    copies = Corpus(
        TASK,
        (
            *plain.documents,
            *(replace(d, id=f"c{i}", family=f"c{i}") for i, d in enumerate(plain.documents[:30])),
        ),
    )
    other = Audited("test", numbered("t", 5), directions(9, 5))
    alone = audit_leakage([Audited("real", plain, x), other]).calibration
    repeated = audit_leakage([Audited("real", copies, np.concatenate([x, x[:30]])), other]).calibration
    assert alone is not None and repeated is not None
    assert repeated.threshold == pytest.approx(alone.threshold)


def test_related_documents_are_joined_transitively() -> None:
    four = corpus("r", "a", "b", "c", "d", families=("f", "f", "g", "h"))
    groups = related(four, [("r1", "r2")])
    assert groups[0] == groups[1] == groups[2] != groups[3]


def test_findings_come_in_order_and_again_the_same() -> None:
    parts = [
        Audited("real", numbered("r", 150), directions(10, 150)),
        Audited("synthetic", corpus("s", LONG, LONG, "r speaks of 3 and 9 things")),
        Audited("test", corpus("t", "R speaks of 3 and 9 things", LONG)),
    ]
    audit = audit_leakage(parts)
    assert [(f.left, f.right, f.kind) for f in audit.findings] == [
        (left, right, kind)
        for left, right in (("real", "synthetic"), ("real", "test"), ("synthetic", "test"))
        for kind in KINDS
    ]
    equal = audit.find("synthetic", "test", EQUAL_TEXT)
    assert [(p.left, p.right) for p in equal.pairs] == [("s0", "t1"), ("s1", "t1"), ("s2", "t0")]
    assert audit_leakage(parts) == audit


def test_without_embeddings_neighbours_are_undefined_and_not_zero() -> None:
    real, test = Audited("real", numbered("r", 150), directions(11, 150)), Audited("test", numbered("t", 9))
    found = audit_leakage([real, test]).find("real", "test", EMBEDDING_NEIGHBOUR)
    assert (found.pair_count, found.left_found, found.right_found) == (None, None, None)
    assert found.undefined_reason == "corpus 'test' came without embeddings"


@pytest.mark.parametrize(
    ("calibrated_on", "reason"),
    [
        ("real", "corpus 'real' has fewer than 100 unrelated documents"),
        ("none", "no corpus is named 'none'"),
        ("bare", "corpus 'bare' came without embeddings"),
    ],
)
def test_without_a_calibration_neighbours_are_undefined(calibrated_on: str, reason: str) -> None:
    parts = [
        Audited("real", numbered("r", 99), directions(12, 99)),
        Audited("test", numbered("t", 120), directions(13, 120)),
        Audited("bare", numbered("b", 120)),
    ]
    audit = audit_leakage(parts, calibrated_on=calibrated_on)
    assert audit.calibration is None
    assert audit.find("real", "test", EMBEDDING_NEIGHBOUR).undefined_reason.startswith(reason)


def _one(embeddings: np.ndarray | None = None, name: str = "test") -> Audited:
    return Audited(name, numbered("t", 3), embeddings)


@pytest.mark.parametrize(
    ("parts", "quantile", "field", "words"),
    [
        ([_one()], 0.9, "corpora", "there are 1"),
        ([_one(), _one()], 0.9, "corpora[1].name", "'test' is none"),
        ([_one(), _one(name="real")], 1.0, "quantile", "between 0 and 1"),
        ([_one(np.ones((2, 4))), _one(name="real")], 0.9, "corpora[0].embeddings", "2 embeddings for 3"),
        (
            [_one(np.ones((3, 4))), _one(np.ones((3, 5)), "real")],
            0.9,
            "corpora.embeddings",
            "4 and 5 dimensions",
        ),
        ([_one(), _one(np.full((3, 4), np.nan), "real")], 0.9, "corpora[1].embeddings[0]", "not finite"),
    ],
)
def test_bad_input_names_its_field(parts: list[Audited], quantile: float, field: str, words: str) -> None:
    with pytest.raises(InvalidInputError, match=words) as caught:
        audit_leakage(parts, quantile=quantile)
    assert caught.value.field == field
