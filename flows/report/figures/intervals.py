"""Points with intervals: one row an arm, one colour and shape a series."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import altair as alt

from flows.report.figures.theme import finished, inline, series_scale, shape_scale, signed_axis

ROW_HEIGHT = 19
LABEL_PIXELS = 142


class Whisker(NamedTuple):
    """One estimate of a chart. `words` is what a hover shows: a name and a value a line."""

    label: str
    series: str
    estimate: float
    low: float
    high: float
    filled: bool
    words: dict[str, str]


def chart(
    whiskers: Sequence[Whisker],
    labels: list[str],
    series: list[str],
    axis: tuple[float, float],
    margin: float,
    title: str,
) -> dict[str, Any]:
    """A Vega-Lite chart of effects around zero with the margin as a band."""
    data = inline({**w._asdict(), **w.words, "words": None} for w in whiskers)
    x_scale = alt.Scale(domain=list(axis), nice=False, zero=False)
    y = alt.Y(
        "label:N",
        sort=labels,
        title=None,
        scale=alt.Scale(domain=labels, paddingInner=0.25, paddingOuter=0.15),
        axis=alt.Axis(labelLimit=LABEL_PIXELS, ticks=False, domain=False, grid=False, labelPadding=6),
    )
    # Layers share an axis, and its title is drawn only if all of them agree on it.
    x = alt.X(title=title, scale=x_scale, axis=signed_axis(labelFlush=True, domain=False, ticks=False))
    absent = [label for label in labels if all(whisker.label != label for whisker in whiskers)]
    layers = [
        *_ground(axis, margin, x),
        *_absent(absent, axis, x, y),
        *_marks(alt.Chart(data), whiskers[0].words, x, y, series),
    ]
    return finished(layers, len(labels) * max(30, ROW_HEIGHT * len(series) + 6))


def _ground(axis: tuple[float, float], margin: float, x: alt.X) -> list[alt.Chart]:
    band = inline([{"from": max(-margin, axis[0]), "to": min(margin, axis[1])}])
    zero = inline([{"zero": 0.0}])
    return [
        alt.Chart(band).mark_rect(color="var(--band)").encode(x=_of("from", x), x2="to:Q"),
        alt.Chart(zero).mark_rule(color="var(--rule-strong)").encode(x=_of("zero", x)),
    ]


def _absent(labels: list[str], axis: tuple[float, float], x: alt.X, y: alt.Y) -> list[alt.Chart]:
    if not labels:
        return []
    data = inline({"label": label, "start": axis[0], "words": "not run"} for label in labels)
    text = alt.Chart(data).mark_text(align="left", dx=4, fontSize=11, fontStyle="italic")
    return [text.encode(x=_of("start", x), y=y, text="words:N", color=alt.value("var(--muted)"))]


def _marks(base: alt.Chart, words: dict[str, str], x: alt.X, y: alt.Y, series: list[str]) -> list[alt.Chart]:
    offset = alt.YOffset("series:N", sort=series, scale=alt.Scale(domain=series))
    colour = alt.Color("series:N", scale=series_scale(series), legend=None)
    shape = alt.Shape("series:N", scale=shape_scale(series), legend=None)
    hover = [alt.Tooltip(f"{name}:N", title=name) for name in words]
    placed = base.encode(y=y, yOffset=offset)
    points = placed.encode(x=_of("estimate", x), color=colour, shape=shape)
    return [
        placed.mark_rule(strokeWidth=2).encode(x=_of("low", x), x2="high:Q", color=colour),
        points.mark_point(size=70, filled=True, opacity=1)
        .transform_filter("datum.filled")
        .encode(stroke=colour),
        points.mark_point(size=60, filled=True, opacity=1, strokeWidth=2)
        .transform_filter("!datum.filled")
        .encode(fill=alt.value("var(--surface)"), stroke=colour),
        # A finger needs a larger target than an eye.
        points.mark_point(size=500, opacity=0, filled=True).encode(tooltip=hover),
    ]


def _of(field: str, x: alt.X) -> alt.X:
    placed: alt.X = x.copy()
    placed["shorthand"] = f"{field}:Q"
    return placed
