"""Verdicts over master seeds beside the planted truth, as a page and as criteria."""

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from flows.design import Design

VERDICTS = ("better", "worse", "equivalent", "negligible", "inconclusive", "not tested")
OPPOSITE = {"better": "worse", "worse": "better"}
AGREEMENTS, OPPOSITES, FALSE_BETTERS = 16, 1, 3
PLACE = ["generator", "regime", "classifier_family"]


class Row(NamedTuple):
    """One claim over all studies.

    `clear` says that |theta| is at least the margin plus the effect that the
    design finds with power .95, so that verdicts have to agree.
    """

    generator: str
    regime: int
    theta: float
    standard_error: float
    truth_class: str
    clear: bool
    counts: dict[str, int]

    @property
    def fault(self) -> str:
        """Which criterion the row breaks; empty where it breaks none."""
        if self.generator == "exact_null" and self.counts["better"] > FALSE_BETTERS:
            return f'"better" in {self.counts["better"]} studies of an exact null'
        if not self.clear:
            return ""
        agreeing, opposite = self.counts[self.truth_class], self.counts[OPPOSITE[self.truth_class]]
        if agreeing < AGREEMENTS or opposite > OPPOSITES:
            return f"{agreeing} studies agree, {opposite} say the opposite"
        return ""


def confusion(verdicts: pd.DataFrame, truth: pd.DataFrame, margin: float) -> list[Row]:
    """Count verdicts per claim beside the truth.

    Args:
        verdicts: One row per study and declared claim.
        truth: Theta per place, with its standard error, class and `mde_95`.
        margin: Half-width of the zone of equivalence.
    """
    known = {tuple(row[name] for name in PLACE): row for row in truth.to_dict("records")}
    rows = []
    for place, group in verdicts.groupby(PLACE, sort=True):
        found = known[place]
        clear = abs(found["theta"]) >= margin + found["mde_95"] and found["truth_class"] in OPPOSITE
        counts = {name: int((group["verdict"] == name).sum()) for name in VERDICTS}
        generator, regime, _ = map(str, place)
        rows.append(
            Row(
                generator,
                int(regime),
                float(found["theta"]),
                float(found["standard_error"]),
                str(found["truth_class"]),
                bool(clear),
                counts,
            )
        )
    return rows


# What moved since the freeze, so that "before the first scored run" is not read for more than it says.
CHANGED = (
    "After the first scoring a review found that `tfidf_linear` handicapped the control: it left out words of a single "
    "text, and a copy adds none. Its version 2 counts every word. Truth and verdicts were drawn again under it, with "
    "the presets, margin and seeds as they were frozen; nothing was chosen by looking at these verdicts."
)


def page(design: Design, rows: Sequence[Row], seeds: Sequence[int], commit: str) -> str:
    """Return the page as Markdown."""
    lines = [
        "# Verdicts against planted truth",
        "",
        (
            f"`make trial` runs the reduced study `{design.name}` ({', '.join(design.families)}, regimes "
            f"{', '.join(map(str, design.regimes))}, {design.replicates} replicates, {design.synthetic_documents} "
            f"synthetic documents, margin {design.margin}) once for each of {len(seeds)} master seeds. Presets, dials, "
            f"margin and seeds were committed before the first scored run, in `{commit}`."
        ),
        "",
        (
            "Truth is Monte Carlo, by `make truth`, from studies with seeds of their own: theta is the expected gain in "
            "micro-F1 of the arm over its row twin. A truth is *clear* where |theta| is at least the margin plus the "
            "effect that this design finds with power .95."
        ),
        "",
        CHANGED,
        "",
        f"| Generator | Regime | theta (SE) | Truth | Clear | {' | '.join(VERDICTS)} |",
        f"|---|---|---|---|---|{'---|' * len(VERDICTS)}",
        *[_line(row) for row in rows],
        "",
        (
            f"Criteria: a clear truth is met by at least {AGREEMENTS} of 20 verdicts and contradicted by at most "
            f"{OPPOSITES}; the exact null is called better at most {FALSE_BETTERS} times."
        ),
        "",
        *[f"- {row.generator}: {row.fault or 'holds'}" for row in rows],
        "",
    ]
    return "\n".join(lines)


def _line(row: Row) -> str:
    counts = " | ".join(str(row.counts[name]) for name in VERDICTS)
    theta = f"{row.theta:+.4f} ({row.standard_error:.4f})"
    clear = "yes" if row.clear else "no"
    return f"| {row.generator} | {row.regime} | {theta} | {row.truth_class} | {clear} | {counts} |"
