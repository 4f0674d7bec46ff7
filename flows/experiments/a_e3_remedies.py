"""A-E3: remedies without new text, and synthesis beside them.

Other losses and label-aware oversampling cost nothing but a line of configuration.
Each is held against plain training on the same real documents; whoever pays for
synthetic text wants to know whether it beats them.
"""

from collections.abc import Sequence

from flows.cells import Arm, Wanted
from flows.design import Design
from flows.experiments import EXPERIMENTS, PlannedContrast, Question, declared_places, plain, synthesis
from flows.report.formatting import listed, signed, undefined
from flows.report.inputs import ReportInput
from flows.report.page import Cell, Column, Section, Table
from flows.report.queries import Row, control_label, gains, has_interval, tag
from flows.report.sections.contrasts import contrast_blocks
from flows.report.wording import counts_words, interval95

OBJECTIVES = ("positive_weights", "class_balanced", "focal", "asymmetric", "distribution_balanced")

AGAINST_PLAIN = {
    "remedy": "another loss, against plain training",
    "oversampling": "oversampling, against plain training",
    "oversampling_vs_copies": "oversampling, against as many copies drawn evenly",
}
AGAINST_REMEDY = "synthesis_vs_remedy"


class Remedies(Question):
    title = "Remedies without new text"

    def contrasts(self, design: Design) -> Sequence[PlannedContrast]:
        """Return contrasts at the claims' regime, and in the claims' family at the largest one.

        What helps few documents may not help many.
        """
        places = [(design.claims.regime, family) for family in design.families]
        places.append((max(design.regimes), design.claims.family))
        planned = [contrast for place in dict.fromkeys(places) for contrast in _against_plain(*place)]
        return [*planned, *_against_remedies(design)]

    def section(self, tables: ReportInput) -> Section | None:
        """Return remedies against plain training, and synthesis against remedies."""
        first = contrast_blocks(
            tables,
            "remedies",
            AGAINST_PLAIN,
            "Losses and oversampling on the same real documents, against plain training (log-loss), 95 % "
            "intervals, exploratory. Thresholds are tuned for every arm alike, so a loss gains nothing by moving "
            "its scores. C is the same for all, though losses differ in scale: differences of .01 may be regularisation.",
        )
        second = _beside_remedies(gains(tables, AGAINST_REMEDY))
        if not first and not second:
            return None
        return Section("remedies", self.title, (*first, *second), tag(tables))


def _beside_remedies(found: list[Row]) -> tuple[Table, ...]:
    """Return generators by remedies; nothing where no such contrast was run."""
    if not found:
        return ()
    remedies = list(dict.fromkeys(control_label(row) for row in found))
    cells = {(row["generator"], control_label(row)): row for row in found}
    body = tuple(
        (Cell(str(name)), *(_difference(cells.get((name, remedy))) for remedy in remedies))
        for name in dict.fromkeys(row["generator"] for row in found)
    )
    columns = (Column("Corpus"), *(Column(f"less {remedy}", True) for remedy in remedies))
    places = {f"{row['regime']:,} real documents, {row['classifier_family']}" for row in found}
    note = (
        f"{listed(sorted(places))}; {counts_words(found[0])}. Differences in score with 95 % intervals, exploratory. "
        "A loss trains on the regime's documents alone, synthesis on more: remedies are compared, not equal sizes. "
        "What volume alone does stands with the row twins above."
    )
    return (
        Table("Plain training with synthetic documents, less each remedy without them", columns, body, note),
    )


def _difference(row: Row | None) -> Cell:
    if row is None:
        return Cell("not run")
    return Cell(signed(row["effect"]), interval95(row)) if has_interval(row) else Cell(undefined(row["note"]))


def _remedy(regime: int, family: str, objective: str) -> Wanted:
    return Wanted(regime, Arm("real_only", settings={"objective": objective}), family)


def _against_plain(regime: int, family: str) -> list[PlannedContrast]:
    real, oversampled = plain("real_only", regime, family), plain("oversampled", regime, family)
    losses = [PlannedContrast("remedy", _remedy(regime, family, name), real) for name in OBJECTIVES]
    twin = plain("uniform_twin", regime, family)
    return [
        *losses,
        PlannedContrast("oversampling", oversampled, real),
        PlannedContrast("oversampling_vs_copies", oversampled, twin),
    ]


def _against_remedies(design: Design) -> list[PlannedContrast]:
    regime, family = design.claims.regime, design.claims.family
    present = [name for _, name, _ in declared_places(design)]
    remedies = [_remedy(regime, family, name) for name in OBJECTIVES] + [plain("oversampled", regime, family)]
    return [
        PlannedContrast(AGAINST_REMEDY, synthesis(regime, generator, family), remedy)
        for generator in present
        for remedy in remedies
    ]


EXPERIMENTS.register("a_e3_remedies", Remedies())
