"""The report's front door: inputs in, HTML and Markdown out."""

from collections.abc import Sequence

import pandas as pd

from flows.report import audit, html, markdown
from flows.report.answer import ANSWER
from flows.report.claims import Claim, claims_table
from flows.report.formatting import listed, text_or
from flows.report.inputs import AuditInput, ReportInput
from flows.report.lead import LEAD
from flows.report.page import Page, RenderedReport, Sentence
from flows.report.queries import tag
from flows.report.sections import (
    declared,
    fidelity,
    gains,
    grid,
    leakage,
    overview,
    provenance,
    retrieval,
    screening,
    volume,
)

CLAIMS: Sequence[Claim] = (LEAD, *ANSWER, declared.TRUTH, screening.ACCOUNTING)


def render_report(tables: ReportInput) -> RenderedReport:
    """Render a study's report. The HTML is self-contained and asks the network for nothing."""
    return _rendered(study_page(tables))


def render_audit(found: AuditInput) -> RenderedReport:
    """Render an audit's report from the same parts."""
    return _rendered(audit.page(found))


def claims_of(tables: ReportInput) -> pd.DataFrame:
    """All claims of the report as a table: name, sentence, source."""
    own = [block for section in tables.sections for block in section.blocks if isinstance(block, Sentence)]
    return claims_table([*(claim.read(tables) for claim in CLAIMS), *own])


def study_page(tables: ReportInput) -> Page:
    """The report as values, before it becomes HTML or Markdown."""
    sections = (
        overview.generators(tables),
        overview.design(tables),
        declared.section(tables),
        gains.section(tables),
        grid.section(tables),
        volume.section(tables),
        fidelity.section(tables),
        retrieval.section(tables),
        *tables.sections,
        screening.section(tables),
        leakage.section(tables),
        overview.not_run(tables),
        provenance.environment(tables.environment),
        provenance.tracing(tables),
    )
    answer = tuple(claim.read(tables) for claim in ANSWER)
    title = "Does the synthetic text help, or is there only more of it?"
    return Page(
        "synthtrial · study", title, _subtitle(tables), LEAD.read(tables), answer, sections, tag(tables)
    )


def _subtitle(tables: ReportInput) -> str:
    facts = [text_or(tables.design.get("name"), "unnamed study"), f"profile {tables.profile}"]
    names = [info.name for info in tables.generators]
    return " · ".join([*facts, f"{len(names)} generators: {listed(names)}" if names else "no generators"])


def _rendered(page: Page) -> RenderedReport:
    return RenderedReport(html.render(page), markdown.render(page))
