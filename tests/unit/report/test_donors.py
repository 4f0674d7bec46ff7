"""The share of copies without a donor stands beside the claims."""

from dataclasses import replace

from flows.report.rendering import render_report
from tests.unit.report.example import example_report


def test_the_share_without_donor_is_shown_where_it_was_counted() -> None:
    plain = example_report()
    assert "Copies in the row twin" not in render_report(plain).markdown
    contrasts = plain.contrasts.assign(without_donor_share=0.25)
    assert "25.0 %" in render_report(replace(plain, contrasts=contrasts)).markdown
