"""Published corpora beside our audits: differences by hand, and one small audit of real texts."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from flows.versions import STEPS
from tests.study import published_kept
from tests.study.published_audits import ENCODER, LINEAR, rows_of, run_audit
from tests.study.published_beside import Step, words_table, workers_line, workers_table
from tests.study.published_kept import Rows, audit_key, kept
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
from tests.study.published_sets import (
    HYPERBOLE,
    KINIT,
    WORKERS,
    ZERO_SHOT,
    Trial,
    augcmp,
    in_known_words,
    kinit,
    parrot,
    sampled,
)
from tests.study.published_summary import agreement, agreement_table, notable
from tests.study.published_tables import audits_tables, matter, sets_table, verdicts_table

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


SURE, UNSURE = Difference(0.2, 0.1, 0.3, 3), Difference(0.1, -0.1, 0.3, 3)
BELOW = Difference(-0.1, -0.3, 0.1, 3)


def test_the_summary_counts_agreement_only_where_both_signs_are_known() -> None:
    found = {
        (KINIT, LINEAR.name): [
            Comparison("sign", "a", "none", SURE, SURE),
            Comparison("sign", "b", "none", SURE, UNSURE),
            Comparison("sign", "c", "none", SURE, BELOW),
        ]
    }
    said = agreement(found)
    assert "Of 3 comparisons" in said
    assert "same side of zero in 2" in said
    assert "1 agree in sign, 0 disagree" in said
    assert agreement_table(found).endswith("| sign | 3 | 2 | 1 | 0 | 2 | 0 | 0 |")
    # Where the estimates point apart, the line stands there though neither side can be sure of both.
    assert [line.strip() for line in notable(found).splitlines() if "none:" in line] == [
        "* kinit, `tfidf_linear`, a against none: theirs +0.200 [+0.100 to +0.300], ours +0.200 [+0.100 to +0.300]",
        "* kinit, `tfidf_linear`, c against none: theirs +0.200 [+0.100 to +0.300], ours −0.100 [−0.300 to +0.100]",
    ]


def test_what_two_files_have_in_common_is_said_once() -> None:
    one = Comparison("strategy", "m / paraphrase / zero-shot", "m / label / zero-shot", SURE, SURE)
    assert matter(one) == "paraphrase against label (m, zero-shot)"
    assert matter(one._replace(first="g / x", second="none")) == "g / x against none"


def test_workers_are_above_a_model_only_in_score_unless_intervals_are_apart() -> None:
    rows = [_audited(WORKERS, 0.80, 0.05), _audited("near", 0.79, 0.04), _audited("far", 0.70, -0.05)]
    audits = pd.DataFrame(rows)
    assert "higher than a model's in 2 of 2 pairs and lower in 0" in workers_line(audits)
    assert "workers above in 1 and below in 0" in workers_line(audits)
    assert workers_table(audits).splitlines()[-1].endswith("| +0.100 | apart, workers above |")


def _audited(name: str, score: float, effect: float) -> dict[str, Any]:
    place = {"corpus": HYPERBOLE, "draw": "seed", "family": LINEAR.name, "file": name, "accepted": 10}
    ends = {"effect": effect, "low": effect - 0.02, "high": effect + 0.02, "verdict": "better"}
    return place | ends | {"score": score, "twin": score - effect}


def test_what_is_taken_away_is_counted_draw_by_draw() -> None:
    first = Step("a", "all", (0.5, 0.5, 0.5), (0.10, 0.20, 0.30))
    second = Step("b", "all", (0.6, 0.6, 0.6), (0.09, 0.18, 0.27))
    # Differences .01, .02, .03: standard error .01 / sqrt(3), t of two degrees of freedom 4.302653.
    assert "| +0.020 [−0.005 to +0.045] | 3 |" in words_table([first, second])


def _trial(text: str = "one two") -> Trial:
    rows = pd.DataFrame({"id": ["1"], "text": [text], "labels": [["x"]]})
    return Trial("corpus", "draw 0", rows, {"file": rows}, rows, 1)


def test_a_finished_audit_is_taken_up_and_a_changed_one_is_run_again(tmp_path: Path) -> None:
    ran: list[str] = []

    def run() -> Rows:
        ran.append("once more")
        return [{"effect": 0.1, "worth": None}]

    for text, settings, times in (
        ("one two", {"seed": 1}, 1),
        ("one two", {"seed": 1}, 1),
        ("one two", {"seed": 2}, 2),
        ("one three", {"seed": 2}, 3),
        ("one two", {"seed": 1}, 3),
    ):
        key = audit_key(_trial(text), LINEAR.family, settings)
        assert kept(tmp_path, key, run) == [{"effect": 0.1, "worth": None}]
        assert len(ran) == times


def test_an_audit_that_breaks_off_leaves_nothing_behind(tmp_path: Path) -> None:
    def broken() -> Rows:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        kept(tmp_path, {}, broken)
    assert not list(tmp_path.iterdir())


def test_an_audit_by_another_version_is_another_audit(monkeypatch: pytest.MonkeyPatch) -> None:
    before = audit_key(_trial(), LINEAR.family, {})
    assert audit_key(_trial(), LINEAR.family, {}) == before
    assert audit_key(_trial(), ENCODER.family, {}) != before
    monkeypatch.setattr(published_kept, "STEPS", STEPS | {"training": STEPS["training"] + 1})
    assert audit_key(_trial(), LINEAR.family, {}) != before


def test_only_words_of_the_real_documents_stay() -> None:
    real = pd.DataFrame({"text": ["the cat sat", "A dog."]})
    written = pd.DataFrame({"text": ["The cat ran, the dog sat", "all new"], "labels": [["x"], ["y"]]})
    cut = in_known_words(Trial(KINIT, "draw 0", real, {"file": written}, real, 2))
    assert list(cut.synthetic["file"]["text"]) == ["the cat the dog sat"]
    assert cut.corpus != KINIT


@pytest.mark.realdata
def test_workers_documents_are_a_file_until_they_are_real_documents(realdata: Path) -> None:
    apart, together = (parrot(realdata, HYPERBOLE, splits) for splits in (("seed",), ("seed", "train")))
    assert set(apart.synthetic) - set(together.synthetic) == {WORKERS}
    assert not set(apart.real["id"]) & set(apart.synthetic[WORKERS]["id"])
    assert len(apart.real) + len(apart.synthetic[WORKERS]) == len(together.real)


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
    audits = pd.DataFrame(rows_of(trial, LINEAR, run_audit(trial, LINEAR, replicates=2, twins=1)))
    assert (audits["requested"] == audits["accepted"] + audits["rejected"] + audits["failed"]).all()
    assert ((audits["low"] < audits["effect"]) & (audits["effect"] < audits["high"])).all()
    # With 20 documents per class, new texts of three open models are worth more than copies of the real ones.
    assert (audits["effect"] > 0).all()
    shown = "\n".join([sets_table(audits), verdicts_table(audits), *audits_tables(audits)])
    assert all(name in shown for name in FILES)
    texts = [text for rows in (trial.real, trial.test, *files.values()) for text in rows["text"]]
    assert not [text for text in texts if len(text) > 40 and text[:40] in shown]
