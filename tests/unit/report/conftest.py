import pytest

from flows.report.inputs import ReportInput
from flows.report.page import RenderedReport
from flows.report.rendering import render_report
from tests.unit.report.example import example_report


@pytest.fixture(scope="session")
def example() -> ReportInput:
    return example_report()


@pytest.fixture(scope="session")
def rendered(example: ReportInput) -> RenderedReport:
    return render_report(example)
