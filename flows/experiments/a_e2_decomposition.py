"""Where a raw gain comes from: the threshold, the training budget, or the documents.

A raw gain mixes three things. Part of it any threshold tuning brings, part of it comes
of training longer or on more copies, and only the rest is what the documents say.
"""

from collections.abc import Mapping, Sequence
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
from flows.report.formatting import interval, missing, signed, text_or
from flows.report.formatting import plain as number
from flows.report.inputs import ReportInput
from flows.report.page import Cell, Column, Note, Section, Table
from flows.report.queries import margin, rows, tag
from flows.report.scores import Place, replicate_scores
from services.classifier.families import FAMILIES
from services.domain.task import TaskType
from services.evaluator.client import EvaluatorClient
from services.evaluator.decomposition import CellScores
from services.evaluator.gain_terms import (
    EDA_TWIN,
    HALF,
    LARGE,
    REAL_ONLY,
    ROW_TWIN,
    SMALL,
    SYNTHESIS,
    TUNED,
)

TABLE = "decompositions"
SURFACE = "surface_vs_copies"
PARTS = {
    "gain": "raw gain at .5",
    "calibration": "calibration: the threshold",
    "budget": "budget: more training",
    "documents": "documents: what they say",
}
ORDERS = {
    "budget_first": "budget, counted first",
    "budget_last": "budget, counted last",
    "documents_first": "documents, counted first",
    "documents_last": "documents, counted last",
    "interaction": "interaction",
}
CONTRASTS = {
    "replication": "copies over plain training at the same budget (expect 0)",
    "surface": "disturbed copies over copies",
    "synthesis": "synthetic documents over copies",
}


class Decomposition(Question):
    title = "Where each raw gain comes from"

    def requires(self, design: Design, profile: Profile) -> str:
        return "" if _families(design) else "needs a family with a convex loss that reads no embeddings"

    def cells(self, design: Design) -> Sequence[Wanted]:
        return [wanted for place in _places(design) for wanted in _arms(design, *place).values()]

    def contrasts(self, design: Design) -> Sequence[PlannedContrast]:
        """Return disturbed copies against copies, so that what disturbance alone brings has its test."""
        return [
            PlannedContrast(SURFACE, arms[EDA_TWIN, LARGE], arms[ROW_TWIN, LARGE])
            for place in _places(design)
            for arms in [_arms(design, *place)]
        ]

    def analyse(self, tables: ReportInput, evaluator: EvaluatorClient) -> Mapping[str, pd.DataFrame]:
        """Return one row per generator, family and term."""
        scores = {rule: replicate_scores(tables, threshold_rule=rule) for rule in (HALF, TUNED)}
        found = []
        for generator, regime, family in _decomposed(tables):
            cells = _scored(scores, tables, generator, regime, family)
            if cells:
                found += _rows(generator, regime, family, evaluator, cells)
        return {TABLE: pd.DataFrame(found)} if found else {}

    def section(self, tables: ReportInput) -> Section | None:
        if TABLE not in tables.findings:
            return self._undefined(tables)
        found = rows(tables.findings[TABLE])
        blocks = (
            _table("What each raw gain is made of", PARTS, found, shares=True),
            _table("The contrasts behind it, thresholds tuned", CONTRASTS, found),
            _table("The same parts in either order", ORDERS, found, collapsed=True),
            _negative_control(found, margin(tables)),
            READING,
        )
        return Section("decomposition", self.title, blocks, tag(tables))

    def _undefined(self, tables: ReportInput) -> Section | None:
        if not _decomposed(tables):
            return None
        single = tables.design.get("task_type") == TaskType.SINGLE_LABEL.value
        why = SINGLE if single else "Not decomposed: no arm has a score in every replicate."
        return Section("decomposition", self.title, (Note(why, "undefined"),), tag(tables))


SINGLE = "Not decomposed: with one label a document the highest score wins, and no threshold is there to calibrate."
READING = Note(
    "Calibration, budget and documents sum to the raw gain at a threshold of .5, the one that is reported where "
    "nobody tunes. Budget and documents are means over both orders in which they can be counted. A share is "
    "stated only where the gain is clearly above .02 (Fieller); shares may be negative or above 1."
)


def _families(design: Design) -> list[str]:
    """Return families whose budget is a weight; disturbed copies would have to be embedded for the others."""
    known = {name: FAMILIES.get(design.family_behind(name)) for name in design.families}
    return [name for name, family in known.items() if family.is_convex and not family.encodes]


def _places(design: Design) -> list[tuple[str, int, str]]:
    """Return the claimed generators' places, by family with a convex loss."""
    convex = _families(design)
    return [(name, regime, family) for regime, name, family in claimed_places(design) if family in convex]


def _arms(design: Design, generator: str, regime: int, family: str) -> dict[tuple[str, str], Wanted]:
    """Return the cells of one decomposition by arm and budget."""
    small, large = regime, regime + design.synthetic_documents
    return {
        (REAL_ONLY, SMALL): plain("real_only", regime, family),
        (REAL_ONLY, LARGE): Wanted(regime, Arm("real_only", settings={"budget": large}), family),
        (ROW_TWIN, LARGE): row_twin(regime, generator, family),
        (EDA_TWIN, LARGE): Wanted(regime, Arm("eda_twin", generator), family),
        (SYNTHESIS, SMALL): Wanted(regime, Arm("synthesis", generator, {"budget": small}), family),
        (SYNTHESIS, LARGE): synthesis(regime, generator, family),
    }


def _decomposed(tables: ReportInput) -> list[tuple[str, int, str]]:
    twins = tables.cells[tables.cells["arm"].str.startswith("eda_twin:")]
    found = zip(twins["generator"], twins["regime"], twins["classifier_family"], strict=True)
    return [(str(g), int(n), str(f)) for g, n, f in dict.fromkeys(found)]


def _scored(
    scores: Mapping[str, Mapping[Place, tuple[float, ...] | None]],
    tables: ReportInput,
    generator: str,
    regime: int,
    family: str,
) -> list[CellScores]:
    large = regime + int(tables.design["synthetic_documents"])
    names = {
        (REAL_ONLY, SMALL): "real_only",
        (REAL_ONLY, LARGE): f"real_only:budget={large}",
        (ROW_TWIN, LARGE): f"row_twin:{generator}",
        (EDA_TWIN, LARGE): f"eda_twin:{generator}",
        (SYNTHESIS, SMALL): f"synthesis:{generator}:budget={regime}",
        (SYNTHESIS, LARGE): f"synthesis:{generator}",
    }
    return [
        CellScores(arm, budget, rule, values)
        for (arm, budget), name in names.items()
        for rule in (HALF, TUNED)
        if (values := scores[rule].get(Place(regime, family, name)))
    ]


def _rows(
    generator: str, regime: int, family: str, evaluator: EvaluatorClient, cells: Sequence[CellScores]
) -> list[dict[str, Any]]:
    found = evaluator.decompose_gain(cells)
    return [
        {
            "generator": generator,
            "regime": regime,
            "classifier_family": family,
            "term": term.name,
            "effect": term.effect,
            "low95": term.interval95.low if term.interval95 else None,
            "high95": term.interval95.high if term.interval95 else None,
            "low90": term.interval90.low if term.interval90 else None,
            "high90": term.interval90.high if term.interval90 else None,
            "share": term.share,
            "share_low95": term.share_interval95.low if term.share_interval95 else None,
            "share_high95": term.share_interval95.high if term.share_interval95 else None,
            "replicate_count": found.replicate_count,
            "note": term.note,
            "shares_refused": found.shares_refused,
        }
        for term in found.terms
    ]


def _negative_control(found: Sequence[Mapping[str, Any]], margin: float) -> Note:
    """Say in how many places copies are equivalent to plain training, as documents that say nothing new should be."""
    known = [row for row in found if row["term"] == "replication"]
    inside = [
        row
        for row in known
        if not missing(row["low90"]) and -margin < row["low90"] and row["high90"] < margin
    ]
    return Note(
        f"Negative control: copies are equivalent to plain training at the same budget in {len(inside)} of {len(known)} "
        f"places (90 % interval inside ±{margin:g}). Drawn copies are no exact multiple of every document, so that "
        "exactly 0 is not expected."
    )


def _table(
    caption: str,
    terms: Mapping[str, str],
    found: Sequence[Mapping[str, Any]],
    *,
    shares: bool = False,
    collapsed: bool = False,
) -> Table:
    by_place: dict[tuple[str, str], dict[str, Mapping[str, Any]]] = {}
    for row in found:
        by_place.setdefault((row["generator"], row["classifier_family"]), {})[row["term"]] = row
    columns = (Column("Corpus"), Column("Family"), *(Column(title, True) for title in terms.values()))
    body = tuple(
        (Cell(generator), Cell(family), *(_cell(known[name], shares) for name in terms))
        for (generator, family), known in by_place.items()
    )
    counts = {row["replicate_count"] for row in found}
    note = (
        f"95 % t intervals over {', '.join(map(str, sorted(counts)))} replicates, at one regime; exploratory."
    )
    return Table(caption, columns, body, note, collapsed=collapsed)


def _cell(row: Mapping[str, Any], shares: bool) -> Cell:
    if missing(row["effect"]):
        return Cell("undefined", text_or(row["note"], "no reason recorded"))
    ends = interval(row["low95"], row["high95"])
    if not shares or row["term"] == "gain":
        return Cell(signed(row["effect"]), ends)
    if missing(row["share"]):
        return Cell(signed(row["effect"]), ends, title=f"no share: {row['shares_refused']}")
    share = f"share {number(row['share'], 2)} ({interval(row['share_low95'], row['share_high95'], 2, sign=False)})"
    return Cell(signed(row["effect"]), f"{ends}; {share}")


EXPERIMENTS.register("a_e2_decomposition", Decomposition())
