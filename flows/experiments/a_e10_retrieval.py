"""A-E10: what a synthetic corpus does to retrieval when it stands in the index."""

from collections.abc import Sequence

from flows.design import Design, Profile
from flows.experiments import EXPERIMENTS, PlannedSearch, Question


class Retrieval(Question):
    title = "Retrieval with the synthetic corpus in the index"

    def requires(self, design: Design, profile: Profile) -> str:
        return "" if design.encoder else "needs an encoder: set `encoder` in the design"

    def searches(self, design: Design) -> Sequence[PlannedSearch]:
        """Return indexes with the corpora of claimed generators, and with copies in their place."""
        planned = [PlannedSearch("")]
        if max(design.regimes) + design.synthetic_documents <= design.dataset.train:
            planned.append(PlannedSearch("new_real"))
        for name in design.claimed_generators:
            if design.generator(name).embedded:
                planned += [PlannedSearch("synthesis", name), PlannedSearch("row_twin", name)]
        return planned


EXPERIMENTS.register("a_e10_retrieval", Retrieval())
