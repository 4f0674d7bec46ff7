import math
from dataclasses import replace

import pytest

from flows.report.formatting import interval, listed, p_value, percent, plain, score_name, signed
from flows.report.inputs import ReportInput, Worth
from flows.report.queries import Row
from flows.report.sections.grid import heat_class
from flows.report.wording import (
    effect_words,
    gain_words,
    interval95,
    judged_worth,
    remarks,
    verdict_words,
    worth_words,
)
from tests.unit.report.example_audit import example_audit


def ruler(**changes: object) -> Row:
    base: Row = {"regime": 165, "worth": 40.2, "low": 12.0, "high": 80.0}
    return base | {"less_than_none": False, "more_than_cap": False, "cap": 660.0, "note": ""} | changes


def test_differences_carry_a_sign_except_at_zero() -> None:
    assert [signed(value) for value in (0.0214, -0.0214, -0.0001)] == ["+0.021", "−0.021", "0.000"]


def test_a_rounded_zero_has_no_minus() -> None:
    assert plain(-0.0001) == "0.000"


@pytest.mark.parametrize("value", [None, math.nan])
def test_missing_numbers_are_never_zero(value: float | None) -> None:
    assert (signed(value), plain(value), p_value(value)) == ("undefined",) * 3


def test_a_missing_interval_says_so() -> None:
    assert interval(None, 0.1) == "no interval"


def test_shares_of_nothing_are_undefined() -> None:
    assert percent(0, 0).startswith("undefined")


def test_lists_read_as_sentences() -> None:
    assert [listed(["a", "b", "c"][:n]) for n in range(4)] == ["", "a", "a and b", "a, b and c"]


def test_scores_are_named_as_the_field_does() -> None:
    assert [score_name(s) for s in ("micro_f1@0.5", "ndcg@10", "lrap")] == ["micro-F1@0.5", "nDCG@10", "LRAP"]


def test_verdicts_have_a_mark_and_a_word() -> None:
    assert verdict_words("worse") == "▼ worse"


def test_worth_is_said_in_documents() -> None:
    said = "adds what about 40 more labelled documents would, at 165 (95 % interval 12 to 80)"
    assert worth_words(ruler()) == said


def test_worth_below_none_is_an_answer() -> None:
    words = worth_words(ruler(worth=None, low=None, high=4.0, less_than_none=True))
    assert (
        words == "is worth less than no further labelled document, at 165 (95 % interval less than none to 4)"
    )


def test_worth_above_the_cap_is_an_answer() -> None:
    words = worth_words(ruler(worth=None, low=300.0, high=None, more_than_cap=True))
    assert words.startswith("adds more than 660 further labelled documents would")
    assert words.endswith("(95 % interval 300 to more than 660)")


def test_an_undefined_worth_gives_its_reason() -> None:
    assert "the pool has no more documents" in worth_words(
        ruler(worth=None, note="the pool has no more documents")
    )


@pytest.mark.parametrize("verdict", ["worse", "equivalent", "negligible", "inconclusive"])
def test_without_a_better_verdict_no_worth_is_stated(verdict: str) -> None:
    words = judged_worth(ruler(note="small test: 120 families"), verdict)
    assert words == (
        "has a worth that is not stated, its verdict not being better (exploratory, at 165: 95 % interval 12 to 80); "
        "small test: 120 families"
    )


def test_what_was_not_measured_is_not_called_worthless() -> None:
    assert judged_worth(None, "not tested", "no rows") == "has a worth that was not measured: no rows"
    assert judged_worth(None, "better") == "has a worth that was not measured"


def test_without_a_verdict_no_worth_is_stated_and_the_reason_is() -> None:
    unstated = "has a worth that is not stated, there being no verdict"
    assert judged_worth(ruler(note="60 test families"), "not tested") == f"{unstated}: 60 test families"
    assert judged_worth(ruler(), "not tested", "no variance") == f"{unstated}: no variance"


def test_a_reason_is_said_once_and_a_condition_is_none() -> None:
    given, own = "few families; 20 labels, a verdict takes 30; conditional on x", "20 labels; few families"
    words = judged_worth(ruler(note=own), "not tested", given)
    assert words.endswith("no verdict: few families; 20 labels, a verdict takes 30")


def test_where_there_is_no_interval_the_reason_is_said_in_its_place() -> None:
    row: Row = {"effect": 0.0, "low95": None, "high95": None, "note": "no variance; conditional on x"}
    assert effect_words(row) == "0.000 (no interval: no variance)"
    assert interval95(row | {"note": ""}) == "no interval: no reason recorded"


def test_a_reading_without_an_interval_gives_the_reason_once() -> None:
    reading = replace(
        example_audit().files[0].readings[0], low95=None, high95=None, effect=0.0, note="no variance; 4 twins"
    )
    assert gain_words(reading) == "gain 0.000, no interval: no variance"
    assert remarks(reading) == "4 twins"


def test_a_better_verdict_states_the_worth_with_its_caveat() -> None:
    words = judged_worth(ruler(note="small test: 120 families"), "better")
    assert words.endswith("would, at 165 (95 % interval 12 to 80); small test: 120 families")


def test_an_undefined_effect_gives_its_reason() -> None:
    assert effect_words({"effect": None, "note": "V = 0"}) == "undefined: V = 0"


def test_heat_is_counted_in_margins() -> None:
    effects = (-0.09, -0.05, -0.03, 0.01, 0.02, 0.041, 0.2)
    assert [heat_class(effect, 0.02) for effect in effects] == [-3, -2, -1, 0, 1, 2, 3]


def test_worths_of_audit_and_study_share_their_words(example: ReportInput) -> None:
    fields = set(Worth.__dataclass_fields__)
    assert fields <= set(example.worths.columns)
