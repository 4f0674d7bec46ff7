"""A page as one HTML file that holds its styles, its charts and the chart library."""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from flows.report.page import Figure, Page, Strip
from flows.report.strips import svg


def render(page: Page) -> str:
    """HTML with a content security policy that forbids every request."""
    has_charts = any(isinstance(block, Figure) for section in page.sections for block in section.blocks)
    return (
        _templates()
        .get_template("page.html.j2")
        .render(page=page, library=_chart_library() if has_charts else None, has_charts=has_charts)
    )


@lru_cache(maxsize=1)
def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("flows.report"),
        autoescape=select_autoescape(("html.j2",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_unbroken,
    )
    environment.filters.update(strip_svg=_strip_svg, script_json=_script_json, kind=_kind, slug=_slug)
    environment.globals["inlined"] = _inlined
    return environment


@lru_cache(maxsize=1)
def _chart_library() -> Markup:
    """Vega, Vega-Lite and Vega-Embed as one script, minified."""
    import altair as alt
    import vl_convert

    # The library must be the one whose schema the charts were written for.
    version = ".".join(alt.VEGALITE_VERSION.split(".")[:2])
    return Markup(
        vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;", version).replace(
            "</script", "<\\/script"
        )
    )


def _unbroken(value: object) -> object:
    """Plain text whose "95 %" no line break can part."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return value.replace(" %", "\N{NO-BREAK SPACE}%")
    return value


def _inlined(name: str) -> Markup:
    source = _templates().loader
    assert source is not None
    return Markup(source.get_source(_templates(), name)[0])


def _strip_svg(drawn: Strip) -> Markup:
    return Markup(svg(drawn))


def _script_json(spec: Mapping[str, Any]) -> Markup:
    """JSON that cannot end the script element which holds it."""
    return Markup(json.dumps(spec, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c"))


def _kind(block: object) -> str:
    return type(block).__name__.lower()


def _slug(words: str) -> str:
    return "-".join(words.lower().split())
