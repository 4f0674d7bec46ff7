"""Which labels documents carry: prevalence, co-occurrence, patent families."""

from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from services.domain.seeds import stream
from services.generator.simulation.dials import Law
from services.generator.simulation.draws import Cumulative, cumulative, pick
from services.generator.simulation.taxonomy import LabelEntry, Taxonomy


@dataclass(frozen=True)
class LabelLaw:
    """Draws label sets.

    Attributes:
        first: Over all labels: the one a document is about.
        companions: Per label, over all labels: which others come with it.
        sizes: Over 1, 2, ... labels.
    """

    first: Cumulative
    companions: tuple[Cumulative, ...]
    sizes: Cumulative

    def draw(self, rng: np.random.Generator) -> tuple[int, ...]:
        """Return a set of label positions, ascending."""
        leading = pick(self.first, rng)
        wanted = 1 + pick(self.sizes, rng)
        chosen = {leading}
        while len(chosen) < wanted:
            chosen.add(pick(self.companions[leading], rng))
        return tuple(sorted(chosen))


def label_law(taxonomy: Taxonomy, law: Law, tilt: float) -> LabelLaw:
    """Return the law of label sets; `tilt` moves the marginals towards equality."""
    prevalence = [(1 / (label.rank + law.offset) ** law.exponent) ** (1 - tilt) for label in taxonomy.labels]
    companions = tuple(
        cumulative([_affinity(a, b, law) * p for b, p in zip(taxonomy.labels, prevalence, strict=True)])
        for a in taxonomy.labels
    )
    return LabelLaw(cumulative(prevalence), companions, cumulative(law.sizes))


def family_head(seed: int, index: int, law: Law) -> int:
    """Return the index of the first document of a document's family; its own for heads.

    Indices fall into blocks of equal length, and every block is cut into runs of
    random length: a pure function of seed and index.
    """
    block = index // law.family_block
    rng = stream(seed, "families", block)
    sizes = cumulative(law.family_sizes)
    starts = accumulate((1 + pick(sizes, rng) for _ in range(law.family_block)), initial=0)
    offset = index % law.family_block
    head = max(start for start in starts if start <= offset)
    return block * law.family_block + head


def _affinity(a: LabelEntry, b: LabelEntry, law: Law) -> float:
    if a.name == b.name:
        return 0.0
    if b.name in a.related or a.name in b.related:
        return law.related
    return law.same_domain if a.domain == b.domain else 1.0
