"""What a study would run, before anything does."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from flows.cells import Cell
from flows.design import Design, load_design, load_profile
from flows.stages.accounting import CorpusKey
from services.evaluator.planning import Rules

MINIMUM_REPLICATES = Rules().minimum_replicates


@dataclass(frozen=True, slots=True)
class Planned:
    """A design worked out.

    Attributes:
        cells: In the order in which they run.
        done: Ids of the cells that the store holds already.
        corpus_count: Synthetic corpora to be written.
        text_count: Texts to embed, at most: equal ones are embedded once.
        claims: Names of the declared contrasts.
        not_run: Experiment → what it lacks.
    """

    design: Design
    cells: tuple[Cell, ...]
    done: frozenset[str]
    corpus_count: int
    text_count: int
    claims: tuple[str, ...]
    not_run: dict[str, str]

    def table(self) -> pd.DataFrame:
        """Return one row per cell."""
        rows = [
            (c.id, c.regime, c.arm.name, c.family, c.replicate, "done" if c.id in self.done else "to do")
            for c in self.cells
        ]
        return pd.DataFrame(rows, columns=["cell", "regime", "arm", "family", "replicate", "state"])

    def summary(self) -> list[str]:
        """Return a few lines for a person."""
        arms = Counter((c.regime, c.family) for c in self.cells)
        lines = [
            f"Design {self.design.name} ({self.design.digest[:16]}), {self.design.replicates} replicates",
            f"{len(self.cells)} cells, {len(self.done)} of them done:",
            *(f"  {family} at {regime} documents: {n} cells" for (regime, family), n in sorted(arms.items())),
            f"{self.corpus_count} synthetic corpora, most of them of {self.design.synthetic_documents} documents",
            f"At most {self.text_count:,} texts to embed; the budget is {self.design.embedding_budget:,}",
            f"{len(self.claims)} declared claims: " + "; ".join(self.claims),
        ]
        few = self.design.replicates < MINIMUM_REPLICATES
        if few and self.claims:
            lines.append(
                f"No claim will have a verdict: it takes {MINIMUM_REPLICATES} replicates, and there are "
                f"{self.design.replicates}"
            )
        return lines + [f"Not run: {title}: {reason}" for title, reason in self.not_run.items()]


def plan(design: str = "full", profile: str = "embedded", store: str | Path | None = None) -> Planned:
    """List a study's cells and what they cost; starts nothing but the services' own lists of what they have.

    Args:
        design: A shipped design's name or the path of a TOML file.
        profile: A shipped profile's name or the path of a TOML file.
        store: Where finished cells lie; default as for a study.

    Raises:
        StudyError: What is wrong with the design or the profile.
    """
    from flows.run import open_run
    from flows.stages.generating import corpus_keys
    from flows.stages.training import finished
    from services.storage.store import Store

    opened = Store(store) if store else None
    with open_run(load_design(design), load_profile(profile), opened) as run:
        corpora = corpus_keys(run.study)
        return Planned(
            design=run.study.design.whole,
            cells=run.plan.cells,
            done=frozenset(c.id for c in run.plan.cells if finished(run.study, c) is not None),
            corpus_count=len(corpora),
            text_count=0 if run.plan.is_empty else _text_count(run.study.design, corpora),
            claims=tuple(c.name for c in run.plan.contrasts if c.declared),
            not_run=dict(run.plan.not_run),
        )


def _text_count(design: Design, corpora: Sequence[CorpusKey]) -> int:
    """Return how many texts there are to embed."""
    if not design.encoder:
        return 0
    real = design.dataset.train + design.dataset.test + design.dataset.reference
    writers = [(design.generator(key.generator), key.replicate) for key in corpora]
    return real + sum(design.documents_of(writer) for writer, number in writers if writer.embeds(number))
