"""One comparison of ours with a peer, and tables of several."""

from collections.abc import Sequence
from dataclasses import dataclass

MISSED = "missed"


@dataclass(frozen=True, slots=True)
class Comparison:
    """The same work done twice.

    Args:
        work: What was computed, and how much of it.
        peer: Who else computed it, and how.
        ours_seconds, peer_seconds: CPU seconds of one thread, medians over the repeats.
        apart: How far the results are apart.
        tolerance: The largest `apart` that counts as equal.
        measure: What `apart` is.
        goal: The least ratio that was aimed at; None where there is no aim.
        reason: What stands in the way of a larger ratio, shown where the goal is missed.
    """

    work: str
    peer: str
    ours_seconds: float
    peer_seconds: float
    apart: float
    tolerance: float
    measure: str
    goal: float | None = None
    reason: str = ""

    @property
    def ratio(self) -> float:
        return self.peer_seconds / self.ours_seconds

    @property
    def equal(self) -> bool:
        """Whether results are as near as they have to be; NaN is not."""
        return self.apart <= self.tolerance

    @property
    def verdict(self) -> str:
        """The goal and whether it was met."""
        if self.goal is None:
            return "–"
        return f"≥ {self.goal:g}: {'met' if self.ratio >= self.goal else MISSED}"


@dataclass(frozen=True, slots=True)
class Table:
    """What one benchmark found.

    Args:
        title: What it is about.
        rows: In order.
        repeats: Of every side.
        versions: Of the peers.
    """

    title: str
    rows: tuple[Comparison, ...]
    repeats: int
    versions: str

    @property
    def unequal(self) -> int:
        return sum(not row.equal for row in self.rows)

    def as_markdown(self, place: str) -> str:
        """Return a Markdown table, what stands in the way of missed goals, and where it was measured."""
        lines = ["| Work | Peer | Ours, s | Peer, s | Ratio | Goal | Apart |", f"|{'---|' * 7}"]
        lines += [f"| {' | '.join(_cells(row))} |" for row in self.rows]
        notes = [
            *_reasons(self.rows),
            f"{place}, {self.repeats} time{'s' if self.repeats > 1 else ''} a side; {self.versions}.",
        ]
        return "\n".join([*lines, *(f"\n{note}" for note in notes)])


def _cells(row: Comparison) -> tuple[str, ...]:
    return (
        row.work,
        row.peer,
        _three_digits(row.ours_seconds),
        _three_digits(row.peer_seconds),
        _three_digits(row.ratio),
        row.verdict,
        f"{row.measure} {row.apart:.2g} (at most {row.tolerance:g}){'' if row.equal else ': **NOT EQUAL**'}",
    )


def _reasons(rows: Sequence[Comparison]) -> list[str]:
    """Return one note for every missed goal, those with the same reason together."""
    missed: dict[str, list[str]] = {}
    for row in rows:
        if row.verdict.endswith(MISSED):
            missed.setdefault(row.reason, []).append(f"≥ {row.goal:g} against {row.peer}")
    return [f"Missed: {'; '.join(goals)}. {reason}" for reason, goals in missed.items()]


def _three_digits(value: float) -> str:
    """Return a positive number with three digits that count, and no power of ten."""
    return f"{value:.0f}" if value >= 100 else f"{value:#.3g}"
