"""Published corpora beside our audits: differences by hand, and one small audit of real texts."""

from pathlib import Path

import pytest

from tests.study.published import LINEAR, rows_of, run_audit
from tests.study.published_page import audits_tables, sets_table, verdict_lines
from tests.study.published_scores import (
    NONE,
    Comparison,
    Difference,
    Pair,
    against_none,
    augcmp_pairs,
    augcmp_scores,
    compared,
    difference,
    kinit_pairs,
    kinit_scores,
)
from tests.study.published_sets import ZERO_SHOT, Trial, augcmp, kinit, sampled

FILES = (
    "mistral-7b-instruct-v0.3 / label-conditioned / zero-shot",
    "llama-3.1-8b-instruct / paraphrase / zero-shot",
)


def test_three_differences_have_an_interval_of_two_degrees_of_freedom() -> None:
    # Standard error .01 / sqrt(3), t of two degrees of freedom 4.302653.
    assert difference([0.01, 0.02, 0.03])[:3] == pytest.approx((0.02, -0.0048414, 0.0448414), abs=1e-7)


def test_one_difference_has_no_interval_and_no_sign() -> None:
    assert difference([0.5]) == Difference(0.5, None, None, 1)
    assert difference([0.5]).sign == difference([]).sign == 0


@pytest.mark.parametrize(
    ("there", "here", "outcome"),
    [
        ((0.1, 0.3), (0.2, 0.4), "agree"),
        ((0.1, 0.3), (-0.4, -0.2), "disagree"),
        ((0.1, 0.3), (-0.1, 0.4), "only published"),
        ((-0.1, 0.3), (-0.4, -0.2), "only here"),
        ((-0.1, 0.3), (-0.1, 0.3), "neither"),
    ],
)
def test_results_agree_only_where_both_intervals_leave_zero_out(
    there: tuple[float, float], here: tuple[float, float], outcome: str
) -> None:
    published, ours = (Difference(sum(ends) / 2, *ends, 3) for ends in (there, here))
    assert Comparison("sign", "one", "other", published, ours).outcome == outcome


def test_draws_are_compared_with_their_own_and_only_where_both_have_them() -> None:
    published = {("a", 0): 0.5, ("b", 0): 0.4, ("a", 1): 0.9, ("b", 1): 0.6, ("a", 2): 0.7}
    (found,) = compared(
        [Pair("strategy", "a", "b", (("a", "b"),))], published, {("a", 0): 0.3, ("b", 0): 0.1}
    )
    assert found.published[::3] == pytest.approx((0.2, 2))
    assert found.ours[::3] == pytest.approx((0.2, 1))


def test_several_pairs_of_files_are_averaged_within_a_draw() -> None:
    scores = {("a", 0): 0.5, ("b", 0): 0.4, ("c", 0): 0.9, ("d", 0): 0.6, ("a", 1): 0.8, ("b", 1): 0.1}
    (found,) = compared([Pair("strategy", "x", "y", (("a", "b"), ("c", "d")))], scores, scores)
    assert found.ours[::3] == pytest.approx((0.2, 1))


def test_a_gain_over_none_stands_beside_the_effect_itself() -> None:
    (found,) = against_none({("a", 0): 0.5, (NONE, 0): 0.4}, {("a", 0): 0.3})
    assert found.published.mean == pytest.approx(0.1)
    assert found.ours.mean == pytest.approx(0.3)


@pytest.mark.realdata
def test_every_file_that_is_compared_has_three_published_scores_and_a_trial(realdata: Path) -> None:
    for trials, pairs, scores in (
        (kinit(realdata), kinit_pairs(), kinit_scores(realdata)),
        (augcmp(realdata), augcmp_pairs(), augcmp_scores(realdata)),
    ):
        files = [set(trial.synthetic) for trial in trials]
        for name in {name for pair in pairs for both in pair.files for name in both}:
            assert all(name in found for found in files)
            assert all((name, draw) in scores for draw in range(3))


@pytest.mark.realdata
def test_draws_share_no_seed_and_hold_twenty_of_every_class(realdata: Path) -> None:
    trials = list(augcmp(realdata))
    assert len(set().union(*(trial.real["id"] for trial in trials))) == 240
    for trial in trials:
        assert set(trial.real["labels"].str[0].value_counts()) == {20}
        assert all(set(rows["source_id"]) <= set(trial.real["id"]) for rows in trial.synthetic.values())


@pytest.mark.realdata
def test_a_published_corpus_is_audited_and_shown_without_its_texts(realdata: Path) -> None:
    whole = next(kinit(realdata, (ZERO_SHOT,)))
    files = {name: whole.synthetic[name][:200] for name in FILES}
    trial = Trial(whole.corpus, whole.draw, whole.real, files, sampled(whole.test, "small", 300), 1500)
    audits = rows_of(trial, LINEAR, run_audit(trial, LINEAR, replicates=2, twins=1))
    assert (audits["requested"] == audits["accepted"] + audits["rejected"] + audits["failed"]).all()
    assert ((audits["low"] < audits["effect"]) & (audits["effect"] < audits["high"])).all()
    # With 20 documents per class, new texts of three open models are worth more than copies of the real ones.
    assert (audits["effect"] > 0).all()
    shown = "\n".join([sets_table(audits), verdict_lines(audits), *audits_tables(audits)])
    assert all(name in shown for name in FILES)
    texts = [text for rows in (trial.real, trial.test, *files.values()) for text in rows["text"]]
    assert not [text for text in texts if len(text) > 40 and text[:40] in shown]
