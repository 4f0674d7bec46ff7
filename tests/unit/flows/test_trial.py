"""Truth classes and the criteria that verdicts are held to."""

import pandas as pd
import pytest

from flows.trial import truth_class
from flows.trial_page import confusion


@pytest.mark.parametrize(
    ("theta", "error", "expected"),
    [
        (0.05, 0.002, "better"),
        (-0.05, 0.002, "worse"),
        (0.0, 0.002, "equivalent"),
        (0.019, 0.002, "unclear"),
        (0.023, 0.002, "unclear"),
        (-0.023, 0.002, "unclear"),
    ],
)
def test_a_truth_near_the_margin_has_no_class(theta: float, error: float, expected: str) -> None:
    assert truth_class(theta, error, 0.02) == expected


def scored(generator: str, theta: float, verdicts: list[str]) -> str:
    place = {"generator": generator, "regime": 165, "classifier_family": "tfidf_linear"}
    truth = {**place, "theta": theta, "standard_error": 0.001, "mde_95": 0.02}
    truth["truth_class"] = truth_class(theta, 0.001, 0.02)
    rows = pd.DataFrame([{**place, "verdict": verdict} for verdict in verdicts])
    (row,) = confusion(rows, pd.DataFrame([truth]), 0.02)
    return row.fault


def test_clear_truths_must_be_met_and_unclear_ones_may_be_missed() -> None:
    assert scored("oracle", 0.10, ["better"] * 16 + ["inconclusive"] * 4) == ""
    assert "15 studies agree" in scored("oracle", 0.10, ["better"] * 15 + ["inconclusive"] * 5)
    assert "2 say the opposite" in scored("noisy", -0.10, ["worse"] * 18 + ["better"] * 2)
    assert scored("oracle", 0.03, ["inconclusive"] * 20) == ""


def test_an_exact_null_may_be_called_better_three_times() -> None:
    assert scored("exact_null", 0.0, ["better"] * 3 + ["equivalent"] * 17) == ""
    assert "4 studies" in scored("exact_null", 0.0, ["better"] * 4 + ["equivalent"] * 16)
