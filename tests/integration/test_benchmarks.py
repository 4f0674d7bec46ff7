"""The benchmarks at small sizes: ours equals the slow, obvious way, and the page takes the tables.

Times mean nothing here; `make bench` measures them.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.benchmarks import (
    __main__,
    dense_linear,
    encoding,
    factorial,
    fine_tuning,
    graded_ndcg,
    mmd,
    tfidf_linear,
)
from tests.benchmarks.comparison import Comparison, Table
from tests.benchmarks.page import ROOT, replaced
from tests.benchmarks.reduced_study import FULL

SMALL = FULL.model_copy(
    update={
        "replicates": 1,
        "regimes": (100,),
        "synthetic_documents": 60,
        "folds": 2,
        "encoder": "lsa",
        "claims": FULL.claims.model_copy(update={"regime": 100}),
        "dataset": FULL.dataset.model_copy(update={"train": 1400, "test": 300}),
        "generators": FULL.generators[:1],
    }
)
EQUAL = Comparison("work", "peer", 1.0, 5.0, 0.1, 0.2, "apart", 4.0, "A reason.")


@pytest.fixture(autouse=True)
def _as_many_threads_as_before() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def assert_equal(table: Table, rows: int, tolerance: float | None = None) -> None:
    assert len(table.rows) == rows
    for row in table.rows:
        equal = row.equal if tolerance is None else row.apart <= tolerance
        assert equal, f"{row.work} against {row.peer}: {row.measure} {row.apart}"
        assert row.ours_seconds > 0 and row.peer_seconds > 0


def test_linear_heads_score_as_scikit_learn_run_to_the_end() -> None:
    # Of some 200 predictions, one more or less moves micro-F1 by .003.
    assert_equal(dense_linear.run(1, SMALL, labels=12), 2, tolerance=0.01)
    assert_equal(tfidf_linear.run(1, SMALL, labels=12), 2, tolerance=0.01)


def test_the_factorial_scores_as_a_notebook() -> None:
    assert_equal(factorial.run(1, SMALL, regimes=(100,)), 3)


def test_mmd_and_its_test_are_those_of_the_whole_kernel() -> None:
    assert_equal(mmd.run(1, mmd.Size(corpora=4, documents=130, pool=500)), 2)


def test_graded_ndcg_is_that_of_all_pairs() -> None:
    assert_equal(graded_ndcg.run(1, graded_ndcg.Size(queries=30, documents=400, peers=30)), 2)


def test_int8_vectors_point_where_the_peer_says() -> None:
    assert_equal(encoding.run(1, encoding.Size(short=24, long=8)), 2)


def test_fine_tuning_ends_in_the_trainer_s_weights() -> None:
    pytest.importorskip("accelerate")
    assert_equal(fine_tuning.run(1, fine_tuning.Size(train=12, test=8, batch=4, steps=4)), 5)


def test_an_unequal_result_is_counted_and_shown() -> None:
    unequal = replace(EQUAL, apart=0.3)
    table = Table("title", (EQUAL, unequal, replace(EQUAL, apart=float("nan"))), 3, "peer 1.0")
    assert table.unequal == 2
    assert table.as_markdown("here").count("**NOT EQUAL**") == 2


def test_a_missed_goal_is_listed_with_its_reason_and_a_met_one_is_not() -> None:
    met, missed = EQUAL, replace(EQUAL, peer_seconds=3.0)
    assert (met.verdict, missed.verdict) == ("≥ 4: met", "≥ 4: missed")
    text = Table("title", (met, missed), 3, "peer 1.0").as_markdown("here")
    assert text.count("Missed: ≥ 4 against peer. A reason.") == 1
    assert "here, 3 times a side; peer 1.0." in text


def test_missed_goals_fail_nothing_and_unequal_results_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def measured(row: Comparison) -> int:
        monkeypatch.setattr(mmd, "run", lambda repeats: Table("title", (row,), repeats, "peer 1.0"))
        return __main__.main(["mmd", "--repeats", "1"])

    assert measured(replace(EQUAL, peer_seconds=1.0)) == 0
    assert measured(replace(EQUAL, apart=0.3)) == 1
    assert "1 results are not equal to the peer's" in capsys.readouterr().out


def test_an_unknown_benchmark_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        __main__.main(["mmd", "speed"])
    assert "no benchmark 'speed'; there are graded_ndcg" in capsys.readouterr().err


def test_the_page_has_a_place_for_every_table() -> None:
    page = (ROOT / "docs" / "benchmarks.md").read_text()
    for name in (*__main__.NAMES, "limits"):
        assert replaced(page, name, "written") != page


def test_writing_replaces_one_table_and_nothing_else(tmp_path: Path) -> None:
    page = "before\n<!-- mmd: written by make bench -->\nold\n<!-- end of mmd -->\nafter \\1\n"
    found = replaced(page, "mmd", r"new \1")
    assert found == (
        "before\n<!-- mmd: written by make bench -->\n\nnew \\1\n\n<!-- end of mmd -->\nafter \\1\n"
    )
    assert replaced(found, "mmd", r"new \1") == found
    with pytest.raises(ValueError, match="end of encoding"):
        replaced(page, "encoding", "new")
