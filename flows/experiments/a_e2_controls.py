"""A-E2: how much of a raw gain is volume, and what the rest is worth.

Every arm against its row twin (declared in A-E1), the paper's resampled twin
beside it, new real documents as the ceiling, and the arm's score read off a
ruler of real documents.
"""

from collections.abc import Sequence

from flows.cells import Wanted
from flows.design import Design
from flows.experiments import (
    EXPERIMENTS,
    PlannedContrast,
    PlannedRuler,
    Question,
    declared_places,
    generator_places,
    plain,
    row_twin,
    synthesis,
)

RUNG_SHARES = (0.125, 0.25, 0.5, 1.0)


class Controls(Question):
    title = "Controls and worth in real documents"

    def contrasts(self, design: Design) -> Sequence[PlannedContrast]:
        planned = [
            PlannedContrast(
                "gain_vs_resampled",
                synthesis(regime, generator, family),
                plain("resampled_twin", regime, family),
            )
            for regime, generator, family in generator_places(design)
        ]
        for regime in _regimes_with_ceiling(design):
            for family in design.families:
                new_real = plain("new_real", regime, family)
                planned.append(PlannedContrast("ceiling", new_real, plain("real_only", regime, family)))
                planned += [
                    PlannedContrast("ceiling", new_real, twin) for twin in _a_twin(design, regime, family)
                ]
        return planned

    def rulers(self, design: Design) -> Sequence[PlannedRuler]:
        """Return rulers where claims are declared: a worth is stated with a verdict of better and nowhere else."""
        spare = design.dataset.train - design.claims.regime
        return [_ruler(design, generator, family, spare) for _, generator, family in declared_places(design)]


def _a_twin(design: Design, regime: int, family: str) -> list[Wanted]:
    """Return a row twin as large as the ceiling, of the first generator with such an arm; none where there is none."""
    found = [
        g.name
        for g in design.generators
        if regime in design.regimes_of(g)
        and family in design.families_of(g)
        and design.documents_of(g) == design.synthetic_documents
    ]
    return [row_twin(regime, name, family) for name in found[:1]]


def _regimes_with_ceiling(design: Design) -> list[int]:
    used = {n for generator in design.generators for n in design.regimes_of(generator)}
    return [n for n in design.regimes if n in used and n + design.synthetic_documents <= design.dataset.train]


def _ruler(design: Design, generator: str, family: str, spare: int) -> PlannedRuler:
    regime = design.claims.regime
    sizes = sorted({min(round(share * design.synthetic_documents), spare) for share in RUNG_SHARES} - {0})
    rungs = [(0, row_twin(regime, generator, family))]
    rungs += [(size, row_twin(regime, generator, family, new_real=size)) for size in sizes]
    return PlannedRuler(synthesis(regime, generator, family), tuple(rungs))


EXPERIMENTS.register("a_e2_controls", Controls())
