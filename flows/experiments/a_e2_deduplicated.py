"""A-E2: does a gain outlive the removal of near-duplicates?

What repeats a document of the regime, or an earlier one of its own corpus, is left out.
The control is a row twin of what remains: equally small.
"""

from collections.abc import Sequence

import pandas as pd

from flows.cells import Arm, Wanted
from flows.design import Design
from flows.experiments import EXPERIMENTS, PlannedContrast, Question, declared_places, synthesis
from flows.report.formatting import count
from flows.report.formatting import plain as number
from flows.report.inputs import ReportInput
from flows.report.page import Block, Cell, Column, Note, Section, Table
from flows.report.queries import tag
from flows.report.sections.contrasts import contrast_blocks

ARM, TWIN = "deduplicated", "deduplicated_twin"
KINDS = {
    "deduplicated_vs_control": "without near-duplicates, against as many copies",
    "deduplicated_vs_whole": "without near-duplicates, against the whole corpus",
}
COLUMNS = (
    Column("Corpus"),
    Column("Regime", True),
    Column("Documents", True),
    Column("Repeat a real one", True),
    Column("Repeat a synthetic one", True),
    Column("Effective n", True),
    Column("n", True),
)


class WithoutDuplicates(Question):
    title = "Synthetic corpora without near-duplicates"

    def contrasts(self, design: Design) -> Sequence[PlannedContrast]:
        """Return contrasts where claims are declared."""
        planned = []
        for regime, generator, family in declared_places(design):
            arm, twin = (Wanted(regime, Arm(name, generator), family) for name in (ARM, TWIN))
            planned += [
                PlannedContrast("deduplicated_vs_control", arm, twin),
                PlannedContrast("deduplicated_vs_whole", arm, synthesis(regime, generator, family)),
            ]
        return planned

    def section(self, tables: ReportInput) -> Section | None:
        blocks = contrast_blocks(
            tables,
            "deduplicated",
            KINDS,
            "Synthetic corpora without near-duplicates of the regime's documents and of one another, 95 % intervals, "
            "exploratory.",
            label=lambda row: str(row["generator"]),
        )
        if not blocks:
            return None
        return Section("deduplicated", self.title, (*blocks, *_sizes(tables), READING), tag(tables))


READING = Note(
    "A near-duplicate shares at least .6 of its three-word runs with the other text (Jaccard). Generators whose "
    "documents are screened lost theirs before any arm was trained, so nothing is left to remove; simulators keep "
    "theirs, as part of what they plant. Against the whole corpus two things differ, repetition and size; the "
    "control is of equal size."
)


def _sizes(tables: ReportInput) -> tuple[Block, ...]:
    """Return the effective n of every corpus; nothing where nobody counted."""
    counted = tables.findings.get("estimates")
    found = counted[counted["condition"] == ARM] if counted is not None else pd.DataFrame()
    if not len(found):
        return ()
    # Families share corpora: each counts once.
    found = found.drop_duplicates(["generator", "regime", "replicate", "estimate"])
    body = tuple(
        _row(str(generator), regime, here)
        for (generator, regime), here in found.groupby(["generator", "regime"], sort=False)
    )
    note = "Means over replicates; below the effective n, the smallest and largest."
    return (Table("What is left of each corpus", COLUMNS, body, note),)


def _row(generator: str, regime: object, found: pd.DataFrame) -> tuple[Cell, ...]:
    values = {name: here["value"] for name, here in found.groupby("estimate")}
    left = values["effective_documents"]
    real, synthetic = (values[f"near_{kind}_documents"].mean() for kind in ("real", "synthetic"))
    return (
        Cell(generator),
        Cell(count(regime)),
        Cell(count(left.mean() + real + synthetic)),
        Cell(number(real, 1)),
        Cell(number(synthetic, 1)),
        Cell(number(left.mean(), 1), f"{count(left.min())} to {count(left.max())}"),
        Cell(count(len(left)), "replicates"),
    )


EXPERIMENTS.register("a_e2_deduplicated", WithoutDuplicates())
