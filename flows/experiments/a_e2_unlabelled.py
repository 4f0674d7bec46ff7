"""A-E2: is synthetic text worth more than the unlabelled text that is there anyway?

Further real documents, their labels hidden and predicted by the model of the regime's
own (self-training), against plain training, against as many copies, against the same
documents with their labels, and synthetic documents against them.
"""

from collections.abc import Sequence

import pandas as pd

from flows.design import Design, Profile
from flows.experiments import EXPERIMENTS, PlannedContrast, Question, claimed_places, plain, synthesis
from flows.report.formatting import count, percent
from flows.report.formatting import plain as number
from flows.report.inputs import ReportInput
from flows.report.page import Block, Cell, Column, Note, Section, Table
from flows.report.queries import tag
from flows.report.sections.contrasts import contrast_blocks
from services.classifier.families import FAMILIES, FOLDS
from services.classifier.pseudo_labels import LEAST_FOLDS

ARM = "pseudo_labels"
SELF_TRAINED = {
    "pseudo_vs_real": "unlabelled text, against plain training",
    "pseudo_vs_copies": "unlabelled text, against as many copies drawn evenly",
    "labels_vs_pseudo": "the same documents with their labels, against without",
}
AGAINST = {"synthesis_vs_pseudo": "synthetic documents, against unlabelled text"}
COLUMNS = (
    Column("Regime", True),
    Column("Family"),
    Column("Documents", True),
    Column("Micro-F1 of their labels", True),
    Column("Took the likeliest label", True),
    Column("n", True),
)


class Unlabelled(Question):
    title = "Unlabelled real text with predicted labels"

    def requires(self, design: Design, profile: Profile) -> str:
        wanted = design.claims.regime + design.synthetic_documents
        if wanted > design.dataset.train:
            return f"needs a train pool of {wanted} documents: a regime and unlabelled ones beside it"
        if design.folds < LEAST_FOLDS:
            return f"needs at least {LEAST_FOLDS} folds, to tune a threshold inside each"
        return "" if _families(design) else "needs a family that is refitted without each fold"

    def contrasts(self, design: Design) -> Sequence[PlannedContrast]:
        """Return contrasts at the claims' regime."""
        regime, planned = design.claims.regime, []
        for family in _families(design):
            arm = plain(ARM, regime, family)
            planned += [
                PlannedContrast("pseudo_vs_real", arm, plain("real_only", regime, family)),
                PlannedContrast("pseudo_vs_copies", arm, plain("uniform_twin", regime, family)),
                PlannedContrast("labels_vs_pseudo", plain("new_real", regime, family), arm),
            ]
        planned += [
            PlannedContrast(
                "synthesis_vs_pseudo", synthesis(regime, generator, family), plain(ARM, regime, family)
            )
            for _, generator, family in claimed_places(design)
            if family in _families(design)
        ]
        return planned

    def section(self, tables: ReportInput) -> Section | None:
        first = contrast_blocks(
            tables,
            "unlabelled",
            SELF_TRAINED,
            "Further real documents whose labels the model of the regime's own predicts, 95 % intervals, exploratory.",
        )
        second = contrast_blocks(
            tables,
            "synthesis-or-unlabelled",
            AGAINST,
            "Synthetic documents against as many unlabelled real ones, 95 % intervals, exploratory.",
        )
        if not first:
            return None
        return Section("unlabelled", self.title, (*first, *second, *_quality(tables), READING), tag(tables))


READING = Note(
    "One round of self-training: every document gets the labels at or above the threshold of the model trained on "
    "the regime alone, or its likeliest label where there is none. Inside a fold, model and threshold are those of a "
    "fit without it. A family that is fitted once, without folds, has no such arm."
)


def _families(design: Design) -> list[str]:
    behind = {name: FAMILIES.get(design.family_behind(name)) for name in design.families}
    return [name for name, family in behind.items() if family.validation == FOLDS]


def _quality(tables: ReportInput) -> tuple[Block, ...]:
    """Return how good the predicted labels were; nothing where nobody counted."""
    counted = tables.findings.get("estimates")
    found = counted[counted["condition"] == ARM] if counted is not None else pd.DataFrame()
    if not len(found):
        return ()
    body = []
    for (regime, family), here in found.groupby(["regime", "classifier_family"], sort=False):
        means = here.groupby("estimate")["value"].mean()
        body.append(
            (
                Cell(count(regime)),
                Cell(str(family)),
                Cell(count(means["pseudo_documents"])),
                Cell(number(means["pseudo_micro_f1"])),
                Cell(percent(means["pseudo_fallback_share"], 1.0)),
                Cell(count(here["replicate"].nunique()), "replicates"),
            )
        )
    caption = "How good the predicted labels were, against those that were hidden; means over replicates"
    return (Table(caption, COLUMNS, tuple(body)),)


EXPERIMENTS.register("a_e2_unlabelled", Unlabelled())
