"""Interval strips: one effect, its interval and the margin, drawn inside a table cell without a script."""

from collections.abc import Sequence

from flows.report.formatting import number_or_none
from flows.report.page import Strip
from flows.report.queries import Row

WIDTH, HEIGHT = 180, 22


def shared_axis(candidates: Sequence[Row], margin: float) -> tuple[float, float]:
    """Low and high end that hold every interval, zero and the margin, with a little air."""
    ends = [number_or_none(row[side]) for row in candidates for side in ("low95", "high95")]
    known = [end for end in ends if end is not None]
    low, high = min([*known, -1.5 * margin]), max([*known, 1.5 * margin])
    air = 0.04 * (high - low)
    return low - air, high + air


def strip(row: Row, margin: float, axis: tuple[float, float]) -> Strip | None:
    """The strip of a contrast, or None where its interval is undefined."""
    effect, low, high = (number_or_none(row[name]) for name in ("effect", "low95", "high95"))
    if effect is None or low is None or high is None:
        return None
    return Strip(effect, low, high, margin, *axis)


def svg(drawn: Strip) -> str:
    """Inline SVG; colours are the page's CSS variables, so light, dark and print need no redraw."""
    low, high, zero, point = (_x(drawn, v) for v in (drawn.low, drawn.high, 0.0, drawn.estimate))
    left, right = _x(drawn, -drawn.margin), _x(drawn, drawn.margin)
    middle = HEIGHT / 2
    return (
        f'<svg class="strip" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" aria-hidden="true">'
        f'<rect x="{left:.1f}" y="1" width="{right - left:.1f}" height="{HEIGHT - 2}" fill="var(--band)"/>'
        f'<line x1="{zero:.1f}" x2="{zero:.1f}" y1="0" y2="{HEIGHT}" stroke="var(--rule-strong)"/>'
        f'<line x1="{low:.1f}" x2="{high:.1f}" y1="{middle}" y2="{middle}" stroke="var(--ink)" stroke-width="2"/>'
        f'<circle cx="{point:.1f}" cy="{middle}" r="4.5" fill="var(--ink)"/></svg>'
    )


def _x(drawn: Strip, value: float) -> float:
    return WIDTH * (value - drawn.axis_low) / (drawn.axis_high - drawn.axis_low)
