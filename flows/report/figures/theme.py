"""One look for all charts. Colours are CSS variables, so light, dark and print switch without a redraw."""

from collections.abc import Iterable, Sequence
from typing import Any

import altair as alt

FONT = "system-ui, -apple-system, Segoe UI, Roboto, Helvetica, Arial, sans-serif"

# Okabe and Ito's palette in an order that stays apart in every common colour blindness;
# the page defines each for light and dark.
SERIES_COLOURS = ("var(--series-1)", "var(--series-2)", "var(--series-3)", "var(--series-4)")
SERIES_SHAPES = ("circle", "square", "diamond", "triangle-up")


def finished(layers: Sequence[alt.Chart], height: int) -> dict[str, Any]:
    """The chart's specification, as wide as its container."""
    themed = (
        alt.LayerChart(layer=list(layers))
        .properties(width="container", height=height, background="transparent")
        .configure(
            font=FONT,
            padding={"left": 2, "right": 10, "top": 4, "bottom": 2},
            view=alt.ViewConfig(stroke=None),
            axis=alt.AxisConfig(
                labelColor="var(--muted)",
                titleColor="var(--muted)",
                gridColor="var(--rule)",
                domainColor="var(--rule-strong)",
                tickColor="var(--rule-strong)",
                labelFontSize=12,
                titleFontSize=12,
                titleFontWeight="normal",
            ),
        )
    )
    # A test checks every chart against the schema, which costs seconds; a render does not.
    spec: dict[str, Any] = themed.to_dict(validate=False)
    spec["config"]["autosize"] = {"type": "fit-x", "contains": "padding"}
    return spec


def inline(records: Iterable[dict[str, Any]]) -> alt.InlineData:
    """Data as they are: every channel names its type, so none needs to be inferred from a table."""
    return alt.InlineData(values=list(records))


def signed_axis(**settings: Any) -> alt.Axis:
    """An axis of differences: signs everywhere but at zero."""
    return alt.Axis(
        tickCount=5, labelExpr="datum.value == 0 ? '0' : format(datum.value, '+.2~f')", **settings
    )


def series_scale(names: list[str]) -> alt.Scale:
    places = [place % len(SERIES_COLOURS) for place in range(len(names))]
    return alt.Scale(domain=names, range=[SERIES_COLOURS[place] for place in places])


def shape_scale(names: list[str]) -> alt.Scale:
    places = [place % len(SERIES_SHAPES) for place in range(len(names))]
    return alt.Scale(domain=names, range=[SERIES_SHAPES[place] for place in places])


def series_legend(names: list[str]) -> tuple[tuple[str, str], ...]:
    """Legend entries: the look's CSS class and its words."""
    return tuple((f"series-{place % len(SERIES_COLOURS) + 1}", name) for place, name in enumerate(names))
