"""A-E11: does it matter what kind of text the generator writes?

Generators that differ in nothing but their genre, each against its own control, and
against the one that writes as the real documents are written: as training documents,
and as documents in an index.
"""

from collections.abc import Sequence

from flows.design import Design, GeneratorDesign, Profile
from flows.experiments import EXPERIMENTS, PlannedContrast, PlannedSearch, Question, row_twin, synthesis
from flows.report.inputs import ReportInput
from flows.report.page import Section
from flows.report.queries import gains, tag
from flows.report.sections.contrasts import contrast_blocks
from flows.report.sections.searched import searched_blocks

CONTROL_KIND, GENRE_KIND = "genre_vs_control", "genre_vs_standard"


class Genres(Question):
    title = "Genres: contents of the same law, written differently"

    def requires(self, design: Design, profile: Profile) -> str:
        return "" if _groups(design) else "needs generators that are `like` another one and name a `genre`"

    def contrasts(self, design: Design) -> Sequence[PlannedContrast]:
        """Return contrasts at the claims' regime."""
        regime = design.claims.regime
        planned = []
        for standard, written in _groups(design):
            for generator in written:
                for family in design.families_of(generator):
                    arm = synthesis(regime, generator.name, family)
                    planned += [
                        PlannedContrast(CONTROL_KIND, arm, row_twin(regime, generator.name, family)),
                        PlannedContrast(GENRE_KIND, arm, synthesis(regime, standard.name, family)),
                    ]
        return planned

    def searches(self, design: Design) -> Sequence[PlannedSearch]:
        """Return indexes with each embedded genre, held against the standard genre's index and their own twins."""
        planned = []
        for standard, written in _groups(design):
            embedded = [generator for generator in written if generator.embedded and standard.embedded]
            for generator in embedded:
                planned += [
                    PlannedSearch("synthesis", generator.name, against=f"synthesis:{standard.name}"),
                    PlannedSearch("row_twin", generator.name),
                ]
            if embedded:
                own = [PlannedSearch("synthesis", standard.name), PlannedSearch("row_twin", standard.name)]
                planned = [PlannedSearch(""), *own, *planned]
        return planned

    def section(self, tables: ReportInput) -> Section | None:
        control = contrast_blocks(
            tables,
            "genres",
            {CONTROL_KIND: "against its control"},
            "Gain of each genre against its own row twin, 95 % intervals, exploratory.",
        )
        standard = contrast_blocks(
            tables,
            "genres-standard",
            {GENRE_KIND: "against the standard genre"},
            "Each genre against the same generator writing as the real documents are written, 95 % intervals, "
            "exploratory.",
        )
        if not control:
            return None
        names = list(dict.fromkeys(str(row["generator"]) for row in gains(tables, GENRE_KIND)))
        return Section(
            "genres", self.title, (*control, *standard, *searched_blocks(tables, names)), tag(tables)
        )


Group = tuple[GeneratorDesign, list[GeneratorDesign]]


def _groups(design: Design) -> list[Group]:
    """Return each generator beside those that are like it in everything but genre."""
    present = [g for g in design.generators if design.claims.regime in design.regimes_of(g)]
    groups = [(standard, [g for g in present if _differs_in_genre(g, standard)]) for standard in present]
    return [(standard, same) for standard, same in groups if same]


def _differs_in_genre(generator: GeneratorDesign, standard: GeneratorDesign) -> bool:
    if generator.like != standard.name or generator.genre == standard.genre:
        return False
    left_out = {"name", "like", "genre", "embedded", "embedded_replicates", "documents", "families"}
    return generator.model_dump(exclude=left_out) == standard.model_dump(exclude=left_out)


EXPERIMENTS.register("a_e11_genres", Genres())
