"""A-E1 with a family too dear to repeat often: an encoder fine-tuned in earnest, on a laptop.

Few replicates illustrate and decide nothing; a verdict takes five.
"""

from collections.abc import Sequence

from flows.cells import Arm, Wanted
from flows.design import Design, Profile
from flows.experiments import EXPERIMENTS, PlannedContrast, Question
from flows.report.formatting import count, plural
from flows.report.inputs import ReportInput
from flows.report.page import Note, Section
from flows.report.queries import gains, tag
from flows.report.sections.contrasts import contrast_blocks

KINDS = {
    "illustrative_vs_control": "against the row twin",
    "illustrative_vs_real": "against real documents alone",
}


class Illustrative(Question):
    title = "A family in few replicates: illustrative"

    def requires(self, design: Design, profile: Profile) -> str:
        return "" if design.illustrative else "needs [illustrative] in the design"

    def contrasts(self, design: Design) -> Sequence[PlannedContrast]:
        chosen = design.illustrative
        if chosen is None:
            return []
        planned = []
        for generator in chosen.generators:
            arm = _wanted(design, "synthesis", generator)
            planned += [
                PlannedContrast("illustrative_vs_control", arm, _wanted(design, "row_twin", generator)),
                PlannedContrast("illustrative_vs_real", arm, _wanted(design, "real_only")),
            ]
        return planned

    def section(self, tables: ReportInput) -> Section | None:
        caption = (
            "Differences in micro-F1 with 95 % intervals. Illustrative: too few replicates for a verdict."
        )
        blocks = contrast_blocks(tables, "illustrative", KINDS, caption)
        rows = [row for kind in KINDS for row in gains(tables, kind)]
        if not blocks:
            return None
        replicates = min(int(row["replicate_count"]) for row in rows)
        family, regime = rows[0]["classifier_family"], count(rows[0]["regime"])
        note = Note(
            f"{family} at {regime} real documents, {plural(replicates, 'replicate')}: an illustration. No verdict "
            "is given below five replicates, and nothing in the answer above rests on it."
        )
        return Section("illustrative", self.title, (note, *blocks), tag(tables))


def _wanted(design: Design, condition: str, generator: str = "") -> Wanted:
    chosen = design.illustrative
    assert chosen is not None
    return Wanted(design.claims.regime, Arm(condition, generator), chosen.family, chosen.replicates)


EXPERIMENTS.register("a_e1_illustrative", Illustrative())
