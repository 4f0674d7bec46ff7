"""What stands where no truth was computed."""

import pytest

from flows import truth
from flows.cells import Grid
from flows.design import load_design, load_profile


def test_a_design_without_truth_is_told_what_would_compute_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(truth, "recorded", list)
    design = load_design("trial")
    found, note = truth.planted_truth(design, Grid(design, load_profile("embedded"), {}))
    assert found.empty
    assert (
        "`make truth` computes it for the designs `trial` and `inversion` with the profile `embedded`" in note
    )
