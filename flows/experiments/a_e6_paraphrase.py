"""A-E6: more and more paraphrases of the same few documents.

Each step is held against as many copies of the same sources: where the difference
falls while the scores stand still, paraphrasing has run out of what it can add.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from flows.cells import Arm, Wanted
from flows.design import Design, Profile
from flows.experiments import EXPERIMENTS, PlannedContrast, Question
from flows.report.figures.curves import Point, chart
from flows.report.figures.theme import series_legend
from flows.report.formatting import interval, plain
from flows.report.inputs import ReportInput
from flows.report.page import Chart, Figure, Note, Section
from flows.report.queries import gains, tag
from flows.report.scores import Place, mean_interval, replicate_scores
from flows.report.sections.contrasts import contrast_blocks

MULTIPLES = (1, 2, 5, 10, 20, 50)
KIND = "paraphrase_vs_copies"
SERIES = {"synthesis": "paraphrases", "row_twin": "as many copies"}


class ParaphraseScaling(Question):
    title = "Paraphrases of the same documents, more and more"

    def requires(self, design: Design, profile: Profile) -> str:
        return "" if _paraphrasers(design) else 'needs a generator with strategy = "paraphrase"'

    def contrasts(self, design: Design) -> Sequence[PlannedContrast]:
        regime = design.claims.regime
        return [
            PlannedContrast(
                KIND,
                _wanted("synthesis", regime, name, family, n),
                _wanted("row_twin", regime, name, family, n),
            )
            for name, most in _paraphrasers(design).items()
            for family in design.families_of(design.generator(name))
            for n in (k * regime for k in MULTIPLES)
            if n <= most
        ]

    def section(self, tables: ReportInput) -> Section | None:
        caption = (
            "Paraphrases against as many copies of their sources, by how many documents are added, 95 % intervals, "
            "exploratory."
        )
        blocks = contrast_blocks(
            tables, "paraphrases", {KIND: "paraphrases against copies"}, caption, label=_step
        )
        curve = _curve(tables)
        if not blocks:
            return None
        return Section("paraphrase", self.title, (*([curve] if curve else ()), *blocks, SOURCES), tag(tables))


SOURCES = Note(
    "Every source is paraphrased about equally often at every step, and a larger step holds all of a smaller one's "
    "paraphrases."
)


def _paraphrasers(design: Design) -> Mapping[str, int]:
    """Return how many documents each paraphraser with an arm at the claims' regime writes."""
    return {
        g.name: design.documents_of(g)
        for g in design.generators
        if g.strategy == "paraphrase" and design.claims.regime in design.regimes_of(g)
    }


def _wanted(condition: str, regime: int, generator: str, family: str, documents: int) -> Wanted:
    return Wanted(regime, Arm(condition, generator, {"documents": documents}), family)


def _curve(tables: ReportInput) -> Figure | None:
    planned = gains(tables, KIND)
    scores = replicate_scores(tables)
    charts = []
    for generator, family in dict.fromkeys((r["generator"], r["classifier_family"]) for r in planned):
        here = [r for r in planned if (r["generator"], r["classifier_family"]) == (generator, family)]
        points = [
            point
            for row in here
            for condition, arm in (("synthesis", row["arm"]), ("row_twin", row["control"]))
            if (point := _point(row, condition, scores.get(Place(row["regime"], family, arm))))
        ]
        if points:
            charts.append(_chart(f"{generator}, {family}", points))
    if not charts:
        return None
    caption = (
        "Micro-F1 by how often each real document is paraphrased, and with as many copies, 95 % intervals."
    )
    return Figure(
        "paraphrase-curve", caption, tuple(charts), series_legend(list(SERIES.values())), tag(tables)
    )


def _chart(title: str, points: Sequence[Point]) -> Chart:
    domain = (min(p.low for p in points) - 0.01, max(p.high for p in points) + 0.01)
    spec = chart(
        points,
        list(SERIES.values()),
        "documents per real document",
        "micro-F1",
        y_domain=domain,
        logarithmic=True,
    )
    return Chart(title, spec, f"Micro-F1 by number of paraphrases, {title}; the table below has differences.")


def _step(row: Mapping[str, Any]) -> str:
    return f"{row['generator']} ×{_times(row):.0f}"


def _times(row: Mapping[str, Any]) -> float:
    """Return the paraphrases of each real document."""
    return float(int(str(row["arm"]).rpartition("documents=")[2]) / row["regime"])


def _point(row: Mapping[str, Any], condition: str, values: tuple[float, ...] | None) -> Point | None:
    if values is None or len(values) < 2:
        return None
    mean, low, high = mean_interval(values)
    times = _times(row)
    words = {
        "arm": SERIES[condition],
        "documents per real document": plain(times, 0),
        "micro-F1": plain(mean),
        "95 % interval": interval(low, high, sign=False),
        "n": f"{len(values)} replicates",
    }
    return Point(SERIES[condition], times, mean, low or mean, high or mean, condition == "synthesis", words)


EXPERIMENTS.register("a_e6_paraphrase", ParaphraseScaling())
