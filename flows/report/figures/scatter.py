"""Fidelity beside gain: one point a generator, both intervals drawn, no line through them."""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import altair as alt

from flows.report.figures.theme import finished, inline, signed_axis


class Offset(NamedTuple):
    """Where a name stands beside its point: which of its ends is near, and how far off in pixels."""

    align: Literal["left", "right"]
    dx: int
    dy: int


# The narrowest chart, on a phone: names that keep apart there keep apart everywhere.
WIDTH, HEIGHT, LETTER_PIXELS = 290, 205, 6.6
PLACES = {
    "right above": Offset("left", 6, -9),
    "right below": Offset("left", 6, 11),
    "left above": Offset("right", -6, -9),
    "left below": Offset("right", -6, 11),
    "right": Offset("left", 9, 0),
    "left": Offset("right", -9, 0),
    "right far above": Offset("left", 6, -21),
    "right far below": Offset("left", 6, 23),
    "left far above": Offset("right", -6, -21),
    "left far below": Offset("right", -6, 23),
}
# A name that finds no room is not drawn: two on top of each other tell less, and a hover shows it.
NOWHERE = ""


class Point(NamedTuple):
    """A generator's distance to real text and gain against control, each with its interval."""

    label: str
    x: float
    x_low: float
    x_high: float
    y: float
    y_low: float
    y_high: float
    words: dict[str, str]


class Axes(NamedTuple):
    """Domains that all charts of the figure share."""

    x: tuple[float, float]
    y: tuple[float, float]
    x_title: str
    y_title: str


class Box(NamedTuple):
    """A rectangle in pixels, y downwards."""

    left: float
    top: float
    right: float
    bottom: float


def name_places(points: Sequence[Point], axes: Axes) -> list[str]:
    """Where each point's name stands; names neither meet nor leave a phone's chart, and "" is for one without room."""
    # A point is as much in a name's way as another name is; its own lies just outside its box.
    taken = [_dot(point, axes) for point in points]
    places = []
    for point in points:
        boxes = {place: _box(point, place, axes) for place in PLACES}
        inside = {place: box for place, box in boxes.items() if box.left >= 0 and box.right <= WIDTH}
        free = [p for p, box in inside.items() if not any(_meet(box, other) for other in taken)]
        places.append(next(iter(free), NOWHERE))
        taken += [boxes[place] for place in free[:1]]
    return places


def chart(points: Sequence[Point], axes: Axes, margin: float) -> dict[str, Any]:
    """A Vega-Lite scatter chart with the margin as a band and names beside the points."""
    places = name_places(points, axes)
    drawn = ({**p._asdict(), **p.words, "words": None} for p in points)
    base = alt.Chart(inline(row | {"place": place} for row, place in zip(drawn, places, strict=True)))
    x_scale, y_scale = (alt.Scale(domain=list(d), nice=False, zero=False) for d in (axes.x, axes.y))
    x = alt.X("x:Q", title=axes.x_title, scale=x_scale, axis=alt.Axis(tickCount=5, format=".2~f"))
    y = alt.Y("y:Q", title=axes.y_title, scale=y_scale, axis=signed_axis())
    hover = [alt.Tooltip(f"{name}:N", title=name) for name in points[0].words]
    colour = alt.value("var(--series-1)")
    x_low, y_low = alt.X("x_low:Q", title=axes.x_title), alt.Y("y_low:Q", title=axes.y_title)
    layers = [
        _band(axes, margin, y_scale),
        base.mark_rule(opacity=0.55).encode(x=x, y=y_low, y2="y_high:Q", color=colour),
        base.mark_rule(opacity=0.55).encode(x=x_low, x2="x_high:Q", y=y, color=colour),
        base.mark_point(size=80, filled=True, opacity=1).encode(x=x, y=y, color=colour),
        *(_names(base, place, x, y) for place in PLACES),
        base.mark_point(size=500, opacity=0, filled=True).encode(x=x, y=y, tooltip=hover),
    ]
    return finished(layers, height=250)


def _band(axes: Axes, margin: float, scale: alt.Scale) -> alt.Chart:
    data = inline([{"from": max(-margin, axes.y[0]), "to": min(margin, axes.y[1])}])
    y = alt.Y("from:Q", scale=scale, title=axes.y_title)
    band: alt.Chart = alt.Chart(data).mark_rect(color="var(--band)").encode(y=y, y2="to:Q")
    return band


def _names(base: alt.Chart, place: str, x: alt.X, y: alt.Y) -> alt.Chart:
    offset = PLACES[place]
    chosen = base.transform_filter(f"datum.place == '{place}'")
    text = chosen.mark_text(align=offset.align, baseline="middle", dx=offset.dx, dy=offset.dy, fontSize=12)
    named: alt.Chart = text.encode(x=x, y=y, text="label:N", color=alt.value("var(--ink)"))
    return named


def _box(point: Point, place: str, axes: Axes) -> Box:
    align, dx, dy = PLACES[place]
    dot, length = _dot(point, axes), LETTER_PIXELS * len(point.label)
    x, y = (dot.left + dot.right) / 2 + dx, (dot.top + dot.bottom) / 2 + dy
    left = x if align == "left" else x - length
    return Box(left, y - 6, left + length, y + 6)


def _dot(point: Point, axes: Axes) -> Box:
    x = WIDTH * (point.x - axes.x[0]) / (axes.x[1] - axes.x[0])
    y = HEIGHT * (axes.y[1] - point.y) / (axes.y[1] - axes.y[0])
    return Box(x - 5, y - 5, x + 5, y + 5)


def _meet(a: Box, b: Box) -> bool:
    return a.left < b.right and b.left < a.right and a.top < b.bottom and b.top < a.bottom
