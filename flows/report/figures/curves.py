"""Scores along a quantity, such as the share of real documents: one line a series, every point with its interval."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import altair as alt

from flows.report.figures.theme import finished, inline, series_scale, shape_scale


class Point(NamedTuple):
    """One estimate. `filled` sets points apart, such as those not shown worse than the best."""

    series: str
    x: float
    y: float
    low: float
    high: float
    filled: bool
    words: dict[str, str]


def chart(
    points: Sequence[Point],
    series: list[str],
    x_title: str,
    y_title: str,
    *,
    y_domain: tuple[float, float],
    logarithmic: bool = False,
) -> dict[str, Any]:
    """A Vega-Lite chart of lines through points with intervals."""
    base = alt.Chart(inline({**p._asdict(), **p.words, "words": None} for p in points))
    # A log axis labels the values that were run, since few of them are powers of ten.
    values = sorted({point.x for point in points})
    x_scale = alt.Scale(type="log" if logarithmic else "linear", nice=False, padding=12)
    x_axis = alt.Axis(format="~g", values=values) if logarithmic else alt.Axis(format="~g", tickCount=6)
    x = alt.X("x:Q", title=x_title, scale=x_scale, axis=x_axis)
    y_scale = alt.Scale(domain=list(y_domain), nice=False, zero=False)
    y = alt.Y("y:Q", title=y_title, scale=y_scale, axis=alt.Axis(tickCount=5, format=".2~f"))
    colour = alt.Color("series:N", scale=series_scale(series), legend=None)
    shape = alt.Shape("series:N", scale=shape_scale(series), legend=None)
    hover = [alt.Tooltip(f"{name}:N", title=name) for name in points[0].words]
    placed = base.encode(x=x, color=colour)
    return finished(
        [
            placed.mark_line(opacity=0.6, strokeWidth=1.5).encode(y=y),
            placed.mark_rule(opacity=0.6).encode(y=alt.Y("low:Q", title=y_title), y2="high:Q"),
            *_points(base.encode(x=x, y=y, shape=shape), colour),
            base.mark_point(size=500, opacity=0, filled=True).encode(x=x, y=y, tooltip=hover),
        ],
        height=250,
    )


def _points(placed: alt.Chart, colour: alt.Color) -> list[alt.Chart]:
    solid = placed.mark_point(size=70, filled=True, opacity=1).transform_filter("datum.filled")
    hollow = placed.mark_point(size=60, filled=True, opacity=1, strokeWidth=2)
    return [
        solid.encode(color=colour),
        hollow.transform_filter("!datum.filled").encode(fill=alt.value("var(--surface)"), stroke=colour),
    ]
