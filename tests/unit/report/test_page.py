import html
import re
import subprocess
import sys
from dataclasses import replace
from typing import Any

import altair as alt
import pytest

from flows.report.columns import empty_table
from flows.report.formatting import undefined
from flows.report.inputs import NotRun, ReportInput
from flows.report.page import Figure, Page, RenderedReport
from flows.report.rendering import CLAIMS, study_page

LIMIT_BYTES = 5_000_000


@pytest.fixture(scope="module")
def page(example: ReportInput) -> Page:
    return study_page(example)


@pytest.fixture(scope="module")
def bare(rendered: RenderedReport) -> str:
    """The HTML without its scripts."""
    return re.sub(r"<script.*?</script>", "", rendered.html, flags=re.DOTALL)


def test_html_is_one_small_file(rendered: RenderedReport) -> None:
    assert len(rendered.html.encode()) < LIMIT_BYTES


def test_html_names_no_other_address(bare: str) -> None:
    assert set(re.findall(r'(?:src|href)="(.)', bare)) == {"#"}
    assert not re.findall(r"@import|url\(|https?://", bare)


def test_browser_is_told_to_load_nothing(rendered: RenderedReport) -> None:
    assert "default-src 'none'" in rendered.html


def test_chart_library_is_inlined_once(rendered: RenderedReport) -> None:
    assert rendered.html.count("window.vegaEmbed") == 1


def test_charts_follow_the_schema(page: Page) -> None:
    figures = [block for section in page.sections for block in section.blocks if isinstance(block, Figure)]
    assert [figure.key for figure in figures] == ["gains", "volume", "fidelity"]
    for figure in figures:
        alt.LayerChart.from_dict(dict(figure.charts[0].spec))


def test_hover_shows_interval_and_n(page: Page) -> None:
    figure = next(b for s in page.sections for b in s.blocks if isinstance(b, Figure) and b.key == "gains")
    titles = {tip["title"] for tip in figure.charts[0].spec["layer"][-1]["encoding"]["tooltip"]}
    assert {"95 % interval", "n", "verdict"} <= titles


def test_every_section_with_corpora_says_who_wrote_them(page: Page) -> None:
    named = {"claims", "gains", "grid", "volume", "fidelity", "retrieval", "leakage", "screening"}
    assert {s.key for s in page.sections if "not by LLMs" in s.tag} == named


def test_every_figure_says_who_wrote_the_corpora(page: Page) -> None:
    figures = [block for section in page.sections for block in section.blocks if isinstance(block, Figure)]
    assert all("not by LLMs" in figure.tag for figure in figures)


def test_markdown_has_every_claim_of_the_html(rendered: RenderedReport, example: ReportInput) -> None:
    plain_html = html.unescape(rendered.html).replace("\N{NO-BREAK SPACE}", " ")
    plain_markdown = re.sub(r"\\(.)", r"\1", rendered.markdown)
    for said in (claim.read(example) for claim in CLAIMS):
        for words in (said.text, *said.items):
            assert words in plain_html
            assert words in plain_markdown


def test_answer_has_five_sentences(page: Page) -> None:
    assert len(page.answer) == 5


def test_documents_cannot_bring_markup(rendered: RenderedReport, bare: str) -> None:
    assert "<b>foldable" not in bare
    assert "<b>foldable" not in rendered.markdown


def test_undefined_values_carry_their_reason(bare: str) -> None:
    assert "undefined: floor and ceiling are less than 4 floor sd apart" in bare


def test_what_was_not_run_says_so(bare: str) -> None:
    assert "not run: needs a backend that takes prompts" in bare


def test_grid_says_exploratory(page: Page) -> None:
    assert "exploratory" in next(section.title for section in page.sections if section.key == "grid")


def test_no_correlation_is_printed(rendered: RenderedReport) -> None:
    assert "No correlation is printed" in rendered.markdown


def test_nothing_measured_still_renders(example: ReportInput) -> None:
    names = ("cells", "measurements", "contrasts", "worths", "fidelity", "retrieval", "rejections")
    empty: dict[str, Any] = {
        name: empty_table(name) for name in (*names, "rejection_reasons", "rejection_examples")
    }
    page = study_page(replace(example, **empty, not_run=(NotRun("A-E10 retrieval", "needs an index"),)))
    texts = [str(block) for section in page.sections for block in section.blocks]
    assert any("not run: needs an index" in text for text in texts)
    assert any(undefined("no contrast has an effect") in text for text in texts)


def test_conditional_verdicts_are_worded_so(example: ReportInput) -> None:
    conditional = replace(example, contrasts=example.contrasts.assign(conditional=True))
    page = study_page(conditional)
    assert "conditional on these training sets)" in page.answer[0].text
    assert "conditional on these training sets" in section_text(page, "claims")
    assert "‡ conditional on these training sets" in section_text(page, "grid")


def test_only_what_does_not_vary_is_called_conditional(example: ReportInput) -> None:
    fixed = example.contrasts["generator"] == "copier"
    page = study_page(replace(example, contrasts=example.contrasts.assign(conditional=fixed)))
    assert "(conditional on these training sets for copier)" in page.answer[0].text


def test_a_regime_of_more_than_half_of_the_pool_is_conditional(example: ReportInput) -> None:
    words, tight = "conditional on these real documents", {**example.design, "train_pool_documents": 329}
    before, after = study_page(example), study_page(replace(example, design=tight))
    for page, said in ((before, False), (after, True)):
        assert (words in page.answer[0].text) is said
        assert (words in section_text(page, "claims")) is said
        assert (words in section_text(page, "grid")) is said


def test_half_of_the_pool_is_not_yet_conditional(example: ReportInput) -> None:
    page = study_page(replace(example, design={**example.design, "train_pool_documents": 330}))
    assert "conditional" not in page.answer[0].text


@pytest.mark.parametrize("short", ["replicate_count", "test_family_count", "positive_count"])
def test_the_grid_gives_no_star_on_too_little(example: ReportInput, short: str) -> None:
    assert "*', detail=" in section_text(study_page(example), "grid")
    little = replace(example, contrasts=example.contrasts.assign(**{short: 4}))
    assert "*', detail=" not in section_text(study_page(little), "grid")


def test_a_worth_is_stated_only_with_its_verdict(example: ReportInput) -> None:
    page = study_page(replace(example, worths=example.worths.assign(note="small test: 120 families")))
    claims = section_text(page, "claims")
    assert claims.count("adds ") == 1
    assert "is not shown to be worth any further labelled document (exploratory, at 165" in claims
    assert claims.count("small test: 120 families") == len(example.worths)


def test_claims_that_were_not_run_are_not_called_undeclared(example: ReportInput) -> None:
    page = study_page(replace(example, contrasts=empty_table("contrasts")))
    assert page.answer[0].text.startswith("Declared before the run: 7 claims; but the experiment")
    assert "7 claims declared, but the experiment" in section_text(page, "claims")


def section_text(page: Page, key: str) -> str:
    return str(next(section for section in page.sections if section.key == key))


def test_rendering_needs_neither_prefect_nor_grpc() -> None:
    loaded = "import sys, flows.report.rendering; print({'prefect', 'grpc'} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"
