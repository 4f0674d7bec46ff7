from dataclasses import replace

import pytest

from flows.auditing.readings import reading
from flows.auditing.verdicts import Results, judge_together
from flows.report.inputs import THIS_FILE, THIS_GENERATOR
from services.domain.measurement import Interval
from services.evaluator.planning import ContrastResult
from services.evaluator.power import minimum_detectable_effect


def result(name: str, p_value: float | None, verdict: str = "better") -> ContrastResult:
    """A gain that an evaluator called better on its own."""
    return ContrastResult(
        name=name,
        effect=0.05,
        interval95=Interval(0.001, 0.099, 0.95),
        interval90=Interval(0.01, 0.09, 0.90),
        standard_error=0.02,
        degrees_of_freedom=20.0,
        p_value=p_value,
        adjusted_p_value=p_value,
        verdict=verdict,
        mde=0.01,
        replicate_count=8,
        test_family_count=400,
        positive_count=900,
        conditional=False,
        note="",
        treatment_mean=0.5,
        control_mean=0.45,
        declared=True,
    )


def of(**p_values: float) -> Results:
    return {name: result(name, p_value) for name, p_value in p_values.items()}


def test_one_holm_runs_over_both_readings_of_all_files() -> None:
    judged = judge_together(of(a=0.01, b=0.04), of(a=0.02, b=0.001), ["a", "b"], 0.02)
    adjusted = [part[name].adjusted_p_value for part in judged for name in ("a", "b")]
    assert adjusted == pytest.approx([0.03, 0.04, 0.04, 0.004])


def test_a_verdict_that_only_half_of_the_claims_allows_is_withdrawn() -> None:
    judged = judge_together(of(a=0.03), of(a=0.03), ["a"], 0.02)
    assert [part["a"].verdict for part in judged] == ["inconclusive", "inconclusive"]


def test_readings_without_a_test_stay_in_the_family() -> None:
    refused = {"a": result("a", 0.0001, "not tested")}
    judged = judge_together(of(a=0.02, b=0.9), refused, ["a", "b"], 0.02)
    assert judged.this_file["a"].adjusted_p_value == pytest.approx(0.08)
    assert judged.this_generator["a"].verdict == "not tested"
    assert "b" not in judged.this_generator


def test_the_detectable_effect_follows_the_larger_family() -> None:
    judged = judge_together(of(a=0.01, b=0.01), of(a=0.01, b=0.01), ["a", "b"], 0.02)
    assert judged.this_file["a"].mde == minimum_detectable_effect(0.02, 20.0, claims=4)


def test_what_has_no_variance_is_left_as_it_is() -> None:
    flat = replace(result("a", None, "not tested"), standard_error=None, degrees_of_freedom=None)
    assert judge_together({"a": flat}, {}, ["a"], 0.02).this_file["a"] == flat


@pytest.mark.parametrize(
    ("title", "rows", "verdict"),
    [(THIS_GENERATOR, 7, "inconclusive"), (THIS_GENERATOR, 20, "equivalent"), (THIS_FILE, 7, "equivalent")],
)
def test_a_handful_of_rows_is_not_called_equivalent(title: str, rows: int, verdict: str) -> None:
    found = reading(title, result("a", 0.8, "equivalent"), 40, rows)
    assert found.verdict == verdict
    assert ("so few can make no difference" in found.note) == (verdict == "inconclusive")
