"""A-E2: does the headline outlive a penalty tuned for each arm on its own?

More rows under the same C are a weaker penalty. Here C is chosen for every arm by its
own out-of-fold scores, inside the regime: S* − D* beside the headline S − D.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from flows.cells import Arm, Wanted
from flows.design import Design, Profile
from flows.experiments import (
    EXPERIMENTS,
    PlannedContrast,
    Question,
    claimed_places,
    plain,
    row_twin,
    synthesis,
)
from flows.report.formatting import count, interval, missing, signed, undefined
from flows.report.inputs import ReportInput
from flows.report.page import Block, Cell, Column, Note, Section, Table
from flows.report.queries import Row, control_label, gains, rows, tag
from flows.report.sections.contrasts import contrast_blocks
from services.classifier.families import FAMILIES, FOLDS
from services.evaluator.client import EvaluatorClient

# Times the family's own C. In a pilot on 165 to 825 simulated documents the best lay between 1 and 30 times C = 10,
# on a flat top, and the higher the fewer documents there were.
FACTORS = (0.3, 1.0, 3.0, 10.0, 30.0)
TUNED = {"tuned": ",".join(f"{factor:g}" for factor in FACTORS)}

TABLE = "tuned_strengths"
HEADLINE, COMPANION, OVER_REAL = "gain_vs_control", "tuned_vs_tuned_control", "tuned_vs_tuned_real"
KINDS = {
    COMPANION: "C tuned for each: synthetic documents, against copies",
    OVER_REAL: "C tuned for each: synthetic documents, against plain training",
    "tuning": "an arm with its C tuned, against itself with C as set",
}
COLUMNS = (
    Column("Corpus"),
    Column("Family"),
    Column("S − D, C as set", True),
    Column("S* − D*, C tuned", True),
    Column("C of S*, times the set one", True),
    Column("C of D*", True),
    Column("C of R*", True),
)


class Tuned(Question):
    title = "The headline with C tuned for each arm"

    def requires(self, design: Design, profile: Profile) -> str:
        return "" if _places(design) else "needs a family with a convex loss, whose weights are its C"

    def contrasts(self, design: Design) -> Sequence[PlannedContrast]:
        """Return contrasts of the claimed generators at the claims' regime."""
        planned: dict[str, PlannedContrast] = {}
        for regime, generator, family in _places(design):
            arm, twin = synthesis(regime, generator, family), row_twin(regime, generator, family)
            real = plain("real_only", regime, family)
            found = [
                PlannedContrast(COMPANION, _tuned(arm), _tuned(twin)),
                PlannedContrast(OVER_REAL, _tuned(arm), _tuned(real)),
                *(PlannedContrast("tuning", _tuned(one), one) for one in (arm, twin, real)),
            ]
            planned |= {contrast.name: contrast for contrast in found}
        return tuple(planned.values())

    def analyse(self, tables: ReportInput, evaluator: EvaluatorClient) -> Mapping[str, pd.DataFrame]:
        """Return one row per tuned arm: which factors on C its replicates chose."""
        counted = tables.findings.get("estimates")
        chosen = counted[counted["estimate"] == "strength"] if counted is not None else pd.DataFrame()
        if not len(chosen):
            return {}
        keys = ["regime", "classifier_family", "arm", "condition", "generator"]
        found = [
            dict(zip(keys, place, strict=True)) | _choices(here["value"])
            for place, here in chosen.groupby(keys, sort=False)
        ]
        return {TABLE: pd.DataFrame(found)}

    def section(self, tables: ReportInput) -> Section | None:
        if TABLE not in tables.findings or not gains(tables, COMPANION):
            return None
        blocks = contrast_blocks(
            tables,
            "tuned",
            KINDS,
            "Differences in micro-F1 where C was chosen for each arm by its own out-of-fold scores, 95 % intervals, "
            "exploratory.",
        )
        return Section("tuned", self.title, (_beside(tables), *blocks, READING), tag(tables))


READING = Note(
    f"Every replicate of every arm chooses among {', '.join(f'{factor:g}' for factor in FACTORS)} times the family's C, "
    "by micro-F1 out of fold at its own tuned threshold; of equally good ones, the smallest. Where replicates "
    "choose the least or the most on offer, the best C may lie beyond. The declared claims stay those with C as set."
)


def _places(design: Design) -> list[tuple[int, str, str]]:
    behind = {name: FAMILIES.get(design.family_behind(name)) for name in design.families}
    convex = [n for n, f in behind.items() if f.validation == FOLDS and getattr(f, "is_convex", False)]
    return [place for place in claimed_places(design) if place[2] in convex]


def _tuned(wanted: Wanted) -> Wanted:
    arm = wanted.arm
    return replace(wanted, arm=Arm(arm.condition, arm.generator, {**arm.settings, **TUNED}))


def _choices(factors: pd.Series) -> dict[str, Any]:
    edges = factors.isin([min(FACTORS), max(FACTORS)])
    return {
        "median": float(factors.median()),
        "least": float(factors.min()),
        "most": float(factors.max()),
        "at_edge": int(edges.sum()),
        "replicate_count": len(factors),
    }


def _beside(tables: ReportInput) -> Block:
    """Return the table of the headline beside its companion."""
    chosen: dict[tuple[object, ...], Row] = {
        (row["regime"], row["classifier_family"], row["condition"], row["generator"]): row
        for row in rows(tables.findings[TABLE])
    }
    headlines = {_place(row): row for row in gains(tables, HEADLINE) if control_label(row) == "row_twin"}
    body = tuple(_line(row, headlines.get(_place(row)), chosen) for row in gains(tables, COMPANION))
    note = "95 % intervals. Under each C: the range over replicates, and how many took the least or the most on offer."
    return Table("The headline, and the same with C tuned for each arm", COLUMNS, body, note)


def _place(row: Row) -> tuple[object, ...]:
    return row["regime"], row["classifier_family"], row["generator"]


def _line(row: Row, headline: Row | None, chosen: Mapping[tuple[object, ...], Row]) -> tuple[Cell, ...]:
    place, generator = (row["regime"], row["classifier_family"]), row["generator"]
    arms = (("synthesis", generator), ("row_twin", generator), ("real_only", ""))
    return (
        Cell(generator),
        Cell(row["classifier_family"], f"{count(row['regime'])} real documents"),
        Cell("not run") if headline is None else _effect(headline),
        _effect(row),
        *(_factor(chosen.get((*place, *arm))) for arm in arms),
    )


def _effect(row: Row) -> Cell:
    if missing(row["effect"]):
        return Cell(undefined(row["note"]))
    return Cell(signed(row["effect"]), interval(row["low95"], row["high95"]))


def _factor(row: Row | None) -> Cell:
    if row is None:
        return Cell("not run")
    said = f"{row['least']:g} to {row['most']:g}; {row['at_edge']} of {row['replicate_count']} at an end"
    return Cell(f"×{row['median']:g}", said)


EXPERIMENTS.register("a_e2_tuned", Tuned())
