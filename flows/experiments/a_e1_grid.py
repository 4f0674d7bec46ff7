"""A-E1: every generator in every regime and family, beside its control."""

from collections.abc import Sequence

from flows.design import Design
from flows.experiments import (
    EXPERIMENTS,
    PlannedContrast,
    Question,
    generator_places,
    plain,
    row_twin,
    synthesis,
)


class MainGrid(Question):
    title = "Main grid"

    def contrasts(self, design: Design) -> Sequence[PlannedContrast]:
        planned = []
        for regime, generator, family in generator_places(design):
            arm, twin = synthesis(regime, generator, family), row_twin(regime, generator, family)
            planned.append(
                PlannedContrast("gain_vs_control", arm, twin, _declared(design, regime, generator, family))
            )
            planned.append(PlannedContrast("gain_vs_real", arm, plain("real_only", regime, family)))
        return planned


def _declared(design: Design, regime: int, generator: str, family: str) -> bool:
    claims = design.claims
    return regime == claims.regime and family == claims.family and generator in design.claimed_generators


EXPERIMENTS.register("a_e1_grid", MainGrid())
