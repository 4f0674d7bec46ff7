"""The report of a study or an audit: tidy tables in, one HTML page and its Markdown twin out."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flows.report.page import RenderedReport
    from flows.report.rendering import claims_of, render_audit, render_report

__all__ = ["RenderedReport", "claims_of", "render_audit", "render_report"]


def __getattr__(name: str) -> Any:
    # Charts and templates load when something is rendered, not when a value of the report is named.
    if name not in __all__:
        raise AttributeError(name)
    from flows.report import page, rendering

    return getattr(page if name == "RenderedReport" else rendering, name)
