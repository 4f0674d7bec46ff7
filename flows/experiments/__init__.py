"""The questions a study asks: one experiment per file.

An experiment says which cells it needs, which contrasts, rulers and searches
turn them into numbers, what else is computed from those, and what the report
says of them. Cells that several experiments want are the same cell and run once.
To add an experiment, write a module here that registers an object with the
attributes of `Experiment`; nothing else changes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import pandas as pd

from flows.cells import Arm, Wanted
from flows.design import Design, Profile
from flows.report.inputs import ReportInput
from flows.report.page import Section
from services.domain.registry import Registry
from services.evaluator.client import EvaluatorClient


@dataclass(frozen=True)
class PlannedContrast:
    """An arm against what it is compared with, over all replicates of a regime.

    `kind` groups contrasts that are corrected together and shown together. The
    page's own sections show gain_vs_control, gain_vs_real, gain_vs_resampled and
    ceiling; an experiment shows kinds of its own in its section.
    """

    kind: str
    treatment: Wanted
    control: Wanted
    declared: bool = False

    @property
    def name(self) -> str:
        return "|".join(
            [
                self.kind,
                str(self.treatment.regime),
                self.treatment.family,
                self.treatment.arm.name,
                self.control.arm.name,
            ]
        )


@dataclass(frozen=True)
class PlannedRuler:
    """An arm, and the rungs (new real documents, arm) it is read off."""

    treatment: Wanted
    rungs: tuple[tuple[int, Wanted], ...]

    @property
    def name(self) -> str:
        return "|".join(["worth", str(self.treatment.regime), self.treatment.family, self.treatment.arm.name])


@dataclass(frozen=True)
class PlannedSearch:
    """An index of the largest regime's real documents and an arm's corpus.

    Args:
        addition: "" for nothing, "row_twin", "new_real" or "synthesis".
        generator: Whose corpus is added, or whose twin.
        against: A further arm that the index is compared with, beside the real documents and its twin.
    """

    addition: str
    generator: str = ""
    against: str = ""

    @property
    def arm(self) -> str:
        return ":".join(part for part in (self.addition or "real_only", self.generator) if part)


class Experiment(Protocol):
    """What a question needs, and what it finds.

    The first methods are pure functions of the design. `requires` returns what
    this profile lacks, as "needs …", or an empty string; an experiment that lacks
    something contributes nothing, and the report says so. `analyse` computes
    further tables from the study's own, and `section` shows them; both see the
    tables that experiments before them in the design have added.
    """

    title: str

    def requires(self, design: Design, profile: Profile) -> str: ...

    def cells(self, design: Design) -> Sequence[Wanted]: ...

    def contrasts(self, design: Design) -> Sequence[PlannedContrast]: ...

    def rulers(self, design: Design) -> Sequence[PlannedRuler]: ...

    def searches(self, design: Design) -> Sequence[PlannedSearch]: ...

    def analyse(self, tables: ReportInput, evaluator: EvaluatorClient) -> Mapping[str, pd.DataFrame]:
        """Return further tables by name; they are written beside the study's."""
        ...

    def section(self, tables: ReportInput) -> Section | None:
        """Return what the report shows of this experiment, beyond the page's own sections."""
        ...


class Question:
    """An experiment that needs nothing and adds nothing; a base to override parts of."""

    title = ""

    def requires(self, design: Design, profile: Profile) -> str:
        return ""

    def cells(self, design: Design) -> Sequence[Wanted]:
        """Return the cells that the contrasts and rulers mention."""
        mentioned = [w for c in self.contrasts(design) for w in (c.treatment, c.control)]
        for ruler in self.rulers(design):
            mentioned += [ruler.treatment, *(rung for _, rung in ruler.rungs)]
        return mentioned

    def contrasts(self, design: Design) -> Sequence[PlannedContrast]:
        return ()

    def rulers(self, design: Design) -> Sequence[PlannedRuler]:
        return ()

    def searches(self, design: Design) -> Sequence[PlannedSearch]:
        return ()

    def analyse(self, tables: ReportInput, evaluator: EvaluatorClient) -> Mapping[str, pd.DataFrame]:
        return {}

    def section(self, tables: ReportInput) -> Section | None:
        return None


EXPERIMENTS: Registry[Experiment] = Registry("experiments", __name__)


def generator_places(design: Design) -> list[tuple[int, str, str]]:
    """Return every (regime, generator, family) at which a generator has an arm."""
    return [
        (regime, generator.name, family)
        for generator in design.generators
        for regime in design.regimes_of(generator)
        for family in design.families_of(generator)
    ]


def claimed_places(design: Design) -> list[tuple[int, str, str]]:
    """Return every (regime, generator, family) of the claims' regime at which a claimed generator has an arm.

    What costs several cells a generator is run for these alone.
    """
    return [
        (regime, generator, family)
        for regime, generator, family in generator_places(design)
        if regime == design.claims.regime and generator in design.claimed_generators
    ]


def declared_places(design: Design) -> list[tuple[int, str, str]]:
    """Return those of `claimed_places` in the claims' family, which carry the verdicts."""
    return [place for place in claimed_places(design) if place[2] == design.claims.family]


def synthesis(regime: int, generator: str, family: str) -> Wanted:
    """Return the arm that adds a generator's documents."""
    return Wanted(regime, Arm("synthesis", generator), family)


def row_twin(regime: int, generator: str, family: str, new_real: int = 0) -> Wanted:
    """Return a generator's default control, or a rung of its ruler."""
    settings = {"new_real": new_real} if new_real else {}
    return Wanted(regime, Arm("row_twin", generator, settings), family)


def plain(condition: str, regime: int, family: str) -> Wanted:
    """Return an arm that needs no generator."""
    return Wanted(regime, Arm(condition), family)
