"""nDCG and recall equal to ir_measures, which wraps trec_eval."""

from pathlib import Path

import ir_measures
import numpy as np
import pytest
from ir_measures import Qrel, R, ScoredDoc, nDCG

from services.domain.errors import InvalidInputError
from services.retrieval.ranking import RankingMetric, Scored, ndcg, parse_metric, recall, strictly_falling

Grades = dict[str, dict[str, int]]
Run = dict[str, list[tuple[str, float]]]


def scored(grades: Grades, run: Run, queries: list[str], depth: int) -> tuple[Scored, Scored]:
    gains, ideal, counts = np.zeros((len(queries), depth)), np.zeros((len(queries), depth)), []
    for i, query in enumerate(queries):
        found = [max(0, grades[query].get(name, 0)) for name, _ in run.get(query, [])[:depth]]
        best = sorted((g for g in grades[query].values() if g > 0), reverse=True)
        gains[i, : len(found)], ideal[i, : len(best[:depth])] = found, best[:depth]
        counts.append(len(best))
    return ndcg(gains, ideal), recall(gains, np.array(counts))


def assert_agrees(grades: Grades, run: Run, depth: int) -> None:
    queries = sorted(grades)
    qrels = [Qrel(q, name, grade) for q in queries for name, grade in grades[q].items()]
    ranked = [ScoredDoc(q, name, score) for q in run for name, score in run[q]]
    peers = {
        (m.query_id, str(m.measure)): m.value
        for m in ir_measures.iter_calc([nDCG @ depth, R @ depth], qrels, ranked)
    }
    ours = dict(zip((f"nDCG@{depth}", f"R@{depth}"), scored(grades, run, queries, depth), strict=True))
    for name, values in ours.items():
        for i, query in enumerate(queries):
            if values.defined[i]:
                assert values.values[i] == pytest.approx(peers[query, name], abs=1e-6), (query, name)


@pytest.mark.parametrize("depth", [1, 5, 10, 100])
def test_agrees_with_ir_measures_on_random_graded_qrels(depth: int) -> None:
    rng = np.random.default_rng(depth)
    names = [f"d{i}" for i in range(60)]
    grades = {
        f"q{i}": {n: int(g) for n, g in zip(names, rng.integers(0, 5, 60), strict=True)} for i in range(20)
    }
    grades["q0"] = dict.fromkeys(names, 0)
    run = {q: [(names[j], float(-rank)) for rank, j in enumerate(rng.permutation(60)[:30])] for q in grades}
    assert_agrees(grades, run, depth)


@pytest.mark.parametrize("depth", [10, 100])
def test_ties_broken_by_us_stay_broken_in_trec_eval(depth: int) -> None:
    rng = np.random.default_rng(8)
    names = [f"d{i:02d}" for i in rng.permutation(60)]
    grades = {
        f"q{i}": {n: int(g) for n, g in zip(names, rng.integers(0, 4, 60), strict=True)} for i in range(15)
    }
    tied = np.sort(rng.integers(1, 4, (15, 40)) / 7, axis=1)[:, ::-1].astype(np.float32)
    falling = strictly_falling(tied)
    run = {
        f"q{i}": [(names[(i + j) % 60], float(score)) for j, score in enumerate(row)]
        for i, row in enumerate(falling)
    }
    assert_agrees(grades, run, depth)


@pytest.mark.realdata
def test_agrees_with_ir_measures_on_its_own_comparison_files(realdata: Path) -> None:
    folder = realdata / "ir_measures_compat"
    grades: Grades = {}
    for query, _, name, grade in map(str.split, (folder / "compat.qrels").read_text().splitlines()):
        grades.setdefault(query, {})[name] = int(grade)
    run: Run = {}
    for query, _, name, _, score, _ in map(str.split, (folder / "compat.run").read_text().splitlines()):
        run.setdefault(query, []).append((name, float(score)))
    run = {q: sorted(lines, key=lambda line: -line[1]) for q, lines in run.items() if q in grades}
    for depth in (5, 10, 100):
        assert_agrees(grades, run, depth)


def test_ideal_order_scores_one() -> None:
    gains = np.array([[0.9, 0.5, 0.1], [0.1, 0.5, 0.9]])
    values = ndcg(gains, np.array([[0.9, 0.5, 0.1]] * 2)).values
    assert values[0] == 1
    assert values[1] < 1


def test_worked_example() -> None:
    # DCG 1/log2(3) = .6309; ideal 1.
    assert ndcg(np.array([[0.0, 1.0]]), np.array([[1.0, 0.0]])).values[0] == pytest.approx(0.6309, abs=1e-4)


def test_exponential_gain_counts_two_to_the_similarity_minus_one() -> None:
    gains, ideal = np.array([[0.5, 1.0]]), np.array([[1.0, 0.5]])
    half = 2**0.5 - 1
    expected = (half + 1 / np.log2(3)) / (1 + half / np.log2(3))
    assert ndcg(gains, ideal, "exponential").values[0] == pytest.approx(expected)


def test_query_without_relevant_documents_is_undefined() -> None:
    nothing = np.zeros((1, 3))
    assert not ndcg(nothing, nothing).defined[0]
    assert not recall(nothing, np.array([0])).defined[0]


def test_scores_fall_strictly_and_barely() -> None:
    tied = np.array([[0.5, 0.5, 0.5, 0.2, np.nan]], dtype=np.float32)
    falling = strictly_falling(tied)[0]
    assert (np.diff(falling[:4]) < 0).all()
    np.testing.assert_allclose(falling[:4], tied[0, :4], rtol=1e-6)
    assert np.isnan(falling[4])


def test_names_carry_options() -> None:
    assert parse_metric("ndcg@10") == RankingMetric("ndcg", 10)
    assert parse_metric("ndcg(gain=exponential)@5") == RankingMetric("ndcg", 5, "exponential")
    assert parse_metric("recall(rel=0.5)@100") == RankingMetric("recall", 100, threshold=0.5)


@pytest.mark.parametrize(
    "name", ["map@10", "ndcg", "ndcg@0", "ndcg(gain=cubic)@3", "recall(rel=2)@3", "recall(rel=x)@1"]
)
def test_unknown_names_are_refused(name: str) -> None:
    with pytest.raises(InvalidInputError, match=r"metric|depth|takes|rel"):
        parse_metric(name)
