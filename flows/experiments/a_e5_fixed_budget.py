"""A-E5: a fixed number of training documents, and how many of them should be real.

Real and synthetic documents compete for the same places, so that no share is
larger than another.
"""

from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from flows.cells import Arm, Wanted
from flows.design import Design, Profile
from flows.experiments import EXPERIMENTS, Question
from flows.report.figures.curves import Point, chart
from flows.report.figures.theme import series_legend
from flows.report.formatting import count, interval, missing, plain, text_or
from flows.report.inputs import ReportInput
from flows.report.page import Block, Cell, Chart, Column, Figure, Note, Section, Table
from flows.report.queries import rows, tag
from flows.report.scores import Place, mean_interval, replicate_scores
from services.evaluator.client import EvaluatorClient
from services.evaluator.mix_curve import BEST, NOT_SHOWN_WORSE, MixCurve, MixScores

SHARES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 0.9, 1.0)
TABLE = "mix_curves"
UNDEFINED = "undefined"
TOO_FEW = "fewer than two shares have a score in every replicate"
NO_CURVE = MixCurve((), None, None, None, None, None, None, 0, TOO_FEW, "")
COLUMNS = (
    Column("Corpus"),
    Column("Real share", True),
    Column("Micro-F1, mean", True),
    Column("95 % interval", True),
    Column("n", True),
    Column("Standing"),
)


class FixedBudget(Question):
    title = "A fixed budget of documents, real and synthetic"

    def requires(self, design: Design, profile: Profile) -> str:
        if _regime(design) is None:
            return f"needs a regime of at least {design.synthetic_documents} real documents, the budget"
        return "" if _generators(design) else "needs a generator whose corpora are used in every regime"

    def cells(self, design: Design) -> Sequence[Wanted]:
        regime, family = _regime(design) or 0, design.claims.family
        names = _generators(design)
        found = [Wanted(regime, _mix(design, name, share), family) for name in names for share in SHARES[:-1]]
        return [*found, Wanted(regime, _mix(design, "", 1.0), family)]

    def analyse(self, tables: ReportInput, evaluator: EvaluatorClient) -> Mapping[str, pd.DataFrame]:
        """Return one row per generator and share, with the share's standing on its curve."""
        scores = replicate_scores(tables)
        places = [place for place in scores if place.arm.startswith("budget_mix:")]
        found = []
        for generator in dict.fromkeys(info.name for info in tables.generators):
            shares = _shares_of(places, generator)
            if shares:
                found += _curve(generator, {s: scores[place] for s, place in shares.items()}, evaluator)
        return {TABLE: pd.DataFrame(found)} if found else {}

    def section(self, tables: ReportInput) -> Section | None:
        if TABLE not in tables.findings:
            return None
        found = rows(tables.findings[TABLE])
        said = [text for text in dict.fromkeys(text_or(row["note"], "") for row in found) if text]
        notes = [Note(f"{VARIANCES} {'; '.join(said)}.")] if said else []
        blocks: tuple[Block, ...] = (_figure(tables, found), _table(found), *_heights(found), *notes, READING)
        return Section("fixed-budget", self.title, blocks, tag(tables))


VARIANCES = (
    "A keep-set takes equal variances for granted; where they differ, it holds all equally good shares in .8 to .9 of "
    "studies and not in .95."
)
READING = Note(
    "Filled points are the best share and those not shown worse than it (Tukey's studentised range over "
    "replicates); hollow ones are worse, or not judged where there is no keep-set. With several nearly equal shares no "
    "single one is called the optimum. A "
    "share of 0 has no real document to tune a threshold on, so that its score at a tuned threshold is undefined."
)


def _regime(design: Design) -> int | None:
    return next((n for n in design.regimes if n >= design.synthetic_documents), None)


def _generators(design: Design) -> list[str]:
    claimed = (design.generator(name) for name in design.claimed_generators)
    return [g.name for g in claimed if g.scope == "study" and design.claims.family in design.families_of(g)]


def _mix(design: Design, generator: str, share: float) -> Arm:
    return Arm("budget_mix", generator, {"documents": design.synthetic_documents, "share": share})


def _shares_of(places: Iterable[Place], generator: str) -> dict[float, Place]:
    """Return a generator's cells by real share; the share of 1 is everybody's."""
    found = {}
    for place in places:
        parts = place.arm.split(":")
        owner = "" if "=" in parts[1] else parts[1]
        if owner in ("", generator):
            found[float(parts[-1].removeprefix("share="))] = place
    return found if any(share < 1 for share in found) else {}


def _curve(
    generator: str, scores: Mapping[float, tuple[float, ...] | None], evaluator: EvaluatorClient
) -> list[dict[str, object]]:
    known = {share: values for share, values in sorted(scores.items()) if values is not None}
    if len(known) < 2:
        return [_row(generator, share, known.get(share), UNDEFINED, NO_CURVE) for share in sorted(scores)]
    curve = evaluator.analyse_mix([MixScores(share, values) for share, values in known.items()])
    standings = {point.real_share: point.standing for point in curve.points}
    return [
        _row(generator, share, known.get(share), standings.get(share, UNDEFINED), curve)
        for share in sorted(scores)
    ]


def _row(
    generator: str, share: float, values: tuple[float, ...] | None, standing: str, curve: MixCurve
) -> dict[str, object]:
    mean, low, high = mean_interval(values) if values else (None, None, None)
    said = f"no keep-set: {curve.refused}" if curve.refused else curve.note
    return {
        "generator": generator,
        "real_share": share,
        "mean": mean,
        "low95": low,
        "high95": high,
        "replicate_count": len(values or ()),
        "standing": standing,
        "height": curve.height,
        "refused": curve.refused,
        "note": f"{generator}: {said}" if said else "",
    }


def _heights(found: list[dict[str, object]]) -> list[Note]:
    known = {str(row["generator"]): row["height"] for row in found if not missing(row["height"])}
    if not known:
        return []
    said = ", ".join(f"{name} {plain(height)}" for name, height in known.items())
    return [
        Note(
            "Micro-F1 of the best share, chosen and scored in different replicates, so that choosing does not "
            f"flatter it: {said}."
        )
    ]


def _figure(tables: ReportInput, found: list[dict[str, object]]) -> Figure:
    drawn = [row for row in found if not missing(row["low95"])]
    ends = [float(str(row[side])) for row in drawn for side in ("low95", "high95")]
    domain = (min(ends, default=0.0) - 0.01, max(ends, default=1.0) + 0.01)
    charts = tuple(
        Chart(
            str(generator),
            chart(
                [_point(row) for row in drawn if row["generator"] == generator],
                [str(generator)],
                "share of real documents",
                "micro-F1",
                y_domain=domain,
            ),
            f"Micro-F1 by share of real documents, synthetic ones from {generator}; the table has the numbers.",
        )
        for generator in dict.fromkeys(row["generator"] for row in drawn)
    )
    budget = count(tables.design.get("synthetic_documents"))
    caption = f"Micro-F1 of {budget} training documents in all, by the share of real ones, 95 % intervals."
    return Figure("fixed-budget", caption, charts, series_legend([]), tag(tables))


def _point(row: dict[str, object]) -> Point:
    words = {
        "corpus": str(row["generator"]),
        "real share": plain(row["real_share"], 1),
        "micro-F1": plain(row["mean"]),
        "95 % interval": interval(row["low95"], row["high95"], sign=False),
        "standing": str(row["standing"]),
    }
    share, mean, low, high = (float(str(row[name])) for name in ("real_share", "mean", "low95", "high95"))
    kept = row["standing"] in (BEST, NOT_SHOWN_WORSE)
    return Point(str(row["generator"]), share, mean, low, high, kept, words)


def _table(found: list[dict[str, object]]) -> Table:
    body = tuple(
        (
            Cell(str(row["generator"])),
            Cell(plain(row["real_share"], 1)),
            Cell("undefined" if missing(row["mean"]) else plain(row["mean"])),
            Cell(interval(row["low95"], row["high95"], sign=False)),
            Cell(count(row["replicate_count"]), "replicates"),
            Cell(str(row["standing"])),
        )
        for row in found
    )
    return Table("The numbers of this figure", COLUMNS, body, collapsed=True)


EXPERIMENTS.register("a_e5_fixed_budget", FixedBudget())
